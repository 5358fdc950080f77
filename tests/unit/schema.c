#include "config.h"

#include "tests/unit/unit.h"

#include "lib/json/schema.h"
#include "lib/base/poison.h"

#define TEXT_MAX (64 * 1024)

static const char *const colours[] = { "red", "green", NULL };
static const struct field inner_fields[] = { { .name = "id", .kind = SHAPE_SLUG }, { 0 } };
static const struct shape inner = { "Inner", inner_fields, false };
static const struct shape *const forms[] = { &inner, NULL };

#define NULL_OR SHAPE_NULLABLE

/* Each kind as it is taken (all bounds that are held) and as it is given (only what is stated). */
static const struct {
	const char *name;
	struct field field;
	const char *taken, *given;
} rows[] = {
	{ "text",
	  { .kind = SHAPE_TEXT },
	  "{'type':'string','maxLength':200}",
	  "{'type':'string'}" },
	{ "text with bounds",
	  { .kind = SHAPE_TEXT, .min = 2, .max = 20 },
	  "{'type':'string','minLength':2,'maxLength':20}",
	  "{'type':'string','minLength':2,'maxLength':20}" },
	{ "a required line is not blank",
	  { .kind = SHAPE_LINE, .flags = SHAPE_REQUIRED },
	  "{'type':'string','minLength':1,'maxLength':200}",
	  "{'type':'string'}" },
	{ "null beside a text",
	  { .kind = SHAPE_LINE, .flags = NULL_OR },
	  "{'type':['string','null'],'maxLength':200}",
	  "{'type':['string','null']}" },
	{ "choice",
	  { .kind = SHAPE_CHOICE, .choices = colours, .flags = SHAPE_REQUIRED },
	  "{'type':'string','enum':['red','green']}",
	  "{'type':'string','enum':['red','green']}" },
	{ "null beside choices",
	  { .kind = SHAPE_CHOICE, .choices = colours, .flags = NULL_OR },
	  "{'type':['string','null'],'enum':['red','green',null]}",
	  "{'type':['string','null'],'enum':['red','green',null]}" },
	{ "integer",
	  { .kind = SHAPE_INTEGER },
	  "{'type':'integer','format':'int64'}",
	  "{'type':'integer','format':'int64'}" },
	{ "integer in a range, with a default",
	  { .kind = SHAPE_INTEGER, .min = 1, .max = 10, .fallback = "5" },
	  "{'type':'integer','format':'int64','minimum':1,'maximum':10,'default':5}",
	  "{'type':'integer','format':'int64','minimum':1,'maximum':10,'default':5}" },
	{ "a range that goes on for ever",
	  { .kind = SHAPE_INTEGER, .min = 5 },
	  "{'type':'integer','format':'int64','minimum':5}",
	  "{'type':'integer','format':'int64','minimum':5}" },
	{ "a range up to the greatest integer",
	  { .kind = SHAPE_INTEGER, .max = INT64_MAX },
	  "{'type':'integer','format':'int64','minimum':0}",
	  "{'type':'integer','format':'int64','minimum':0}" },
	{ "a range up to zero",
	  { .kind = SHAPE_NUMBER, .min = -1 },
	  "{'type':'number','minimum':-1,'maximum':0}",
	  "{'type':'number','minimum':-1,'maximum':0}" },
	{ "number",
	  { .kind = SHAPE_NUMBER, .max = 5, .flags = NULL_OR },
	  "{'type':['number','null'],'minimum':0,'maximum':5}",
	  "{'type':['number','null'],'minimum':0,'maximum':5}" },
	{ "boolean",
	  { .kind = SHAPE_BOOLEAN, .fallback = "true", .help = "Say \"yes\"" },
	  "{'type':'boolean','description':'Say \\\"yes\\\"','default':true}",
	  "{'type':'boolean','description':'Say \\\"yes\\\"','default':true}" },
	{ "uuid",
	  { .kind = SHAPE_UUID, .flags = SHAPE_REQUIRED },
	  "{'type':'string','format':'uuid'}",
	  "{'type':'string','format':'uuid'}" },
	{ "time",
	  { .kind = SHAPE_TIME, .flags = NULL_OR },
	  "{'type':['string','null'],'format':'date-time'}",
	  "{'type':['string','null'],'format':'date-time'}" },
	{ "email",
	  { .kind = SHAPE_EMAIL },
	  "{'type':'string','format':'email','maxLength':254}",
	  "{'type':'string','format':'email'}" },
	{ "url",
	  { .kind = SHAPE_URL },
	  "{'type':'string','format':'uri','maxLength':2048}",
	  "{'type':'string','format':'uri'}" },
	{ "password",
	  { .kind = SHAPE_PASSWORD, .flags = SHAPE_SECRET | SHAPE_REQUIRED },
	  "{'type':'string','format':'password','minLength':12,'maxLength':128,'writeOnly':true}",
	  "{'type':'string','format':'password'}" },
	{ "slug",
	  { .kind = SHAPE_SLUG, .max = 9 },
	  "{'type':'string','pattern':'^[A-Za-z0-9][A-Za-z0-9._-]*$','maxLength':9}",
	  "{'type':'string','pattern':'^[A-Za-z0-9][A-Za-z0-9._-]*$','maxLength':9}" },
	{ "object",
	  { .kind = SHAPE_OBJECT, .of = &inner },
	  "{'$ref':'#/components/schemas/Inner'}",
	  "{'$ref':'#/components/schemas/Inner'}" },
	{ "null beside an object",
	  { .kind = SHAPE_OBJECT, .of = &inner, .flags = NULL_OR, .help = "Of it" },
	  "{'anyOf':[{'$ref':'#/components/schemas/Inner'},{'type':'null'}],'description':'Of it'}",
	  "{'anyOf':[{'$ref':'#/components/schemas/Inner'},{'type':'null'}],'description':'Of "
	  "it'}" },
	{ "list of objects",
	  { .kind = SHAPE_LIST, .of = &inner, .min = 1, .max = 3 },
	  "{'type':'array','minItems':1,'maxItems':3,"
	  "'items':{'$ref':'#/components/schemas/Inner'}}",
	  "{'type':'array','minItems':1,'maxItems':3,"
	  "'items':{'$ref':'#/components/schemas/Inner'}}" },
	{ "list of lines",
	  { .kind = SHAPE_LIST, .item = SHAPE_LINE },
	  "{'type':'array','maxItems':100,'items':{'type':'string','maxLength':2000}}",
	  "{'type':'array','items':{'type':'string'}}" },
	{ "list of choices",
	  { .kind = SHAPE_LIST, .item = SHAPE_CHOICE, .choices = colours, .flags = NULL_OR },
	  "{'type':['array','null'],'maxItems':100,"
	  "'items':{'type':'string','enum':['red','green']}}",
	  "{'type':['array','null'],'items':{'type':'string','enum':['red','green']}}" },
	{ "map of lines",
	  { .kind = SHAPE_MAP, .item = SHAPE_LINE, .max = 5 },
	  "{'type':'object','maxProperties':5,'propertyNames':{'maxLength':200},"
	  "'additionalProperties':{'type':'string','maxLength':2000}}",
	  "{'type':'object','maxProperties':5,'additionalProperties':{'type':'string'}}" },
	{ "map of anything",
	  { .kind = SHAPE_MAP },
	  "{'type':'object','maxProperties':100,'propertyNames':{'maxLength':200},"
	  "'additionalProperties':{}}",
	  "{'type':'object','additionalProperties':{}}" },
	{ "map of several forms, or of others",
	  { .kind = SHAPE_MAP, .forms = forms },
	  "{'type':'object','maxProperties':100,'propertyNames':{'maxLength':200},"
	  "'additionalProperties':{},'anyOf':[{'$ref':'#/components/schemas/Inner'},{}]}",
	  "{'type':'object','additionalProperties':{},"
	  "'anyOf':[{'$ref':'#/components/schemas/Inner'},{}]}" },
	{ "any",
	  { .kind = SHAPE_ANY, .help = "All" },
	  "{'description':'All'}",
	  "{'description':'All'}" },
	{ "a secret that may be anything",
	  { .kind = SHAPE_ANY, .flags = SHAPE_SECRET },
	  "{'writeOnly':true}",
	  "{}" },
	{ "set by the service",
	  { .kind = SHAPE_TIME, .flags = SHAPE_READ_ONLY },
	  "{'type':'string','format':'date-time','readOnly':true}",
	  "{'type':'string','format':'date-time','readOnly':true}" },
};

