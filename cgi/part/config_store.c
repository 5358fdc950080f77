/*
 * config_store - splitting a config, binding secrets to their host, sealing
 */
#include "config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cgi/part/config_store.h"
#include "engine/configuration.h"
#include "engine/request.h"
#include "lib/crypt/seal.h"
#include "lib/db/queries.h"
#include "lib/http/guard.h"
#include "lib/base/poison.h"

#define FIELDS_MAX 64 /* the shape of a data source allows 50 */

struct config_store {
	struct seal_keys *keys;
	struct guard *guard;
	uint32_t kid;
	char check_value[33];
};

/* One field of the data source in one write. */
struct slot {
	const json_t *field;
	const char *name;
	bool secret;
	bool stored;        /* a secret of this name is there */
	int64_t version;    /* of the stored one; 0: none */
	bool removed;       /* null was sent */
	const json_t *sent; /* a new value; NULL: none */
};

struct writing {
	struct req *r;
	const struct config_change *change;
	struct slot slots[FIELDS_MAX];
	size_t count;
	json_t *values; /* all that hold afterwards and can be checked: sent and kept ones */
	json_t *plain;
	const char *kept[FIELDS_MAX + 1];
	size_t kept_count;
};

bool config_store_open(const struct conf *conf, void **state, struct err *e)
{
	struct config_store *store = calloc(1, sizeof(*store));
	const char *path;

	if (store == NULL)
		return err_set(e, ERR_BUG, "no_memory", "There is not enough memory to start.");
	*state = store;
	if (!guard_from_conf(conf, &store->guard, e) || !conf_need(conf, "SEAL_PUBLIC", &path, e) ||
	    !seal_keys_load(path, NULL, &store->keys, e))
		return false;
	store->kid = seal_keys_current(store->keys);
	return seal_check_value(store->keys, store->kid, store->check_value, e);
}

void config_store_close(void *state)
{
	struct config_store *store = state;

	if (store == NULL)
		return;
	seal_keys_free(store->keys);
	guard_free(store->guard);
	free(store);
}

/* Asked with each write of a secret: a key file may be replaced under a database that lives on. */
static bool key_check(struct req *r, const struct config_store *store, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_SECRET_KEY_FIND, DB_ARGS(db_int(store->kid)), &rows, e))
		return false;
	if (db_count(rows) == 0 &&
	    (!req_run(r, Q_SECRET_KEY_ADD, DB_ARGS(db_int(store->kid), db_text(store->check_value)),
	              &rows, e) ||
	     !req_run(r, Q_SECRET_KEY_FIND, DB_ARGS(db_int(store->kid)), &rows, e)))
		return false;
	if (db_count(rows) == 1 && str_eq_text(db_get(rows, 0, 0), store->check_value))
		return true;
	return err_set(e, ERR_UNAVAILABLE, "seal_key_mismatch",
	               "Secrets cannot be stored now: the server's sealing key is not the one that "
	               "the database knows. Tell the operator.");
}

static json_t *object_new(struct req *r)
{
	json_t *object = NULL;
	struct err ignored = { 0 };

	return json_read(r->arena, STR("{}"), &object, &ignored) ? object : NULL;
}

/*
 * Where requests go
 */

/* scheme://host:port in lower case, or NULL with what it lacks: value_missing, without a secret or a value;
 * value_not_allowed where they make no address. */
static const char *origin_try(struct arena *arena, const json_t *data_source, const json_t *plain,
                              struct err *e)
{
	const json_t *fields = json_object_get(data_source, "configFields");
	struct compile c = { .arena = arena, .fields = fields, .problems = problems_new(arena) };
	const struct scope scope = { .arena = arena,
		                     .config = config_new(arena, fields, plain, NULL, 0) };
	struct request_plan plan = { 0 };
	struct http_text base;
	char *text, *path;

