-- The queries of tests/unit/db.c, on tables of its own.

-- name: thing_create :exec
CREATE TABLE thing (
    id     uuid PRIMARY KEY,
    name   text NOT NULL CONSTRAINT thing__name_taken UNIQUE,
    price  bigint CHECK (price >= 0),
    parent uuid CONSTRAINT thing__parent_missing REFERENCES thing DEFERRABLE INITIALLY DEFERRED,
    good   bool,
    raw    bytea,
    plain  json,
    body   jsonb,
    count  int,
    share  double precision,
    at     timestamptz
);

-- name: thing_drop :exec
DROP TABLE IF EXISTS thing;

-- name: raiser_create :exec
CREATE OR REPLACE FUNCTION raiser(state text, words text, slug text, place text, more text,
                                  rule text) RETURNS void LANGUAGE plpgsql AS $body$
BEGIN
    RAISE EXCEPTION USING ERRCODE = state, MESSAGE = words, HINT = slug, COLUMN = place,
                          DETAIL = more, CONSTRAINT = rule;
END $body$;

-- name: raiser_call :one (state text, words text, slug text, place text, more text, rule text)
SELECT raiser($1, $2, $3, $4, $5, $6);

-- name: thing_insert :exec (id uuid, name text, price bigint, parent uuid)
INSERT INTO thing (id, name, price, parent)
VALUES ($1, $2, $3, $4);

-- name: thing_insert_all :exec (ids uuid[], names text[], prices bigint[], raws bytea[])
INSERT INTO thing (id, name, price, raw)
SELECT * FROM unnest($1, $2, $3, $4);

-- name: thing_set :exec (id uuid, good bool, raw bytea, plain json, body jsonb)
UPDATE thing SET good = $2, raw = $3, plain = $4, body = $5 WHERE id = $1;

-- name: thing_get :one (id uuid)
SELECT id, name, price, good, raw, plain, body, count, share, at FROM thing WHERE id = $1;

-- name: thing_find :maybe (name text)
SELECT id FROM thing WHERE name = $1;

-- name: thing_find_badly :maybe
SELECT id FROM thing;

-- name: thing_get_badly :one
SELECT id FROM thing;

-- name: thing_exec_badly :exec
SELECT 1;

-- name: thing_list :many
SELECT name, price, raw FROM thing ORDER BY name;

-- name: thing_count :one
SELECT count(*) FROM thing;

-- name: thing_star :many
SELECT * FROM thing;

-- name: thing_widen :exec
ALTER TABLE thing ADD COLUMN more text;

-- name: thing_copy :copy
COPY thing (id, name, price, good, raw, plain, body, count, share, at)
FROM STDIN (FORMAT binary);

-- name: session_settings :one
SELECT current_setting('application_name'), current_setting('client_encoding'),
       current_setting('DateStyle'), current_setting('TimeZone'),
       '2025-10-28T10:00:00+02'::timestamptz;

-- name: backend_pid :one
SELECT pg_backend_pid();

-- name: backend_gone :one (pid int)
SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1);

-- name: backend_terminate :one (pid int)
SELECT pg_terminate_backend($1);

-- name: slow :one
SELECT pg_sleep(10);

-- name: timeout_set :one
SELECT set_config('statement_timeout', '50ms', true);

-- name: news :listen
LISTEN news;

-- name: news_tell :one (words text)
SELECT pg_notify('news', $1);
