/* listing - published collectors as everybody sees them */
#include "config.h"

#include "cgi/marketplace/marketplace.h"
#include "engine/auth.h"
#include "engine/definition.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define TEXT_MAX     4000
#define NOTES_MAX    20000
#define VERSIONS_MAX 10000

static const char *const sorts[] = { "relevance", "installs", "rating", "updated",
	                             "newest",    "name",     NULL };

static const struct field query_fields[] = {
	WEB_PAGE_FIELDS,
	{ .name = "q",
	  .kind = SHAPE_LINE,
	  .max = 200,
	  .help = "Beginnings of words in name, description, data source, category, tags, streams "
	          "and publisher" },
	{ .name = "category",
	  .kind = SHAPE_LINE,
	  .max = 100,
	  .help = "Compared by letters and digits: ecommerce finds E-commerce" },
	{ .name = "tag", .kind = SHAPE_LINE, .max = 100 },
	{ .name = "authType",
	  .kind = SHAPE_CHOICE,
	  .choices = AUTH_KIND_NAMES,
	  .help = "How it signs in where it collects" },
	{ .name = "publisher", .kind = SHAPE_LINE, .max = 400, .help = "As listings show it" },
	{ .name = "verified",
	  .kind = SHAPE_BOOLEAN,
	  .help = "Whether the platform has reviewed the version that is listed" },
	{ .name = "sort",
	  .kind = SHAPE_CHOICE,
	  .choices = sorts,
	  .help = "By default relevance with q, else installs" },
	{ .name = NULL },
};
const struct shape listing_list_query = { .name = "CollectorsQuery", .fields = query_fields };

/* What has to be filled in, as Example 5 of the API shows it. */
static const struct field source_fields[] = {
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "requiredConfig",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .of = &SHAPE_CONFIG_FIELD },
	{ .name = NULL },
};
static const struct shape source_doc = { .name = "ListedDataSource", .fields = source_fields };

#define LISTING_FIELDS                                                                             \
	{ .name = "id", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },                             \
		{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },                   \
		{ .name = "description",                                                           \
		  .kind = SHAPE_TEXT,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .max = TEXT_MAX },                                                               \
		{ .name = "publisher",                                                             \
		  .kind = SHAPE_LINE,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .max = 400,                                                                      \
		  .help = "The name of the workspace that published it" },                         \
		{ .name = "rating",                                                                \
		  .kind = SHAPE_NUMBER,                                                            \
		  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,                                        \
		  .max = 5,                                                                        \
		  .help = "The mean of all ratings, to one decimal; null without any" },           \
		{ .name = "ratingCount",                                                           \
		  .kind = SHAPE_INTEGER,                                                           \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .max = INT64_MAX },                                                              \
		{ .name = "installs",                                                              \
		  .kind = SHAPE_INTEGER,                                                           \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .max = INT64_MAX },                                                              \
		{ .name = "dataSource",                                                            \
		  .kind = SHAPE_OBJECT,                                                            \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .of = &source_doc },                                                             \
		{ .name = "version",                                                               \
		  .kind = SHAPE_LINE,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .help = "The latest one" },                                                      \
		{ .name = "category",                                                              \
		  .kind = SHAPE_LINE,                                                              \
		  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE },                                      \
		{ .name = "tags",                                                                  \
		  .kind = SHAPE_LIST,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .item = SHAPE_LINE },                                                            \
		{ .name = "isVerified",                                                            \
		  .kind = SHAPE_BOOLEAN,                                                           \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .help = "The platform has reviewed this version" },                              \
		{ .name = "authType",                                                              \
		  .kind = SHAPE_CHOICE,                                                            \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .choices = AUTH_KIND_NAMES },                                                    \
		{ .name = "publishedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED },            \
	{                                                                                          \
		.name = "updatedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED,                  \
		.help = "When the latest version was published"                                    \
	}

static const struct field listing_fields[] = { LISTING_FIELDS, { .name = NULL } };
static const struct shape listing_doc = { .name = "ListedCollector", .fields = listing_fields };

static const struct field count_fields[] = {
	{ .name = "value",
	  .kind = SHAPE_LINE,
	  .flags = SHAPE_REQUIRED,
	  .max = 400,
	  .help = "As the parameter of this name takes it" },
	{ .name = "count", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED, .max = INT64_MAX },
	{ .name = NULL },
};
static const struct shape count_doc = { .name = "FacetValue", .fields = count_fields };

#define FACET(what)                                                                                \
	{                                                                                          \
		.name = (what), .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .of = &count_doc      \
	}

static const struct field facets_fields[] = {
	FACET("category"), FACET("authType"), FACET("publisher"),
	FACET("verified"), FACET("tag"),      { .name = NULL },
};
static const struct shape facets_doc = { .name = "Facets", .fields = facets_fields };

static const struct field list_fields[] = {
	{ .name = "total",
	  .kind = SHAPE_INTEGER,
	  .max = INT64_MAX,
	  .help = "Of all pages; with the first page" },
	{ .name = "facets",
	  .kind = SHAPE_OBJECT,
	  .of = &facets_doc,
	  .help = "How many fit each value, given all filters but that of its own name; the 50 "
	          "most "
	          "frequent ones, with the first page" },
	{ .name = "collectors",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = 200,
	  .of = &listing_doc },
	WEB_NEXT_FIELD,
	{ .name = NULL },
};
const struct shape listing_list_doc = { .name = "ListedCollectors", .fields = list_fields };