	if (!request_origin_compile(&c, data_source, "", &plan.origin) ||
	    !request_origin_render(&plan, &scope, &base, e))
		return NULL;
	text = arena_strdup(arena, base.shown);
	path = strstr(text, "://");
	path = strchr(path != NULL ? path + 3 : text, '/');
	if (path != NULL)
		*path = '\0';
	for (char *p = text; *p != '\0'; p++)
		*p = (char)tolower((unsigned char)*p);
	return text;
}

static const char *origin_of(struct arena *arena, const json_t *data_source, const json_t *plain)
{
	struct err ignored = { 0 };

	return origin_try(arena, data_source, plain, &ignored);
}

/* A client's secret goes to the token endpoint as well. */
static const char *token_origin_of(struct arena *arena, const json_t *data_source,
                                   const json_t *plain)
{
	const json_t *fields = json_object_get(data_source, "configFields");
	struct compile c = { .arena = arena, .fields = fields, .problems = problems_new(arena) };
	const struct scope scope = { .arena = arena,
		                     .config = config_new(arena, fields, plain, NULL, 0) };

	return auth_address(&c, json_object_get(data_source, "authConfig"), &scope);
}

static bool differ(const char *before, const char *after)
{
	return before == NULL || after == NULL || strcmp(before, after) != 0;
}

bool config_store_moves(struct arena *arena, const json_t *data_source, const json_t *plain,
                        const json_t *new_data_source, const json_t *new_plain)
{
	const char *before = origin_of(arena, data_source, plain);
	const char *after = origin_of(arena, new_data_source, new_plain);

	return differ(before, after) || differ(token_origin_of(arena, data_source, plain),
	                                       token_origin_of(arena, new_data_source, new_plain));
}

bool config_store_reachable(struct req *r, const json_t *data_source, const json_t *plain,
                            const char *at)
{
	const struct config_store *store = r->state;
	struct err why = { 0 };
	const char *origin = origin_try(r->arena, data_source, plain, &why);

	if (origin == NULL && err_is_set(&why) && strcmp(why.slug, "value_not_allowed") == 0)
		return problem_add(
			r->problems, at, "url_invalid",
			"This makes no address of an API. It must be like "
			"https://api.example.com or https://api.example.com:8443, without a "
			"user name or a password.");
	if (origin == NULL || guard_url(store->guard, str_of(origin), &why))
		return true;
	return problem_add(r->problems, at, why.slug, "%s", why.msg);
}

struct first_name {
	struct arena *arena;
	const char *name;
};

static void first_name_take(void *arg, struct str name)
{
	struct first_name *first = arg;

	if (first->name == NULL)
		first->name = arena_text(first->arena, name);
}

/* Where the config says the address, for problems: the field that the address is made of. */
static const char *address_at(struct req *r, const struct config_change *ch)
{
	struct compile c = { .arena = r->arena,
		             .fields = json_object_get(ch->data_source, "configFields"),
		             .problems = problems_new(r->arena) };
	struct first_name first = { .arena = r->arena };
	struct template *origin;

	if (request_origin_compile(&c, ch->data_source, "", &origin))
		template_each_config(origin, first_name_take, &first);
	return first.name != NULL ? json_pointer_add(r->arena, ch->at, first.name) : ch->at;
}

struct naming {
	struct writing *w;
	bool sent;
};

static void secret_name_look(void *arg, struct str name)
{
	struct naming *n = arg;

	for (size_t i = 0; i < n->w->count; i++) {
		const struct slot *s = &n->w->slots[i];

		if (s->secret && str_eq_text(name, s->name) && (s->sent != NULL || s->removed))
			n->sent = true;
	}
}

/* An address may itself be kept sealed; then it moves when it is sent. */
static bool sealed_address_sent(struct writing *w, bool *sealed)
{
	const json_t *ds = w->change->data_source;
	struct compile c = { .arena = w->r->arena,
		             .fields = json_object_get(ds, "configFields"),
		             .problems = problems_new(w->r->arena) };
	struct naming n = { .w = w };
	struct template *origin;

	*sealed = request_origin_compile(&c, ds, "", &origin) &&
	          origin_of(w->r->arena, ds, w->plain) == NULL;
	if (*sealed)
		template_each_config(origin, secret_name_look, &n);
	return n.sent;
}

