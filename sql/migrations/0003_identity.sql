-- Users, tenants, members, tokens. Users are global; what a tenant shows of them stands in its member
-- rows. Nothing but the functions below, which belong to the auth role, reads the identity class.
SET LOCAL ROLE catchment_owner;

CREATE TABLE identity.tenants (
	id         uuid PRIMARY KEY,
	name       text NOT NULL CHECK (name <> ''),
	version    bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	deleted_at timestamptz
);
CALL util.make_control('identity.tenants', 'The unit of isolation; pages call it workspace.', 'id');
CREATE POLICY auth_all ON identity.tenants TO catchment_auth USING (true) WITH CHECK (true);
GRANT SELECT ON identity.tenants TO catchment_web, catchment_trial, catchment_run;
GRANT SELECT, INSERT, UPDATE ON identity.tenants TO catchment_auth;

CREATE TABLE identity.users (
	id              uuid PRIMARY KEY,
	email           text NOT NULL CONSTRAINT users__email_taken UNIQUE CHECK (email = lower(email)),
	name            text NOT NULL DEFAULT '',
	password_phc    text NOT NULL,
	is_active       boolean NOT NULL DEFAULT true,
	created_at      timestamptz NOT NULL DEFAULT clock_timestamp(),
	last_sign_in_at timestamptz
);
CALL util.make_identity('identity.users', 'People. The password is a scrypt PHC string.');

CREATE TABLE identity.platform_roles (
	user_id uuid PRIMARY KEY REFERENCES identity.users ON DELETE CASCADE,
	role    text NOT NULL CHECK (role IN ('developer', 'admin', 'owner'))
);
CALL util.make_identity('identity.platform_roles', 'Who may administer the platform itself.');

CREATE TABLE identity.members (
	tenant_id  uuid NOT NULL REFERENCES identity.tenants,
	user_id    uuid NOT NULL,
	role       text NOT NULL CHECK (role IN ('viewer', 'editor', 'admin', 'owner')),
	email      text NOT NULL,
	name       text NOT NULL DEFAULT '',
	version    bigint NOT NULL DEFAULT 1,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, user_id)
);
CALL util.make_tenant('identity.members', 'Users in a tenant, with what the tenant shows of them.');
CREATE POLICY auth_all ON identity.members TO catchment_auth USING (true) WITH CHECK (true);
CREATE INDEX members_of_user ON identity.members (user_id, tenant_id);
COMMENT ON INDEX identity.members_of_user IS
	'exempt: a user''s tenants are looked up before any tenant is known (sign-in, switch)';
GRANT SELECT ON identity.members TO catchment_web, catchment_trial;
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.members TO catchment_auth;

CREATE TABLE identity.invitations (
	tenant_id   uuid NOT NULL REFERENCES identity.tenants,
	id          uuid NOT NULL,
	email       text NOT NULL CHECK (email = lower(email)),
	role        text NOT NULL CHECK (role IN ('viewer', 'editor', 'admin', 'owner')),
	invited_by  uuid NOT NULL,
	created_at  timestamptz NOT NULL DEFAULT clock_timestamp(),
	expires_at  timestamptz NOT NULL,
	accepted_at timestamptz,
	revoked_at  timestamptz,
	PRIMARY KEY (tenant_id, id)
);
CALL util.make_tenant('identity.invitations', 'Open and past invitations into a tenant.');
CREATE POLICY auth_all ON identity.invitations TO catchment_auth USING (true) WITH CHECK (true);
GRANT SELECT ON identity.invitations TO catchment_web;
GRANT SELECT, INSERT, UPDATE ON identity.invitations TO catchment_auth;

CREATE TABLE identity.invitation_tokens (
	token_hash    bytea PRIMARY KEY CHECK (length(token_hash) = 32),
	tenant_id     uuid NOT NULL,
	invitation_id uuid NOT NULL,
	FOREIGN KEY (tenant_id, invitation_id) REFERENCES identity.invitations ON DELETE CASCADE
);
CALL util.make_identity('identity.invitation_tokens', 'Finds an invitation by its single-use token.');

CREATE TABLE identity.tokens (
	id           uuid PRIMARY KEY,
	token_hash   bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
	user_id      uuid NOT NULL REFERENCES identity.users ON DELETE CASCADE,
	tenant_id    uuid NOT NULL REFERENCES identity.tenants,
	kind         text NOT NULL CHECK (kind IN ('api', 'sign-in')),
	name         text NOT NULL,
	prefix       text NOT NULL, -- the first characters, to recognise it by
	scopes       text[] NOT NULL, -- {*}: all
	created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
	expires_at   timestamptz,
	last_used_at timestamptz,
	last_ip      text,
	revoked_at   timestamptz
);
CALL util.make_identity('identity.tokens', 'API tokens; only their SHA-256 is kept.');
CREATE INDEX tokens_of_tenant ON identity.tokens (tenant_id, user_id);

CREATE TABLE identity.sessions (
	id         uuid PRIMARY KEY,
	token_hash bytea NOT NULL UNIQUE CHECK (length(token_hash) = 32),
	user_id    uuid NOT NULL REFERENCES identity.users ON DELETE CASCADE,
	tenant_id  uuid REFERENCES identity.tenants,
	csrf_hash  bytea NOT NULL,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(), -- 12 h idle
	expires_at timestamptz NOT NULL,                           -- 7 days at most
	ip         text,
	user_agent text
);
CALL util.make_identity('identity.sessions', 'Browser sessions; only the SHA-256 of the cookie is kept.');

CREATE TABLE identity.sign_in_throttle (
	key           text PRIMARY KEY, -- "user:<email>" or "net:<prefix>"
	failures      int NOT NULL DEFAULT 0,
	blocked_until timestamptz NOT NULL DEFAULT '-infinity',
	at            timestamptz NOT NULL DEFAULT clock_timestamp()
);
CALL util.make_identity('identity.sign_in_throttle', 'Failed sign-ins; delays, never locks for good.');
CREATE INDEX sign_in_throttle_by_age ON identity.sign_in_throttle (at);

CREATE TABLE identity.idempotency (
	tenant_id  uuid NOT NULL DEFAULT nullif(current_setting('app.tenant_id', true), '')::uuid,
	key        text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
	route      text NOT NULL,
	body_hash  bytea NOT NULL,
	status     int NOT NULL,
	body       text,       -- null: the answer showed a secret or was too large, and was not kept
	location   text,
	created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
	PRIMARY KEY (tenant_id, key)
);
CALL util.make_tenant('identity.idempotency', 'Answers kept 24 hours for repeated requests.');
CREATE INDEX idempotency_by_age ON identity.idempotency (tenant_id, created_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON identity.idempotency TO catchment_web, catchment_trial;
