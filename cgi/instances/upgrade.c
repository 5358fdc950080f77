/* upgrade - moving an installation to another published version, knowing what breaks */
#include "config.h"

#include <string.h>

#include "cgi/instances/instances.h"
#include "cgi/part/config_form.h"
#include "cgi/part/config_store.h"
#include "cgi/part/stream.h"
#include "engine/configuration.h"
#include "engine/definition.h"
#include "engine/release.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define NOTES_MAX 20000

static const struct field query_fields[] = {
	{ .name = "version",
	  .kind = SHAPE_LINE,
	  .max = RELEASE_VERSION_MAX,
	  .help = "A published version; without it the one that is offered" },
	{ .name = NULL },
};
const struct shape instance_upgrade_query = { .name = "UpgradeQuery", .fields = query_fields };

static const struct field breaking_fields[] = {
	{ .name = "code", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "sentence", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 1000 },
	{ .name = NULL },
};
static const struct shape breaking_doc = { .name = "BreakingChange", .fields = breaking_fields };

static const struct field doc_fields[] = {
	{ .name = "instanceId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "from", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "to", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "isOlder",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "By SemVer's precedence: it goes back" },
	{ .name = "releaseNotes", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = NOTES_MAX },
	{ .name = "publishedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },
	{ .name = "breaking",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 1000,
	  .of = &breaking_doc },
	{ .name = "newConfigFields",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &SHAPE_CONFIG_FIELD },
	{ .name = "removedConfigFields",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .item = SHAPE_LINE },
	{ .name = "addressChanges",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "Requests go elsewhere afterwards: secrets have to be entered again" },
	{ .name = "hosts", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .item = SHAPE_LINE },
	{ .name = "isOffered",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "The marketplace shows this collector" },
	{ .name = "versions",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .item = SHAPE_LINE,
	  .help = "Published versions other than this one, newest first" },
	{ .name = NULL },
};
const struct shape instance_upgrade_doc = { .name = "UpgradePreview", .fields = doc_fields };

static const struct field in_fields[] = {
	{ .name = "version", .kind = SHAPE_LINE, .max = RELEASE_VERSION_MAX },
	{ .name = "tenantConfig",
	  .kind = SHAPE_MAP,
	  .flags = SHAPE_SECRET,
	  .max = 50,
	  .label = "Configuration",
	  .help = "What you leave as it is stays" },
	{ .name = "acceptBreaking",
	  .kind = SHAPE_BOOLEAN,
	  .fallback = "false",
	  .label = "Go on although something breaks",
	  .help = "Go on although something breaks" },
	{ .name = NULL },
};
const struct shape instance_upgrade_in = { .name = "UpgradeRequest", .fields = in_fields };

static void forget(void *json)
{
	json_decref(json);
}

/* From where to where; texts are borrowed from rows. */
struct upgrade {
	const struct db_rows *rows;
	const char *from, *to;
	const json_t *old_source, *new_source; /* data sources */
	json_t *plain;
	json_t *breaking;
};

/* NULL when there is none. */
static const json_t *field_find(const json_t *data_source, const char *name)
{
	const json_t *field;
	size_t i;

	json_array_foreach(json_object_get(data_source, "configFields"), i, field)
	{
		if (str_eq_text(str_of(json_text(field, "name", "")), name))
			return field;
	}
	return NULL;
}

static bool has_field(const json_t *data_source, const char *name)
{
	return field_find(data_source, name) != NULL;
}

/* What would be said of a value that cannot go along; NULL: it can. */
static const char *erased_why(const json_t *field, const json_t *follower)
{
	if (!follower)
		return "has no such field";
	if (config_field_is_secret(field) == config_field_is_secret(follower))
		return NULL;
	return config_field_is_secret(follower) ? "keeps it sealed, so enter it again"
	                                        : "does not keep it sealed, so enter it again";
}

/* What is filled in and has no place in the other version is erased, and no version brings it back. */
static bool erased_add(struct req *r, struct upgrade *u, struct err *e)
{
	json_t *secrets, *one;
	const json_t *field;
	const char *name, *why;
	size_t i;

	if (!json_read(r->arena, db_get(u->rows, 0, 11), &secrets, e))
		return false;
	json_array_foreach(json_object_get(u->old_source, "configFields"), i, field)
	{
		name = json_text(field, "name", "");
		why = erased_why(field, field_find(u->new_source, name));
		if (!why || !(json_object_get(u->plain, name) || json_object_get(secrets, name)))
			continue;
		one = json_pack("{s:s,s:s,s:o}", "code", "value_erased", "name", name, "sentence",
		                json_sprintf("The value of %s is erased: version %s %s. Going back "
		                             "does not bring it back.",
		                             name, u->to, why));
		if (!one || json_array_append_new(u->breaking, one) != 0)
			return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
			               "There is not enough memory.");
	}
	return true;
}

static bool upgrade_read(struct req *r, const char *version, struct upgrade *u, struct err *e)
{
	json_t *old_document, *new_document;
	struct db_rows *rows;

	if (!req_run(r, Q_INSTANCE_RELEASES, DB_ARGS(db_uuid(&r->params[0]), db_text(version)),
	             &rows, e))
		return false;
	if (db_count(rows) == 0)
		return part_instance_missing(r, e);
	u->rows = rows;
	u->from = db_get(rows, 0, 0).p;
	u->to = db_get(rows, 0, 1).p;
	if (u->to == NULL) {
		err_set(e, ERR_INPUT, "version_unknown",
		        "This collector has no such version; its page in the marketplace lists "
		        "them.");
		return err_at(e, r->method == M_GET ? "version" : "/version");
	}
	if (!json_read(r->arena, db_get(rows, 0, 2), &old_document, e) ||
	    !json_read(r->arena, db_get(rows, 0, 3), &new_document, e) ||
	    !json_read(r->arena, db_get(rows, 0, 4), &u->plain, e))
		return false;
	u->old_source = json_object_get(old_document, "dataSource");
	u->new_source = json_object_get(new_document, "dataSource");
	u->breaking = release_breaking(r->arena, old_document, new_document);
	return erased_add(r, u, e);
}

static bool goes_back(const struct upgrade *u)
{
	struct release_version from, to;

	return release_version_read(str_of(u->from), &from) &&
	       release_version_read(str_of(u->to), &to) && release_version_compare(&to, &from) < 0;
}

/* The config fields of one data source that the other lacks; whole ones, or their names. */
static void fields_add(struct req *r, struct buf *b, const json_t *of, const json_t *lacking,
                       bool names)
{
	const json_t *field;
	size_t i, n = 0;

	buf_char(b, '[');
	json_array_foreach(json_object_get(of, "configFields"), i, field)
	{
		if (has_field(lacking, json_text(field, "name", "")))
			continue;
		if (n++ > 0)
			buf_char(b, ',');
		if (names)
			buf_json_string(b, str_of(json_text(field, "name", "")));
		else
			buf_str(b, json_write(r->arena, field));
	}
	buf_char(b, ']');
}

static struct str preview(struct req *r, const struct upgrade *u)
{
	bool moves = config_store_moves(r->arena, u->old_source, u->plain, u->new_source, u->plain);
	char id[UUID_TEXT_MAX];
	struct str out;
	struct buf b;

	buf_init(&b, 4 * 1024 * 1024);
	buf_printf(&b, "{\"instanceId\":\"%s\",\"from\":", uuid_format(&r->params[0], id));
	buf_json_string(&b, str_of(u->from));
	buf_text(&b, ",\"to\":");
	buf_json_string(&b, str_of(u->to));
	buf_printf(&b, ",\"isOlder\":%s,\"releaseNotes\":", goes_back(u) ? "true" : "false");
	buf_json_string(&b, db_get(u->rows, 0, 5));
	buf_printf(&b, ",\"publishedAt\":\"%s\",\"breaking\":", db_get(u->rows, 0, 6).p);
	buf_str(&b, json_write(r->arena, u->breaking));
	buf_text(&b, ",\"newConfigFields\":");
	fields_add(r, &b, u->new_source, u->old_source, false);
	buf_text(&b, ",\"removedConfigFields\":");
	fields_add(r, &b, u->old_source, u->new_source, true);
	buf_printf(&b, ",\"addressChanges\":%s,\"hosts\":%s,\"isOffered\":%s,\"versions\":%s}",
	           moves && u->old_source != u->new_source ? "true" : "false",
	           db_get(u->rows, 0, 8).p, db_get_bool(u->rows, 0, 12) ? "true" : "false",
	           db_get(u->rows, 0, 10).p);
	out = b.failed ? (struct str){ NULL, 0 } : arena_copy(r->arena, buf_view(&b));
	buf_free(&b);
	return out;
}

bool instance_upgrade_preview(struct req *r, struct err *e)
{
	struct upgrade u;
	struct str json;

	if (!upgrade_read(r, json_text(r->query, "version", NULL), &u, e))
		return false;
	json = preview(r, &u);
	return json.p ? reply_json(r, json, e)
	              : err_set(e, ERR_TOO_LARGE, "answer_too_large", "This answer is too large.");
}

static bool is_none(const struct upgrade *u)
{
	return strcmp(u->from, u->to) == 0;
}

/* Fields that have to be filled in: new ones, and all when secrets must be entered again. */
static const json_t *fields_asked(struct req *r, const struct upgrade *u)
{
	const json_t *all = json_object_get(u->new_source, "configFields"), *field;
	json_t *asked = json_array();
	size_t i;

	arena_defer(r->arena, forget, asked);
	if (config_store_moves(r->arena, u->old_source, u->plain, u->new_source, u->plain))
		return all;
	json_array_foreach(all, i, field)
	{
		if (!has_field(u->old_source, json_text(field, "name", "")))
			json_array_append(asked, (json_t *)field);
	}
	return asked;
}

static void upgrade_form(struct req *r, const struct upgrade *u)
{
	static const char *const sure[] = { "/acceptBreaking", NULL };
	static const char *const breaks[] = { NULL };
	static const char *const sure_config[] = { "/acceptBreaking", "/tenantConfig", NULL };
	static const char *const breaks_config[] = { "/tenantConfig", NULL };
	static const char *const carried[] = { "/version", NULL };
	const json_t *asked = fields_asked(r, u);
	bool broken = json_array_size(u->breaking) > 0, config = json_array_size(asked) > 0;
	json_t *values = json_pack("{s:s,s:O}", "version", u->to, "tenantConfig", u->plain);
	struct form form = {
		.shape = &instance_upgrade_in,
		.values = values,
		.action = arena_printf(r->arena, "/collector-instances/%s/upgrade", r->texts[0]),
		.submit = arena_printf(r->arena, goes_back(u) ? "Go back to %s" : "Upgrade to %s",
		                       u->to),
		.hidden =
			broken ? (config ? breaks : breaks_config) : (config ? sure : sure_config),
		.carried = carried,
		.version = db_get_int(u->rows, 0, 9),
	};

	arena_defer(r->arena, forget, values);
	config_form_add(r, &form, "/tenantConfig", asked, NULL);
	req_form(r, &form);
}

bool instance_upgrade_page(struct req *r, struct err *e)
{
	struct upgrade u;
	struct str json;

	if (!upgrade_read(r, json_text(req_sent(r) ? req_sent(r) : r->query, "version", NULL), &u,
	                  e))
		return false;
	if (!is_none(&u))
		upgrade_form(r, &u);
	json = preview(r, &u);
	return json.p ? reply_json(r, json, e)
	              : err_set(e, ERR_TOO_LARGE, "answer_too_large", "This answer is too large.");
}

/* A conflict that lists what would break; each can be accepted, or mended by config. */
static bool breaking_check(struct req *r, const struct upgrade *u, struct err *e)
{
	const json_t *one;
	size_t i;

	if (json_array_size(u->breaking) == 0 || json_flag(r->body, "acceptBreaking", false))
		return true;
	if (req_is_page(r)) /* whose list of what breaks stands above the form */
		return problem_add(r->problems, "/acceptBreaking", "breaking_changes",
		                   "Version %s breaks what %s did. Tick this to go on.", u->to,
		                   u->from) ||
		       problems_none(r->problems, e);
	json_array_foreach(u->breaking, i, one)
		problem_add(r->problems, arena_printf(r->arena, "/breaking/%zu", i),
	                    json_text(one, "code", "breaking"), "%s",
	                    json_text(one, "sentence", "Something breaks."));
	return err_set(e, ERR_CONFLICT, "breaking_changes",
	               "Version %s breaks what %s did. Look at what changes, then repeat with "
	               "acceptBreaking true.",
	               u->to, u->from);
}

/* A run goes on with the version that it began with, but with the config of now. */
static bool idle_check(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_INSTANCE_LIVE, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	return db_get_int(rows, 0, 0) == 0 ||
	       err_set(e, ERR_CONFLICT, "instance_running",
	               "A run is under way. Wait until it has ended, or cancel it, then upgrade.");
}

static bool upgrade_write(struct req *r, const struct upgrade *u, struct err *e)
{
	const struct config_change change = {
		.owner = &r->params[0],
		.data_source = u->new_source,
		.old_data_source = u->old_source,
		.old_plain = u->plain,
		.values = json_object_get(r->body, "tenantConfig"),
		.at = "/tenantConfig",
		.merge = true,
	};
	struct db_rows *rows;
	struct str plain;

	return config_store_write(r, &change, &plain, e) &&
	       req_run(r, Q_INSTANCE_UPGRADE,
	               DB_ARGS(db_uuid(&r->params[0]), db_text(u->to), db_str(plain)), &rows, e) &&
	       req_run(r, Q_INSTANCE_RESUME, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       req_run(r, Q_INSTANCE_UPGRADED,
	               DB_ARGS(db_uuid(&r->params[0]), db_text(u->from), db_text(u->to),
	                       db_str(json_write(r->arena, u->breaking))),
	               &rows, e);
}

bool instance_upgrade(struct req *r, struct err *e)
{
	struct instance_locked i;
	struct upgrade u;

	return instance_lock(r, &i, e) &&
	       upgrade_read(r, json_text(r->body, "version", NULL), &u, e) && idle_check(r, e) &&
	       breaking_check(r, &u, e) && upgrade_write(r, &u, e) && instance_get(r, e);
}
