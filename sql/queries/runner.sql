-- What the runner asks of the database. Each run's writes begin with runner_enter, which checks the
-- lease and opens the tenant for that one transaction.

-- name: runner_start :one (runner uuid, host text, ttl interval, berth uuid)
SELECT work.runner_start($1, $2, $3, $4)

-- name: runner_stop :one (runner uuid)
SELECT work.runner_stop($1)

-- name: runner_beat :one (runner uuid, ttl interval, draining boolean)
SELECT work.runner_beat($1, $2, $3)

-- name: runner_claim :many (runner uuid, n int, per_tenant int, max_run interval)
SELECT tenant_id, work_id, kind, subject_id, execution_id, lease_token, attempt, crashes
FROM work.claim($1, $2, $3, $4)

-- How long until something is due, in milliseconds; null: nothing is.
-- name: runner_next_due :one
SELECT CASE WHEN isfinite(min(next_due_at))
	THEN greatest(0, extract(epoch FROM min(next_due_at) - clock_timestamp()) * 1000)::bigint END
FROM work.lane WHERE NOT paused

-- name: runner_reap :many (n int)
SELECT tenant_id, work_id, execution_id, old_token, state, code FROM work.reap($1)

-- name: runner_wake :one ()
SELECT work.wake('catchment_work')

-- name: runner_abandon :many (runner uuid, held uuid[])
SELECT tenant_id, work_id, execution_id, old_token FROM work.abandon($1, $2)

-- name: runner_sweep :one
SELECT work.sweep()

-- name: runner_kept_prune :one (lanes int, n int)
SELECT work.kept_prune($1, $2)

-- name: runner_cancelled :many (runner uuid)
SELECT id FROM work.work WHERE runner_id = $1 AND state = 'running' AND cancel_requested

-- name: runner_listen_work :listen
LISTEN catchment_work

-- name: runner_listen_cancel :listen
LISTEN catchment_cancel

-- name: runner_take :one (tenant uuid, service text, n numeric, rate numeric, burst numeric, host_rate numeric)
SELECT ceil(work.take_both($1, $2, $3::float8, $4::float8, $5::float8, $6::float8) * 1000)::bigint

-- name: runner_service_enter :one (tenant uuid, work uuid, token bigint, service text, max_runs int)
SELECT work.service_enter($1, $2, $3, $4, $5)

-- name: runner_throttle :one (tenant uuid, service text, seconds numeric, rate numeric, burst numeric)
SELECT work.throttle($1, $2, $3::float8, $4::float8, $5::float8)

-- name: runner_seal_check :maybe (kid bigint)
SELECT check_value FROM work.seal_key WHERE kid = $1

-- name: runner_seal_add :exec (kid bigint, check_value text)
INSERT INTO work.seal_key (kid, check_value) VALUES ($1, $2) ON CONFLICT DO NOTHING

-- name: runner_enter :one (tenant uuid, work uuid, token bigint)
SELECT work.enter($1, $2, $3)

-- name: runner_run_begin :one (subject uuid, execution uuid, token bigint)
SELECT document, instance_id, pipeline_id, stream_id, config, seq, state, cursor_value,
	cancel_requested, resumed
FROM collect.run_begin($1, $2, $3)

-- name: runner_crash_mark :one (tenant uuid, work uuid, token bigint, subject uuid)
SELECT work.crash_mark($1, $2, $3, g.seq) FROM collect.progress g
WHERE g.tenant_id = util.tenant() AND g.subject_id = $4

-- The secrets of the instance that a subject belongs to.
-- name: runner_secrets :many (subject uuid)
SELECT s.field, s.version, s.sealed FROM collect.secrets s
JOIN collect.progress g ON g.tenant_id = s.tenant_id AND g.instance_id = s.owner_id
WHERE g.tenant_id = util.tenant() AND g.subject_id = $1

-- Where a subject stands; for ends that came before its documents could be read.
-- name: runner_progress :one (subject uuid)
SELECT g.seq, g.stream_id FROM collect.progress g
WHERE g.tenant_id = util.tenant() AND g.subject_id = $1

-- name: runner_page_begin :one (subject uuid, token bigint, seq bigint, steps bigint, state text, over boolean, cursor text)
SELECT collect.page_begin($1, $2, $3, $4, $5, $6, $7)

-- name: runner_page_differing :many (stream uuid, keys text[], hashes bytea[])
SELECT unnest(collect.page_differing($1, $2, $3))

-- name: runner_page_write :one (stream uuid, first bigint, pages bigint, look boolean, seqs bigint[], keys text[],
--   key_hashes bigint[], hashes bytea[], data json[])
SELECT w.fresh, w.changed, w.back FROM collect.page_write($1, $2, $3, $4, $5, $6, $7, $8, $9) w

-- Writes the last records of a commit, adds what is known of those before (by page), and the history; with a state, the
-- end of the run.
-- name: runner_page_end :one (stream uuid, first bigint, pages bigint, look boolean, seqs bigint[], keys text[],
--   key_hashes bigint[], hashes bytea[], data json[], execution uuid, page bigint, kept bigint[], quarantined bigint[],
--   fresh bigint[], changed bigint[], back bigint, seen bigint[], seen_counts bigint[], counts json, state text, code text,
--   message text, stop text, mark_vanished boolean)
SELECT w.fresh, w.changed, collect.page_end($10, $1, $2, $11, $12, $13, util.sum($14, w.fresh), util.sum($15, w.changed),
	$16 + w.back, $17, $18, $19, $20, $21, $22, $23, $24)
FROM collect.page_write($1, $2, $3, $4, $5, $6, $7, $8, $9) w

-- name: runner_journal :exec (execution uuid, ids uuid[], kinds text[], times bigint[],
--   entries text[])
INSERT INTO collect.journal (tenant_id, id, execution_id, at, kind, entry)
SELECT util.tenant(), t.id, $1, to_timestamp(t.at_ms / 1000.0), t.kind, t.entry::json
FROM unnest($2::uuid[], $3::text[], $4::bigint[], $5::text[]) AS t (id, kind, at_ms, entry)
ON CONFLICT DO NOTHING -- sent again after a COMMIT without an answer

-- name: runner_quarantine :exec (stream uuid, execution uuid, page bigint, slugs text[], whys text[],
--   keys text[], bytes bytea[])
INSERT INTO collect.quarantine (tenant_id, stream_id, execution_id, page, slug, why, record_key, bytes)
SELECT util.tenant(), $1, $2, $3, t.slug, t.why, t.record_key, t.bytes
FROM unnest($4::text[], $5::text[], $6::text[], $7::bytea[]) AS t (slug, why, record_key, bytes)

-- name: runner_run_wait :one (execution uuid, code text, message text, until timestamptz, counts json)
SELECT collect.run_wait($1, $2, $3, $4, $5)

-- Marking what vanished reads and writes a whole stream: it may take longer than the role's statements.
-- Until the end of the transaction; a statement's time begins with it, so this is one of its own.
-- name: runner_patience :one
SELECT set_config('statement_timeout', '30min', true)

-- name: runner_run_end :one (subject uuid, execution uuid, stream uuid, token bigint, seq bigint, state text,
--   code text, message text, stop text, cursor text, mark_vanished boolean, counts json)
SELECT collect.run_end($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)

-- name: runner_release :one (tenant uuid, work uuid, token bigint, outcome text, delay interval, code text)
SELECT state, CASE WHEN isfinite(due_at) THEN due_at END,
	CASE WHEN isfinite(due_at) THEN (extract(epoch FROM due_at) * 1000)::bigint END
FROM work.release($1, $2, $3, $4, $5, $6)
