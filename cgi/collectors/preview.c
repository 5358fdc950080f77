/* preview - what publishing now would change and break, against the latest version */
#include "config.h"

#include "cgi/collectors/collectors.h"
#include "engine/definition.h"
#include "engine/release.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define PREVIEW_MAX (2 * 1024 * 1024)

static const struct field change_fields[] = {
	{ .name = "code", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "sentence", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 1000 },
	{ .name = NULL },
};
static const struct shape change_doc = { .name = "ReleaseChange", .fields = change_fields };

static const struct field problem_fields[] = {
	{ .name = "pointer",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .max = 1000,
	  .help = "Into {\"collector\",\"dataSource\"}" },
	{ .name = "code", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "detail", .kind = SHAPE_TEXT, .flags = SHAPE_REQUIRED, .max = 1000 },
	{ .name = NULL },
};
static const struct shape problem_doc = { .name = "ReleaseProblem", .fields = problem_fields };

static const struct field doc_fields[] = {
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "from",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,
	  .help = "The published version that is offered; null: this would be the first" },
	{ .name = "suggestedVersion",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .help = "By SemVer, from what changes" },
	{ .name = "isPublishable",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "False: problems says why" },
	{ .name = "problems",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = PROBLEMS_MAX,
	  .of = &problem_doc },
	{ .name = "changes",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 10000,
	  .of = &change_doc,
	  .help = "All that differs; none for the first version" },
	{ .name = "breaking",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 10000,
	  .of = &change_doc,
	  .help = "What breaks for who has installed it" },
	{ .name = "hosts",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .item = SHAPE_LINE,
	  .help = "Whom it contacts; none: the installing workspace's own address" },
	{ .name = "installs",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .max = INT64_MAX,
	  .help = "How many have it; each stays on its version until it upgrades" },
	{ .name = "needsReview",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "It would wait for approval before it is listed" },
	{ .name = "staysDelisted",
	  .kind = SHAPE_BOOLEAN,
	  .flags = SHAPE_REQUIRED,
	  .help = "It was taken off the marketplace, and publishing does not put it back" },
	{ .name = "version",
	  .kind = SHAPE_INTEGER,
	  .flags = SHAPE_REQUIRED,
	  .help = "Of the draft, for If-Match" },
	{ .name = NULL },
};
const struct shape collector_preview_doc = { .name = "PublishPreview", .fields = doc_fields };

/* Two documents, compared. */
struct preview {
	const struct db_rows *rows;
	const char *from;   /* what is offered; NULL: this would be the first */
	const char *latest; /* what was published last */
	json_t *document;
	struct str changes, breaking;
	bool breaks;
	struct problems *problems;
};

static bool compare(struct req *r, struct preview *p, struct err *e)
{
	json_t *old, *breaking;

	p->changes = p->breaking = STR("[]");
	if (db_get(p->rows, 0, 3).p == NULL)
		return true;
	if (!json_read(r->arena, db_get(p->rows, 0, 3), &old, e))
		return false;
	breaking = release_breaking(r->arena, old, p->document);
	p->breaks = json_array_size(breaking) > 0;
	p->breaking = json_write(r->arena, breaking);
	p->changes = json_write(r->arena, release_changes(r->arena, old, p->document));
	return true;
}

/* As publishing judges it. */
static void judge(struct req *r, struct preview *p)
{
	const json_t *data_source = json_object_get(p->document, "dataSource");
	json_t *pipelines = json_object_get(json_object_get(p->document, "collector"), "pipelines");

	p->problems = problems_new(r->arena);
	if (definition_check_data_source(data_source, "/dataSource", p->problems))
		definition_check_pipelines(r->arena, data_source, pipelines, "/collector/pipelines",
		                           p->problems);
}

static void problems_write(const struct problems *ps, struct buf *b)
{
	for (size_t i = 0; i < ps->count && i < PROBLEMS_MAX; i++) {
		buf_text(b, i > 0 ? ",{\"pointer\":" : "{\"pointer\":");
		buf_json_string(b, str_of(ps->list[i].pointer));
		buf_text(b, ",\"code\":");
		buf_json_string(b, str_of(ps->list[i].slug));
		buf_text(b, ",\"detail\":");
		buf_json_string(b, str_of(ps->list[i].msg));
		buf_char(b, '}');
	}
}

static struct str write(struct req *r, const struct preview *p)
{
	bool review =
		conf_flag(r->app->conf, "REQUIRE_REVIEW", false) || db_get_bool(p->rows, 0, 6);
	char id[UUID_TEXT_MAX];
	struct str out;
	struct buf b;

	buf_init(&b, PREVIEW_MAX);
	buf_printf(&b, "{\"id\":\"%s\",\"from\":", uuid_format(&r->params[0], id));
	if (p->from)
		buf_json_string(&b, str_of(p->from));
	else
		buf_text(&b, "null");
	buf_text(&b, ",\"suggestedVersion\":");
	buf_json_string(&b, str_of(release_version_next(r->arena, p->latest, p->breaks)));
	buf_printf(&b, ",\"isPublishable\":%s,\"problems\":[",
	           p->problems->count == 0 ? "true" : "false");
	problems_write(p->problems, &b);
	buf_printf(&b, "],\"changes\":" STR_FMT ",\"breaking\":" STR_FMT ",\"hosts\":" STR_FMT,
	           STR_ARG(p->changes), STR_ARG(p->breaking), STR_ARG(db_get(p->rows, 0, 4)));
	buf_printf(&b,
	           ",\"installs\":%lld,\"needsReview\":%s,\"staysDelisted\":%s,\"version\":%lld}",
	           (long long)db_get_int(p->rows, 0, 5), review ? "true" : "false",
	           db_get_bool(p->rows, 0, 7) ? "true" : "false",
	           (long long)db_get_int(p->rows, 0, 0));
	out = b.failed ? (struct str){ NULL, 0 } : arena_copy(r->arena, buf_view(&b));
	buf_free(&b);
	return out;
}

bool collector_preview(struct req *r, struct err *e)
{
	struct preview p = { .from = NULL };
	struct db_rows *rows;
	struct str json;

	if (!req_run_last(r, Q_RELEASE_PREVIEW, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return collector_missing(e);
	p.rows = rows;
	p.from = db_get(rows, 0, 2).p;
	p.latest = db_get(rows, 0, 8).p;
	if (!json_read(r->arena, db_get(rows, 0, 1), &p.document, e) || !compare(r, &p, e))
		return false;
	judge(r, &p);
	json = write(r, &p);
	return json.p ? reply_json(r, json, e)
	              : err_set(e, ERR_TOO_LARGE, "answer_too_large", "This answer is too large.");
}
