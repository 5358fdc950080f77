/* paginate: what the configs of paginators may hold. */
#include "config.h"

#include "engine/paginate_parts.h"

#include "lib/base/poison.h"

/* clang-format off */
static const char *const kind_names[] = { "none", "cursor", "link", "next-url", "page", "offset",
	                                  NULL };

static const char *const places[] = { "query", "body", "template", NULL };
const char *const PAGING_STOPS[] = { "empty-page", "short-page", "http-404", NULL };

static const struct field next_request_fields[] = {
	{ .name = "path", .kind = SHAPE_LINE, .max = 2000,
	  .help = "The path of later pages; by default the function's, with the suffix." },
	{ .name = "pathSuffix", .label = "Path suffix",
	  .kind = SHAPE_LINE, .max = 2000,
	  .help = "What is added to the function's path." },
	{ .name = "method", .kind = SHAPE_CHOICE, .choices = http_method_names,
	  .help = "The method of later pages; by default the function's." },
	{ .name = "body", .kind = SHAPE_MAP, .item = SHAPE_ANY, .max = 200,
	  .help = "The body of later pages; {next} is the cursor." },
	{ .name = NULL }
};
static const struct shape next_request_shape = { "NextRequest", next_request_fields, false };

static const struct field carry_fields[] = {
	{ .name = "path", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED,
	  .help = "Where answers hold the value, or header:X." },
	{ .name = "param", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED,
	  .help = "The parameter that carries it to the next pages." },
	{ .name = NULL }
};
static const struct shape carry_shape = { "CarriedValue", carry_fields, false };

static const struct field sync_fields[] = {
	{ .name = "path", .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED,
	  .help = "Where answers hold the token, or header:X; the last one of a whole run counts." },
	{ .name = "param", .kind = SHAPE_LINE,
	  .help = "The parameter that carries it in the next run. Without it, for links, the token "
	          "is the address where the next run begins." },
	{ .name = NULL }
};
static const struct shape sync_shape = { "SyncToken", sync_fields, false };

#define PAGING_FIELDS                                                                              \
	{ .name = "type", .label = "Kind of pagination",                                           \
	  .kind = SHAPE_CHOICE, .flags = SHAPE_REQUIRED, .choices = kind_names,                    \
	  .help = "How the next page is asked for." },                                             \
	{ .name = "maxPages", .label = "Pages at most",                                            \
	  .kind = SHAPE_INTEGER, .flags = SHAPE_RARE, .min = 1, .max = 1000000,                    \
	  .help = "Stop after this many pages." },                                                 \
	{ .name = "hasMorePath", .label = "Where answers say that more follows",                   \
	  .kind = SHAPE_LINE,                                                                      \
	  .help = "A member of the body, or header:X, that is false on the last page." },          \
	{ .name = "endPath", .label = "Where answers say that this is the end",                    \
	  .kind = SHAPE_LINE, .flags = SHAPE_RARE,                                                 \
	  .help = "A member of the body, or header:X, that is true on the last page." },           \
	{ .name = "stop", .label = "What ends the pages",                                          \
	  .kind = SHAPE_CHOICE, .flags = SHAPE_RARE, .choices = PAGING_STOPS,                      \
	  .help = "What alone ends the pages: one without records, one with fewer than pageSize, " \
	          "or behind the first a status 404." },                                           \
	{ .name = "carry", .label = "Value carried to later pages",                                \
	  .kind = SHAPE_OBJECT, .flags = SHAPE_RARE, .of = &carry_shape,                           \
	  .help = "A value of an answer that all later pages are asked with, beside their "        \
	          "position: a session's id." },                                                   \
	{ .name = "syncToken", .label = "Token for the next run",                                  \
	  .kind = SHAPE_OBJECT, .flags = SHAPE_RARE, .of = &sync_shape,                            \
	  .help = "A token that answers hold and the next run begins with; it is the cursor." },   \
	{ .name = "firstPageOnlyParams", .label = "Parameters of the first page only",             \
	  .kind = SHAPE_LIST, .flags = SHAPE_RARE, .item = SHAPE_LINE, .max = 50,                  \
	  .help = "Parameters that are sent with the first page only." }
