-- What `catchment doctor` asks, as the migrate role. Each query gives findings: severity (error or
-- warning), what it is about, what was found. No row: all fine. What a finding means and what to do
-- stands in cli/doctor_checks.c.

-- name: doctor_clock :one ()
SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint;

-- Where the data lies, when the server is this machine; null otherwise.
-- name: doctor_place :one ()
SELECT CASE WHEN inet_server_addr() IS NULL THEN current_setting('data_directory', true) END,
	pg_database_size(current_database());

-- name: doctor_sight :many ()
SELECT 'warning', current_user::text, 'does not see what other sessions do and wait for'
WHERE NOT pg_has_role(current_user, 'pg_read_all_stats', 'USAGE');

-- name: doctor_roles :many ()
SELECT 'error', v.name, CASE WHEN r.rolname IS NULL THEN 'is missing'
	WHEN r.rolsuper THEN 'is a superuser'
	WHEN r.rolcreaterole OR r.rolcreatedb THEN 'may make roles or databases'
	WHEN r.rolbypassrls THEN 'passes by row level security'
	WHEN NOT v.bypass THEN 'may sign in'
	ELSE 'is bound by row level security, which it must pass by' END
FROM (VALUES ('catchment_owner', false, false), ('catchment_auth', false, false),
	('catchment_migrate', true, true), ('catchment_web', true, false), ('catchment_trial', true, false),
	('catchment_export', true, false), ('catchment_run', true, false), ('catchment_backup', true, true))
	AS v (name, login, bypass)
LEFT JOIN pg_roles r ON r.rolname = v.name
WHERE r.rolname IS NULL OR r.rolsuper OR r.rolcreaterole OR r.rolcreatedb OR r.rolbypassrls <> v.bypass
	OR (r.rolcanlogin AND NOT v.login)
UNION ALL
SELECT 'error', m.rolname, 'is a member of ' || g.rolname
FROM pg_auth_members a JOIN pg_roles m ON m.oid = a.member JOIN pg_roles g ON g.oid = a.roleid
WHERE m.rolname IN ('catchment_web', 'catchment_trial', 'catchment_export', 'catchment_run')
ORDER BY 2, 3;

-- The grants that each role's daily work stands on, and what nobody in general may have.
-- name: doctor_grants :many ()
SELECT 'error', v.role, 'lacks ' || v.privilege || ' on ' || v.what
FROM (VALUES ('catchment_web', 'collect.data_collectors', 'SELECT'),
	('catchment_web', 'collect.data_collectors', 'INSERT'), ('catchment_web', 'collect.records', 'SELECT'),
	('catchment_web', 'work.work', 'INSERT'), ('catchment_web', 'market.release', 'INSERT'),
	('catchment_trial', 'collect.secrets', 'SELECT'), ('catchment_trial', 'work.work', 'UPDATE'),
	('catchment_export', 'collect.records', 'SELECT'), ('catchment_export', 'collect.streams', 'SELECT'),
	('catchment_run', 'collect.records', 'INSERT'), ('catchment_run', 'collect.secrets', 'SELECT'),
	('catchment_run', 'work.runner', 'INSERT'), ('catchment_run', 'work.work', 'UPDATE'),
	('catchment_run', 'collect.collector_executions', 'UPDATE')) AS v (role, what, privilege)
JOIN pg_roles r ON r.rolname = v.role
WHERE to_regclass(v.what) IS NOT NULL AND NOT has_table_privilege(r.oid, to_regclass(v.what), v.privilege)
UNION ALL
SELECT 'error', v.role, 'may not connect to this database'
FROM (VALUES ('catchment_web'), ('catchment_trial'), ('catchment_export'), ('catchment_run')) AS v (role)
JOIN pg_roles r ON r.rolname = v.role WHERE NOT has_database_privilege(r.oid, current_database(), 'CONNECT')
UNION ALL
SELECT 'error', 'everybody', 'has ' || a.privilege_type || ' on ' || c.oid::regclass
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace CROSS JOIN LATERAL aclexplode(c.relacl) a
WHERE n.nspname IN ('identity', 'collect', 'market', 'work', 'audit', 'migration') AND a.grantee = 0
UNION ALL
SELECT 'error', r.rolname, 'may read identity tables: ' || c.oid::regclass
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'identity'
JOIN pg_roles r ON r.rolname IN ('catchment_web', 'catchment_trial', 'catchment_export', 'catchment_run')
WHERE c.relname IN ('users', 'tokens') AND has_table_privilege(r.oid, c.oid, 'SELECT')
ORDER BY 2, 3;

-- name: doctor_row_security :many ()
SELECT 'error', c.oid::regclass::text, CASE WHEN NOT c.relrowsecurity THEN 'has row level security off'
	WHEN NOT c.relforcerowsecurity THEN 'does not force row level security on its owner'
	ELSE 'has no policy' END
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname IN ('identity', 'collect', 'market', 'work', 'audit') AND c.relkind IN ('r', 'p')
	AND NOT (c.relrowsecurity AND c.relforcerowsecurity
		AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid))