static bool moves(struct writing *w)
{
	const struct config_change *ch = w->change;
	const json_t *old = ch->old_data_source != NULL ? ch->old_data_source : ch->data_source;
	bool sealed, sent = sealed_address_sent(w, &sealed);

	if (sealed && old == ch->data_source && json_equal(ch->old_plain, w->plain))
		return sent;
	return config_store_moves(w->r->arena, old, ch->old_plain, ch->data_source, w->plain);
}

static bool host_check(struct writing *w)
{
	bool asked = false, moved = false;

	for (size_t i = 0; i < w->count; i++) {
		const struct slot *s = &w->slots[i];

		if (!s->secret || !s->stored || s->sent != NULL || s->removed)
			continue;
		if (!asked) {
			moved = moves(w);
			asked = true;
		}
		if (moved)
			problem_add(w->r->problems,
			            json_pointer_add(w->r->arena, w->change->at, s->name),
			            "secret_reentry",
			            "The address changes, so %s must be entered again: a secret "
			            "stays with the host that it was given for.",
			            json_text(s->field, "label", s->name));
	}
	return !moved;
}

/*
 * What was sent, field by field
 */

static bool is_blank(const json_t *value)
{
	return value == NULL || (json_is_string(value) && json_string_length(value) == 0);
}

/* {"set":true,...} is what answers show of a secret. */
static bool is_shown_form(const json_t *value)
{
	return json_is_object(value) && json_is_true(json_object_get(value, "set"));
}

static struct slot *slot_find(struct writing *w, const char *name)
{
	for (size_t i = 0; i < w->count; i++) {
		if (strcmp(w->slots[i].name, name) == 0)
			return &w->slots[i];
	}
	return NULL;
}

static void slots_fill(struct writing *w)
{
	const json_t *fields = json_object_get(w->change->data_source, "configFields"), *field;
	size_t i;

	json_array_foreach(fields, i, field)
	{
		struct slot *s = &w->slots[w->count];

		if (w->count == FIELDS_MAX)
			return;
		*s = (struct slot){ .field = field, .name = json_text(field, "name", "") };
		s->secret = config_field_is_secret(field);
		w->count++;
	}
}

static bool slots_load(struct writing *w, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(w->r, Q_SECRET_LIST, DB_ARGS(db_uuid(w->change->owner)), &rows, e))
		return false;
	for (size_t i = 0; i < db_count(rows); i++) {
		struct slot *s = slot_find(w, db_get(rows, i, 0).p);

		if (s != NULL && s->secret) {
			s->stored = true;
			s->version = db_get_int(rows, i, 1);
		} else if (!req_run(w->r, Q_SECRET_DELETE,
		                    DB_ARGS(db_uuid(w->change->owner), db_str(db_get(rows, i, 0))),
		                    &(struct db_rows *){ NULL }, e)) {
			return false; /* the field is gone, or no secret any more */
		}
	}
	return true;
}

static void secret_take(struct writing *w, struct slot *s, json_t *value)
{
	s->removed = json_is_null(value);
	if (!s->removed && !is_blank(value) && !is_shown_form(value)) {
		s->sent = value;
		json_object_set(w->values, s->name, value);
	} else if (s->stored && !s->removed) {
		w->kept[w->kept_count++] = s->name;
	}
}

static void plain_take(struct writing *w, const struct slot *s, json_t *value, json_t *old)
{
	json_t *now = value != NULL ? value : old;

	if (is_blank(now) || json_is_null(now))
		return;
	json_object_set(w->values, s->name, now);
	json_object_set(w->plain, s->name, now);
}