#define SIZE_FIELDS                                                                                \
	{ .name = "sizeParam", .label = "Parameter for the page's size",                                  \
	  .kind = SHAPE_LINE, .help = "The parameter for the page's size." },                      \
	{ .name = "pageSize", .label = "Records per page",                                         \
	  .kind = SHAPE_INTEGER, .min = 1, .max = 1000000,                                         \
	  .help = "Records per page." }
#define CURSOR_FIELDS                                                                              \
	{ .name = "cursorPath", .label = "Where answers hold the cursor",                          \
	  .kind = SHAPE_LINE,                                                                      \
	  .help = "The member with the next cursor, or header:X; lastRecord.id reads the last "    \
	          "record, maxRecord.id the greatest." },                                          \
	{ .name = "cursorHeader", .label = "Header with the cursor",                               \
	  .kind = SHAPE_LINE, .flags = SHAPE_RARE,                                                 \
	  .help = "The header with the next cursor." },                                            \
	{ .name = "nextRequest", .label = "Another request for later pages",                       \
	  .kind = SHAPE_OBJECT, .flags = SHAPE_RARE, .of = &next_request_shape,                    \
	  .help = "Later pages are asked for so, with nothing else than what stands here." }
#define LINK_FIELDS                                                                                \
	{ .name = "rel", .label = "Relation of the Link header",                                          \
	  .kind = SHAPE_LINE, .fallback = "next",                                                  \
	  .help = "Relation of the Link header." },                                                \
	{ .name = "require", .label = "Attribute that links need",                                 \
	  .kind = SHAPE_MAP, .flags = SHAPE_RARE, .item = SHAPE_LINE, .min = 1,                    \
	  .max = 1,                                                                                \
	  .help = "The attribute that a link must have to lead on: {\"results\": \"true\"}." },    \
	{ .name = "urlPath", .label = "Where answers hold the link",                               \
	  .kind = SHAPE_LINE, .flags = SHAPE_RARE,                                                 \
	  .help = "The body's member with the next URL, or header:X." }
#define PAGE_FIELDS                                                                                \
	{ .name = "pageParam", .label = "Parameter for the page's number",                                  \
	  .kind = SHAPE_LINE, .fallback = "page",                                                  \
	  .help = "The parameter for the page's number." },                                        \
	{ .name = "firstPage", .label = "First page",                                              \
	  .kind = SHAPE_INTEGER, .min = 0, .max = 1000000, .fallback = "1",                        \
	  .help = "The number of the first page." },                                               \
	{ .name = "totalPagesPath", .label = "Where answers hold the number of pages",             \
	  .kind = SHAPE_LINE,                                                                      \
	  .help = "The member with the number of pages, or header:X." }
#define OFFSET_FIELDS                                                                              \
	{ .name = "offsetParam", .label = "Parameter for the offset",                              \
	  .kind = SHAPE_LINE, .fallback = "offset",                                                \
	  .help = "The parameter for the offset." },                                               \
	{ .name = "limitParam", .label = "Parameter for the page's size",                                 \
	  .kind = SHAPE_LINE, .fallback = "limit",                                                 \
	  .help = "The parameter for the page's size." },                                          \
	{ .name = "firstOffset", .label = "First offset",                                          \
	  .kind = SHAPE_INTEGER, .flags = SHAPE_RARE, .min = 0, .max = 1000000,                    \
	  .fallback = "0", .help = "The first offset." },                                          \
	{ .name = "maxOffset", .label = "Greatest offset",                                         \
	  .kind = SHAPE_INTEGER, .flags = SHAPE_RARE, .min = 1, .max = 1000000000,                 \
	  .help = "The greatest offset that the API takes; beyond it the run is incomplete." }