ORDER BY 2;

-- name: doctor_statistics :many ()
SELECT 'warning', s.relid::regclass::text, CASE WHEN coalesce(s.last_analyze, s.last_autoanalyze) IS NULL
	THEN s.n_live_tup || ' rows, and was never analyzed'
	ELSE s.n_mod_since_analyze || ' of ' || s.n_live_tup || ' rows changed since it was analyzed' END
FROM pg_stat_user_tables s
WHERE s.n_live_tup > 1000 AND s.schemaname !~ '^pg_temp' AND (coalesce(s.last_analyze, s.last_autoanalyze) IS NULL
	AND s.n_mod_since_analyze > 1000 + s.n_live_tup * 0.2
	OR s.n_mod_since_analyze > 10000 + s.n_live_tup * 0.5)
ORDER BY s.n_mod_since_analyze DESC;

-- Statistics count since a reset; younger than a month they say little of an index.
-- name: doctor_unused_indexes :many (days int)
SELECT 'warning', s.indexrelid::regclass::text, pg_size_pretty(pg_relation_size(s.indexrelid)) || ' and never used'
FROM pg_stat_user_indexes s JOIN pg_index i ON i.indexrelid = s.indexrelid
WHERE s.idx_scan = 0 AND s.schemaname !~ '^pg_temp' AND NOT i.indisunique AND pg_relation_size(s.indexrelid) >= 8 * 1024 * 1024
	AND (SELECT coalesce(d.stats_reset, pg_postmaster_start_time()) FROM pg_stat_database d
		WHERE d.datname = current_database()) <= clock_timestamp() - make_interval(days => $1)
ORDER BY pg_relation_size(s.indexrelid) DESC;

-- name: doctor_invalid_indexes :many ()
SELECT 'error', i.indexrelid::regclass::text, 'is not valid: nothing uses it, and each write pays for it'
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid AND c.relkind = 'i'
WHERE NOT i.indisvalid AND NOT EXISTS (SELECT FROM pg_stat_progress_create_index p WHERE p.index_relid = i.indexrelid)
ORDER BY 2;

-- name: doctor_slow_now :many (slow_ms bigint)
SELECT 'warning', coalesce(a.usename, '?') || ' pid ' || a.pid,
	'has run for ' || round(extract(epoch FROM clock_timestamp() - a.query_start)::numeric, 1) || ' s: '
	|| regexp_replace(left(a.query, 200), '\s+', ' ', 'g')
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.state = 'active' AND a.pid <> pg_backend_pid()
	AND a.backend_type = 'client backend'
	AND a.query_start < clock_timestamp() - make_interval(secs => $1::bigint / 1000.0)
ORDER BY a.query_start;

-- The extension is not part of every database: its view is asked in a text of its own, so that this
-- can be prepared without it.
-- name: doctor_slow_often :many (slow_ms bigint)
SELECT 'warning', x.calls || ' times', 'took ' || round(x.mean::numeric) || ' ms on average: '
	|| regexp_replace(left(x.query, 200), '\s+', ' ', 'g')
