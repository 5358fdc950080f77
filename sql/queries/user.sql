-- Sign-up, sign-in, profile.

-- name: user_sign_up :one (id uuid, email text, phc text, name text, tenant uuid, tenant_name text)
SELECT identity.sign_up($1, $2, $3, normalize($4, NFC), $5, normalize($6, NFC))

-- name: user_sign_in_begin :one (email text, ip text)
SELECT user_id, password_phc FROM identity.sign_in_begin($1, network(set_masklen($2::inet,
	CASE family($2::inet) WHEN 4 THEN 24 ELSE 64 END))::text)

-- name: user_sign_in_failed :one (email text, ip text)
SELECT identity.sign_in_failed($1, network(set_masklen($2::inet,
	CASE family($2::inet) WHEN 4 THEN 24 ELSE 64 END))::text)

-- name: user_sign_in_end :one (id uuid, email text, tenant uuid, token_id uuid, hash bytea, prefix text, new_phc text)
SELECT identity.sign_in_end($1, $2, $3, $4, $5, $6, $7)

-- A statement of its own: it shows what the one before may have made.
-- name: user_signed_in :one (id uuid, tenant uuid)
SELECT json_build_object('user', identity.user_doc($1),
	'tenant', (SELECT t FROM json_array_elements(identity.tenants_of($1)) t WHERE t ->> 'id' = $2::text),
	'tenants', identity.tenants_of($1),
	'expiresAt', util.utc(clock_timestamp() + interval '7 days'))

-- name: user_sign_out :one (hash bytea)
SELECT identity.sign_out($1)

-- name: user_profile :one ()
SELECT json_build_object('user', identity.user_doc(util.caller()),
	'tenant', (SELECT json_build_object('id', w.id, 'name', w.name, 'role', identity.my_role())
		FROM identity.tenants w WHERE w.id = util.tenant()),
	'tenants', identity.tenants_of(util.caller()))

-- name: user_profile_set :one (name text)
SELECT identity.profile_set(normalize($1, NFC))

-- name: user_password_set :one (phc text, keep_token bytea)
SELECT identity.password_set($1, $2)
