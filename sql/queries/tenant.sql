-- Workspaces: the one that is open, those of the user, a new one, another one.

-- name: tenant_list :one ()
SELECT json_build_object('tenants', (SELECT json_agg(json_build_object('id', t ->> 'id', 'name', t ->> 'name',
		'role', t ->> 'role', 'current', (t ->> 'id')::uuid = util.tenant()))
	FROM json_array_elements(identity.tenants_of(util.caller())) t))

-- name: tenant_get :maybe ()
SELECT json_build_object('id', w.id, 'name', w.name, 'role', identity.my_role(),
	'members', (SELECT count(*) FROM identity.members m WHERE m.tenant_id = w.id),
	'version', w.version, 'createdAt', util.utc(w.created_at)), w.version
FROM identity.tenants w WHERE w.id = util.tenant()

-- name: tenant_create :one (id uuid, name text)
SELECT identity.tenant_create($1, normalize($2, NFC), util.caller())

-- name: tenant_created :one (id uuid)
SELECT t FROM json_array_elements(identity.tenants_of(util.caller())) t WHERE t ->> 'id' = $1::text

-- name: tenant_update :one (name text, version bigint)
SELECT identity.tenant_update(normalize($1, NFC), $2)

-- The marketplace knows this workspace by its name.
-- name: tenant_rename_listings :exec ()
UPDATE market.listing l SET publisher = n.name, search = market.listing_words(r.document, n.name)
FROM market.release r, market.my_publisher_name() AS n (name)
WHERE l.publisher_tenant = util.tenant() AND r.collector_id = l.collector_id AND r.version = l.latest_version

-- Nobody is left to look after its collectors: they leave the marketplace; who has one keeps it.
-- name: tenant_delist :exec ()
UPDATE market.listing l SET is_listed = false, updated_at = clock_timestamp()
WHERE l.publisher_tenant = util.tenant() AND l.is_listed

-- name: tenant_delete :one ()
SELECT identity.tenant_delete(), work.tenant_stop()

-- name: tenant_me :one ()
SELECT identity.user_doc(util.caller()) ->> 'email'
