-- Migrations: what lib/db/migrate.c asks. The table belongs to no file of sql/migrations, because
-- it must exist before the first of them.

-- name: migration_try_lock :one
SELECT pg_try_advisory_lock(4831270661);

-- name: migration_lock :one
SELECT pg_advisory_lock(4831270661);

-- name: migration_found :one
SELECT to_regclass('migration.applied') IS NOT NULL;

-- name: migration_schema_create :exec
CREATE SCHEMA IF NOT EXISTS migration;

-- name: migration_table_create :exec
CREATE TABLE IF NOT EXISTS migration.applied (
    number     int         PRIMARY KEY,
    name       text        NOT NULL,
    sha256     text        NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- name: migration_table_comment :exec
COMMENT ON TABLE migration.applied IS 'class: control. The files of sql/migrations that this database has.';

-- name: migration_list :many
SELECT number, name, sha256
FROM migration.applied
ORDER BY number;

-- name: migration_start :one
SELECT set_config('lock_timeout', '10s', true), pg_current_xact_id();

-- name: migration_role_reset :exec
RESET ROLE;

-- name: migration_transaction :one
SELECT pg_current_xact_id();

-- name: migration_insert :exec (number int, name text, sha256 text)
INSERT INTO migration.applied (number, name, sha256)
VALUES ($1, $2, $3);

-- name: migration_settings_reset :exec
RESET ALL;