static const struct field stream_fields[] = {
	{ .name = "id", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .help = "The pipeline's" },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "stream", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "strategy", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = NULL },
};
static const struct shape stream_doc = { .name = "ListedStream", .fields = stream_fields };

#define RELEASE_FIELDS                                                                             \
	{ .name = "version", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },                        \
		{ .name = "releaseNotes",                                                          \
		  .kind = SHAPE_TEXT,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .max = NOTES_MAX },                                                              \
		{ .name = "breaking",                                                              \
		  .kind = SHAPE_LIST,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .max = 1000,                                                                     \
		  .item = SHAPE_ANY,                                                               \
		  .help = "What breaks against the version before" },                              \
	{                                                                                          \
		.name = "publishedAt", .kind = SHAPE_TIME, .flags = SHAPE_REQUIRED                 \
	}

#define DETAIL_FIELDS                                                                              \
	{ .name = "configFields",                                                                  \
	  .kind = SHAPE_LIST,                                                                      \
	  .flags = SHAPE_REQUIRED,                                                                 \
	  .of = &SHAPE_CONFIG_FIELD },                                                             \
		{ .name = "streams",                                                               \
		  .kind = SHAPE_LIST,                                                              \
		  .flags = SHAPE_REQUIRED,                                                         \
		  .of = &stream_doc },                                                             \
	{                                                                                          \
		.name = "hosts", .kind = SHAPE_LIST, .flags = SHAPE_REQUIRED, .item = SHAPE_LINE,  \
		.help = "Whom it contacts; none when that is your own address"                     \
	}

static const struct field version_fields[] = { RELEASE_FIELDS, { .name = NULL } };
static const struct shape version_doc = { .name = "ListedReleaseSummary",
	                                  .fields = version_fields };

static const struct field summary_fields[] = {
	{ .name = "average",
	  .kind = SHAPE_NUMBER,
	  .flags = SHAPE_REQUIRED | SHAPE_NULLABLE,
	  .max = 5 },
	{ .name = "count", .kind = SHAPE_INTEGER, .flags = SHAPE_REQUIRED, .max = INT64_MAX },
	{ .name = "stars",
	  .kind = SHAPE_MAP,
	  .flags = SHAPE_REQUIRED,
	  .item = SHAPE_INTEGER,
	  .help = "How many ratings of each number of stars" },
	{ .name = NULL },
};
static const struct shape summary_doc = { .name = "RatingSummary", .fields = summary_fields };

static const struct field detail_fields[] = {
	LISTING_FIELDS,
	DETAIL_FIELDS,
	{ .name = "ratings", .kind = SHAPE_OBJECT, .flags = SHAPE_REQUIRED, .of = &summary_doc },
	{ .name = "versions",
	  .kind = SHAPE_LIST,
	  .flags = SHAPE_REQUIRED,
	  .max = VERSIONS_MAX,
	  .of = &version_doc },
	{ .name = NULL },
};
const struct shape listing_detail_doc = { .name = "ListedCollectorDetail",
	                                  .fields = detail_fields };

static const struct field release_fields[] = {
	{ .name = "collectorId", .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	{ .name = "name", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	{ .name = "publisher", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED, .max = 400 },
	RELEASE_FIELDS,
	DETAIL_FIELDS,
	{ .name = NULL },
};
const struct shape listing_release_doc = { .name = "ListedRelease", .fields = release_fields };

static struct db_arg verified_asked(const struct req *r)
{
	const json_t *flag = json_object_get(r->query, "verified");

	return json_is_boolean(flag) ? db_bool(json_is_true(flag)) : db_null();
}

bool listing_list(struct req *r, struct err *e)
{
	const char *q = json_text(r->query, "q", NULL);
	const char *sort = json_text(r->query, "sort", q != NULL ? "relevance" : "installs");
	struct req_page page;
	struct db_rows *rows;

	/* without words to be relevant to, what is installed most comes first */
	if (q == NULL && str_eq_text(str_of(sort), "relevance"))
		sort = "installs";
	return req_page(r, &page, e) &&
	       req_run_last(r, Q_LISTING_LIST,
	                    DB_ARGS(db_text(page.after), db_int(page.limit), db_text(q),
	                            db_text(json_text(r->query, "category", NULL)),
	                            db_text(json_text(r->query, "tag", NULL)), db_text(sort),
	                            db_text(json_text(r->query, "authType", NULL)),
	                            db_text(json_text(r->query, "publisher", NULL)),
	                            verified_asked(r)),
	                    &rows, e) &&
	       reply_list(r, "collectors", rows, e);
}

bool listing_get(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, Q_LISTING_GET, DB_ARGS(db_uuid(&r->params[0])), &rows, e) &&
	       reply_document(r, rows, e);
}

bool listing_release(struct req *r, struct err *e)
{
	struct db_rows *rows;

	return req_run_last(r, Q_LISTING_RELEASE,
	                    DB_ARGS(db_uuid(&r->params[0]), db_text(r->texts[1])), &rows, e) &&
	       reply_document(r, rows, e);
}