FROM xmltable('/table/row' PASSING CASE WHEN to_regclass('pg_stat_statements') IS NOT NULL THEN query_to_xml(
	'SELECT s.calls, s.mean_exec_time AS mean, s.query FROM pg_stat_statements s JOIN pg_database d ON d.oid = s.dbid
	WHERE d.datname = current_database() ORDER BY s.mean_exec_time DESC LIMIT 20', false, false, '') END
	COLUMNS calls bigint, mean double precision, query text) x
WHERE x.mean > $1;

-- name: doctor_long_transactions :many (long_s int)
SELECT CASE WHEN a.xact_start < clock_timestamp() - make_interval(secs => 10 * $1) THEN 'error' ELSE 'warning' END,
	coalesce(a.usename, '?') || ' pid ' || a.pid, 'has a transaction open for '
	|| round(extract(epoch FROM clock_timestamp() - a.xact_start)) || ' s, ' || coalesce(a.state, '?')
FROM pg_stat_activity a
WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.backend_type = 'client backend'
	AND a.xact_start < clock_timestamp() - make_interval(secs => $1)
UNION ALL
SELECT 'error', 'prepared transaction ' || p.gid, 'was left since ' || util.utc(p.prepared)
FROM pg_prepared_xacts p
WHERE p.database = current_database() AND p.prepared < clock_timestamp() - make_interval(secs => $1)
ORDER BY 2;

-- name: doctor_dead_rows :many ()
SELECT 'warning', s.relid::regclass::text, s.n_dead_tup || ' dead rows beside ' || s.n_live_tup || ' live ones; last vacuum '
	|| coalesce(util.utc(greatest(s.last_vacuum, s.last_autovacuum)), 'never')
FROM pg_stat_user_tables s WHERE s.n_dead_tup > 10000 + s.n_live_tup * 0.3 AND s.schemaname !~ '^pg_temp'
UNION ALL
SELECT 'error', c.oid::regclass::text, 'its oldest row is ' || age(c.relfrozenxid) || ' transactions old'
FROM pg_class c WHERE c.relkind IN ('r', 't') AND age(c.relfrozenxid) > 1000000000
ORDER BY 2;

-- name: doctor_connections :many ()
SELECT CASE WHEN x.used >= x.most * 0.95 THEN 'error' ELSE 'warning' END, x.what,
	'has ' || x.used || ' of at most ' || x.most || ' connections'
FROM (SELECT 'the server' AS what, (SELECT count(*) FROM pg_stat_activity a WHERE a.backend_type = 'client backend') AS used,
		current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most
	UNION ALL
	SELECT r.rolname, (SELECT count(*) FROM pg_stat_activity a WHERE a.usesysid = r.oid), r.rolconnlimit
	FROM pg_roles r WHERE r.rolname LIKE 'catchment\_%' AND r.rolconnlimit > 0
	UNION ALL
	SELECT 'database ' || d.datname, (SELECT count(*) FROM pg_stat_activity a WHERE a.datid = d.oid), d.datconnlimit
	FROM pg_database d WHERE d.datname = current_database() AND d.datconnlimit > 0) x
WHERE x.used >= x.most * 0.8 ORDER BY 2;

-- This month's and the next two; whatever stands in a default partition found no month.
-- name: doctor_partitions :many ()
SELECT CASE WHEN m.ahead < 2 THEN 'error' ELSE 'warning' END, c.oid::regclass::text, 'has no partition for ' || to_char(m.month, 'YYYY-MM')
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (SELECT a AS ahead, date_trunc('month', clock_timestamp() AT TIME ZONE 'UTC') + make_interval(months => a) AS month
	FROM generate_series(0, 2) a) m
WHERE c.relkind = 'p' AND n.nspname IN ('collect', 'audit')
	AND NOT EXISTS (SELECT FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid
		WHERE i.inhparent = c.oid AND p.relname = c.relname || to_char(m.month, '_YYYYMM'))
UNION ALL
SELECT 'warning', s.relid::regclass::text, s.n_live_tup || ' rows that no month takes'
FROM pg_stat_user_tables s
WHERE s.schemaname IN ('collect', 'audit') AND s.relname LIKE '%\_default' AND s.n_live_tup > 0
ORDER BY 2, 3;

-- name: doctor_runners :many ()
SELECT 'error', 'runners', CASE WHEN count(*) = 0 THEN 'none has ever come, or all have gone'
	ELSE 'the last lease ran out at ' || util.utc(max(r.lease_until)) END
FROM work.runner r HAVING count(*) FILTER (WHERE r.lease_until > clock_timestamp()) = 0;

-- name: doctor_queue :many (late_s int)
SELECT 'warning', 'workspace ' || w.tenant_id, count(*) || ' runs are due since ' || util.utc(min(w.due_at)) || ' and not begun'
FROM work.work w JOIN work.lane l ON l.tenant_id = w.tenant_id AND NOT l.paused
WHERE w.state = 'ready' AND w.due_at < clock_timestamp() - make_interval(secs => $1)
	AND (SELECT count(*) FROM work.work r WHERE r.tenant_id = w.tenant_id AND r.state = 'running') < l.max_running
GROUP BY w.tenant_id
UNION ALL
SELECT 'error', 'run ' || coalesce(w.execution_id, w.id), CASE WHEN r.id IS NULL THEN 'is held by a runner that is gone'
	WHEN r.lease_until < clock_timestamp() - make_interval(secs => $1) THEN 'is held by a runner whose lease ran out'
	ELSE 'passed its deadline' END
FROM work.work w LEFT JOIN work.runner r ON r.id = w.runner_id
WHERE w.state = 'running' AND w.claimed_at < clock_timestamp() - make_interval(secs => $1)
	AND (r.id IS NULL OR r.lease_until < clock_timestamp() - make_interval(secs => $1)
		OR w.deadline_at < clock_timestamp() - make_interval(secs => $1))
ORDER BY 2;

-- name: doctor_replication_slots :many ()
SELECT CASE WHEN pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn) > 1024 * 1024 * 1024 OR s.wal_status IN ('unreserved', 'lost')
	THEN 'error' ELSE 'warning' END, s.slot_name::text, 'is not in use and holds '
	|| coalesce(pg_size_pretty(pg_wal_lsn_diff(pg_current_wal_lsn(), s.restart_lsn)), 'no') || ' of log'
FROM pg_replication_slots s WHERE NOT s.active AND NOT pg_is_in_recovery() ORDER BY 2;

-- Every sealed column there is.
-- name: doctor_sealed :many ()
SELECT s.kid, count(*), s.what
FROM (SELECT x.kid, 'secrets' AS what FROM collect.secrets x
	UNION ALL SELECT x.access_kid, 'access tokens' FROM collect.tokens x
	UNION ALL SELECT x.refresh_kid, 'refresh tokens' FROM collect.tokens x) s
WHERE s.kid IS NOT NULL GROUP BY s.kid, s.what ORDER BY s.what, s.kid;