static void values_take(struct writing *w)
{
	const struct config_change *ch = w->change;
	bool keep = ch->values == NULL || ch->merge;
	const char *name;
	json_t *value;

	for (size_t i = 0; i < w->count; i++) {
		struct slot *s = &w->slots[i];

		value = json_object_get(ch->values, s->name);
		if (s->secret)
			secret_take(w, s, value);
		else
			plain_take(w, s, value,
			           keep ? json_object_get(ch->old_plain, s->name) : NULL);
	}
	/* unknown members are there to be complained about */
	json_object_foreach((json_t *)ch->values, name, value)
	{
		if (slot_find(w, name) == NULL)
			json_object_set(w->values, name, value);
	}
}

static bool values_check(struct writing *w, struct err *e)
{
	const struct config_change *ch = w->change;
	const json_t *fields = json_object_get(ch->data_source, "configFields");

	if (ch->values != NULL && !json_is_object(ch->values))
		problem_add(w->r->problems, ch->at, "wrong_type",
		            "The config is an object with one member for each field.");
	else if (!ch->may_be_empty || json_object_size(w->values) > 0 || w->kept_count > 0)
		config_check(fields, w->values, w->kept, ch->at, w->r->problems);
	if (problems_none(w->r->problems, e) && host_check(w))
		config_store_reachable(w->r, ch->data_source, w->plain, address_at(w->r, ch));
	return problems_none(w->r->problems, e);
}

/*
 * Sealing
 */

static bool seal(struct writing *w, const struct slot *s, struct err *e)
{
	const struct config_store *store = w->r->state;
	const struct seal_place place = { .tenant = w->r->tenant,
		                          .owner = *w->change->owner,
		                          .field = s->name,
		                          .version = s->version + 1 };
	struct str blob, text = { json_string_value(s->sent), json_string_length(s->sent) };
	struct db_rows *rows;

	if (!json_is_string(s->sent))
		text = json_write(w->r->arena, s->sent);
	return seal_close(w->r->arena, store->keys, &place, text, &blob, e) &&
	       req_run(w->r, Q_SECRET_PUT,
	               DB_ARGS(db_uuid(w->change->owner), db_text(s->name), db_int(place.version),
	                       db_int(store->kid), db_bytes(blob)),
	               &rows, e);
}

static bool secrets_write(struct writing *w, struct err *e)
{
	bool checked = false;
	struct db_rows *rows;

	for (size_t i = 0; i < w->count; i++) {
		const struct slot *s = &w->slots[i];

		if (s->secret && s->removed && s->stored &&
		    !req_run(w->r, Q_SECRET_DELETE,
		             DB_ARGS(db_uuid(w->change->owner), db_text(s->name)), &rows, e))
			return false;
		if (!s->secret || s->sent == NULL)
			continue;
		if ((!checked && !key_check(w->r, w->r->state, e)) || !seal(w, s, e))
			return false;
		checked = true;
	}
	return true;
}

bool config_store_write(struct req *r, const struct config_change *change, struct str *plain,
                        struct err *e)
{
	struct writing w = { .r = r, .change = change };

	w.values = object_new(r);
	w.plain = object_new(r);
	slots_fill(&w);
	/* the first query also says whose tenant this is, which the seal is bound to */
	if (!slots_load(&w, e))
		return false;
	values_take(&w);
	if (!values_check(&w, e) || !secrets_write(&w, e))
		return false;
	*plain = json_write(r->arena, w.plain);
	return true;
}

struct str config_store_names(struct req *r, const json_t *values)
{
	json_t *names = json_array(), *value;
	const char *name;
	struct str text;

	json_object_foreach((json_t *)values, name, value)
		json_array_append_new(names, json_string(name));
	text = json_write(r->arena, names);
	json_decref(names);
	return text;
}

bool config_store_erase(struct req *r, const struct uuid *owner, struct err *e)
{
	struct db_rows *rows;

	return req_run(r, Q_SECRET_ERASE, DB_ARGS(db_uuid(owner)), &rows, e);
}