/* Apostrophes stand for quotes in the tables here. */
static const char *quoted(const char *text, char *out)
{
	size_t n = 0;

	for (; *text; text++)
		out[n++] = *text == '\'' ? '"' : *text;
	out[n] = '\0';
	return out;
}

static void field_check(const char *name, const struct field *f, enum schema_way way,
                        const char *wanted)
{
	char text[2000];
	struct buf b;

	buf_init(&b, TEXT_MAX);
	schema_field(f, way, &b);
	if (!str_eq_text(buf_view(&b), quoted(wanted, text)))
		fail_msg("row %s: %s, not %s", name, b.p, text);
	buf_free(&b);
}

static void each_kind_has_its_schema(void **state)
{
	bool seen[SHAPE__MAX] = { [SHAPE_UNSET] = true };

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++) {
		field_check(rows[i].name, &rows[i].field, SCHEMA_TAKEN, rows[i].taken);
		field_check(rows[i].name, &rows[i].field, SCHEMA_GIVEN, rows[i].given);
		seen[rows[i].field.kind] = true;
	}
	for (int kind = 0; kind < SHAPE__MAX; kind++)
		row_check(shape_kind_name(kind), seen[kind]);
}

static const struct field whole_fields[] = {
	{ .name = "name", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED },
	{ .name = "made", .kind = SHAPE_BOOLEAN, .flags = SHAPE_REQUIRED | SHAPE_READ_ONLY },
	{ .name = "note", .kind = SHAPE_BOOLEAN },
	{ 0 },
};
static const struct shape whole = { "Whole", whole_fields, false };
static const struct shape open_shape = { "Open", inner_fields, true };