#define TOTAL_FIELD                                                                                \
	{ .name = "totalPath", .label = "Where answers hold the total",                            \
	  .kind = SHAPE_LINE,                                                                      \
	  .help = "The member with the total of records, or header:X." }
#define CURSOR_PARAM                                                                               \
	{ .name = "cursorParam", .label = "Parameter that carries the cursor",                              \
	  .kind = SHAPE_LINE,                                                                      \
	  .help = "The parameter that carries the cursor." }

#define INJECT_FIELD                                                                               \
	{ .name = "inject", .label = "Where the parameters stand",                                 \
	  .kind = SHAPE_CHOICE, .flags = SHAPE_RARE, .choices = places,                            \
	  .fallback = "query",                                                                     \
	  .help = "Where parameters of the pagination stand that the function does not declare; "  \
	          "in a body a name may lead deeper: variables.after. template: the function's "   \
	          "texts name {offset} or {next} instead." },                                      \
	{ .name = "exclusive", .label = "Send nothing but the position",                           \
	  .kind = SHAPE_BOOLEAN, .flags = SHAPE_RARE, .fallback = "false",                         \
	  .help = "Behind the first page send only the cursor or position, no other parameter." }
#define ORIGINS_FIELD                                                                              \
	{ .name = "allowedOrigins", .label = "Further origins",                                    \
	  .kind = SHAPE_LIST, .flags = SHAPE_RARE, .item = SHAPE_LINE, .max = 10,                  \
	  .help = "Further origins that next links may lead to." }
#define NEXT_URL_FIELDS                                                                            \
	{ .name = "nextUrlPath", .label = "Where answers hold the next address",                   \
	  .kind = SHAPE_LINE,                                                                      \
	  .help = "The member with the address of the next page, or header:X." },                  \
	{ .name = "nextUrlHeader", .label = "Header with the next address",                        \
	  .kind = SHAPE_LINE, .flags = SHAPE_RARE, .max = 100,                                     \
	  .help = "The header with the address of the next page." }

static const struct field none_fields[] = { PAGING_FIELDS, { .name = NULL } };
static const struct field cursor_fields[] = { PAGING_FIELDS, CURSOR_PARAM,
	                                      CURSOR_FIELDS, SIZE_FIELDS, INJECT_FIELD, { .name = NULL } };
static const struct field link_fields[] = { PAGING_FIELDS, LINK_FIELDS, ORIGINS_FIELD,
	                                    { .name = NULL } };
static const struct field next_url_fields[] = { PAGING_FIELDS, NEXT_URL_FIELDS, ORIGINS_FIELD,
	                                        { .name = NULL } };
static const struct field page_fields[] = { PAGING_FIELDS, PAGE_FIELDS, SIZE_FIELDS, TOTAL_FIELD,
	                                    INJECT_FIELD,
	                                    { .name = NULL } };
static const struct field offset_fields[] = { PAGING_FIELDS, OFFSET_FIELDS, TOTAL_FIELD,
	INJECT_FIELD,
	{ .name = "pageSize", .label = "Records per page",
	  .kind = SHAPE_INTEGER, .min = 1, .max = 1000000,
	  .help = "Records per page." },
	{ .name = NULL } };
const struct shape SHAPE_PAGING_NONE = { "NoPagination", none_fields, false };
const struct shape SHAPE_PAGING_CURSOR = { "CursorPagination", cursor_fields, false };
const struct shape SHAPE_PAGING_LINK = { "LinkPagination", link_fields, false };
const struct shape SHAPE_PAGING_NEXT_URL = { "NextUrlPagination", next_url_fields, false };
const struct shape SHAPE_PAGING_PAGE = { "PagePagination", page_fields, false };
const struct shape SHAPE_PAGING_OFFSET = { "OffsetPagination", offset_fields, false };
/* clang-format on */