static void shape_check_text_of(const struct shape *s, enum schema_way way, const char *wanted)
{
	char text[2000];
	struct buf b;

	buf_init(&b, TEXT_MAX);
	schema_shape(s, way, &b);
	assert_string_equal(b.p, quoted(wanted, text));
	buf_free(&b);
}

#define WHOLE                                                                                      \
	"{'type':'object','properties':{'name':{'type':'boolean'},"                                \
	"'made':{'type':'boolean','readOnly':true},'note':{'type':'boolean'}},"

static void what_the_service_sets_is_required_in_answers_only(void **state)
{
	(void)state;
	shape_check_text_of(&whole, SCHEMA_TAKEN,
	                    WHOLE "'required':['name'],'additionalProperties':false}");
	shape_check_text_of(&whole, SCHEMA_GIVEN,
	                    WHOLE "'required':['name','made'],'additionalProperties':false}");
}

static void an_open_shape_takes_other_members(void **state)
{
	(void)state;
	shape_check_text_of(&open_shape, SCHEMA_GIVEN,
	                    "{'type':'object','properties':{'id':{'type':'string',"
	                    "'pattern':'^[A-Za-z0-9][A-Za-z0-9._-]*$'}},"
	                    "'additionalProperties':true}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST("each kind of field has its schema", each_kind_has_its_schema),
		TEST("what the service sets is required in answers only",
		     what_the_service_sets_is_required_in_answers_only),
		TEST("an open shape takes other members", an_open_shape_takes_other_members),
	};

	return cmocka_run_group_tests_name("schema", tests, NULL, NULL);
}
