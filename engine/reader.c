/* reader: the table of kinds, and the objects they make. */
#include "config.h"

#include "engine/reader_parts.h"
#include "engine/record.h"

#include "lib/base/poison.h"

#define OBJECT_MAX (64 * 1024 * 1024) /* bytes of one written record; the store takes 1 MiB */

const char *const READER_KINDS[] = {
	"list", "single", "map", "columns", "scalars", "arrays", NULL
};

/*
 * The pile
 */

void reader_pile_init(struct reader_pile *pile, struct arena *arena)
{
	*pile = (struct reader_pile){ .arena = arena };
	buf_init(&pile->scratch, OBJECT_MAX);
}

void reader_pile_free(struct reader_pile *pile)
{
	buf_free(&pile->scratch);
}

static bool pile_grow(struct reader_pile *pile)
{
	size_t capacity = pile->capacity == 0 ? 256 : pile->capacity * 2;
	struct scan_value *bigger = arena_array(pile->arena, capacity, sizeof(*bigger));

	pile->full |= bigger == NULL;
	if (bigger == NULL)
		return false;
	if (pile->count > 0)
		memcpy(bigger, pile->list, pile->count * sizeof(*bigger));
	pile->list = bigger;
	pile->capacity = capacity;
	return true;
}

void reader_pile_add(struct reader_pile *pile, struct scan_value value)
{
	if (pile->full || (pile->count == pile->capacity && !pile_grow(pile)))
		return;
	pile->list[pile->count++] = value;
}

void reader_object_open(struct reader_pile *pile)
{
	buf_reset(&pile->scratch);
	buf_char(&pile->scratch, '{');
}

void reader_object_member(struct reader_pile *pile, struct str quoted_name, struct str value)
{
	if (pile->scratch.len > 1)
		buf_char(&pile->scratch, ',');
	buf_str(&pile->scratch, quoted_name);
	buf_char(&pile->scratch, ':');
	buf_str(&pile->scratch, value);
}

void reader_object_text(struct reader_pile *pile, struct str quoted_name, struct str text)
{
	reader_object_member(pile, quoted_name, (struct str){ "", 0 });
	buf_json_string(&pile->scratch, text);
}

void reader_object_close(struct reader_pile *pile)
{
	struct str copy = { NULL, 0 };

	buf_char(&pile->scratch, '}');
	if (!pile->scratch.failed)
		copy = arena_copy(pile->arena, buf_view(&pile->scratch));
	if (copy.p == NULL)
		pile->full = true;
	else
		reader_pile_add(pile, (struct scan_value){ SCAN_OBJECT, copy });
}

bool reader_pile_end(struct reader_pile *pile, struct scan_value **records, size_t *count,
                     struct err *e)
{
	if (pile->full)
		return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
		               "The page has more records than there is memory for; ask for "
		               "smaller pages.");
	*records = pile->list;
	*count = pile->count;
	return true;
}

/*
 * Kinds
 */

struct reading {
	const struct reader *reader;
	struct reader_pile pile;
	struct scan_value body;
	size_t places;
	bool failed;
	struct err *e;
};

struct reader_kind {
	const char *name;
	enum scan_type place; /* what has to stand at the path */
	const char *wanted;   /* the same for a sentence */
	bool takes_columns;
	/* required, but for list: reads the records of one place; false: err is set */
	bool (*read)(struct reading *, struct scan_value place);
};

static bool single_read(struct reading *r, struct scan_value place)
{
	reader_pile_add(&r->pile, place);
	return true;
}

/* A member _key of its own would stand there twice; ours says where the record stood. */
static void map_members(struct reading *r, struct scan_value object)
{
	struct scan_iter it = scan_iter(object);
	struct scan_value value;
	struct str name;

	while (scan_next(&it, &name, &value))
		if (!scan_key_eq(name, STR("_key")))
			reader_object_member(&r->pile, name, value.span);
}

static bool map_read(struct reading *r, struct scan_value place)
{
	struct scan_iter it = scan_iter(place);
	struct scan_value value;
	struct str name;

	while (scan_next(&it, &name, &value)) {
		reader_object_open(&r->pile);
		reader_object_member(&r->pile, STR("\"_key\""), name);
		if (value.type == SCAN_OBJECT)
			map_members(r, value);
		else
			reader_object_member(&r->pile, STR("\"value\""), value.span);
		reader_object_close(&r->pile);
	}
	return true;
}

struct column {
	struct str name; /* with quotes */
	struct scan_iter it;
};

static bool is_named(const struct reader *reader, struct str quoted)
{
	if (reader->columns == NULL)
		return true;
	for (const char *const *c = reader->columns; *c != NULL; c++)
		if (scan_key_eq(quoted, str_of(*c)))
			return true;
	return false;
}

static bool columns_missing(struct reading *r, struct scan_value place)
{
	for (const char *const *c = r->reader->columns; c != NULL && *c != NULL; c++)
		if (scan_member(place, str_of(*c)).type != SCAN_ARRAY)
			return !err_set(r->e, ERR_UPSTREAM, "records_not_found",
			                "The answer has no array \"%.100s\" where the columns of "
			                "the records are.",
			                *c);
	return false;
}

static size_t columns_find(struct reading *r, struct scan_value place, struct column *columns)
{
	struct scan_iter it = scan_iter(place);
	struct scan_value value;
	struct str name;
	size_t n = 0;

	while (n < READER_COLUMNS_MAX && scan_next(&it, &name, &value))
		if (value.type == SCAN_ARRAY && is_named(r->reader, name))
			columns[n++] = (struct column){ name, scan_iter(value) };
	return n;
}

/* One element of each column; *more false: all ended together. */
static bool columns_row(struct reading *r, struct column *columns, size_t n, bool *more)
{
	struct scan_value value;
	struct str none;

	reader_object_open(&r->pile);
	for (size_t i = 0; i < n; i++) {
		bool here = scan_next(&columns[i].it, &none, &value);

		if (i == 0)
			*more = here;
		else if (here != *more)
			return err_set(r->e, ERR_UPSTREAM, "records_uneven",
			               "The columns " STR_FMT " and " STR_FMT
			               " are not equally long, so their elements do not belong "
			               "together.",
			               STR_ARG(columns[0].name), STR_ARG(columns[i].name));
		if (here)
			reader_object_member(&r->pile, columns[i].name, value.span);
	}
	if (*more)
		reader_object_close(&r->pile);
	return true;
}

static bool columns_read(struct reading *r, struct scan_value place)
{
	struct column *columns = arena_array(r->pile.arena, READER_COLUMNS_MAX, sizeof(*columns));
	bool more = true;
	size_t n;

	if (columns == NULL) {
		r->pile.full = true;
		return true;
	}
	if (columns_missing(r, place))
		return false;
	n = columns_find(r, place, columns);
	if (n == 0)
		return err_set(
			r->e, ERR_UPSTREAM, "records_not_found",
			"The object at the records path holds no arrays; columns are arrays.");
	while (more && !r->pile.full)
		if (!columns_row(r, columns, n, &more))
			return false;
	return true;
}

static bool scalars_read(struct reading *r, struct scan_value place)
{
	struct scan_iter it = scan_iter(place);
	struct scan_value value;
	struct str none;

	while (scan_next(&it, &none, &value)) {
		reader_object_open(&r->pile);
		reader_object_member(&r->pile, STR("\"value\""), value.span);
		reader_object_close(&r->pile);
	}
	return true;
}

/* The quoted name of member i of a row, or empty when the columns end before it. */
static struct str row_name(struct reading *r, size_t i)
{
	struct buf quoted;
	struct str name = { NULL, 0 };

	if (r->reader->columns == NULL)
		return str_of(arena_printf(r->pile.arena, "\"%zu\"", i));
	if (r->reader->columns[i] == NULL)
		return name;
	buf_init(&quoted, 4096);
	buf_json_string(&quoted, str_of(r->reader->columns[i]));
	name = arena_copy(r->pile.arena, buf_view(&quoted));
	buf_free(&quoted);
	return name;
}

/* Names are written once for all rows. */
struct row_names {
	struct str list[READER_COLUMNS_MAX];
	size_t count;
};

static bool row_read(struct reading *r, struct row_names *names, struct scan_value row)
{
	struct scan_iter it = scan_iter(row);
	struct scan_value value;
	struct str none;

	reader_object_open(&r->pile);
	for (size_t i = 0; scan_next(&it, &none, &value); i++) {
		if (i == names->count && i < READER_COLUMNS_MAX) {
			names->list[i] = row_name(r, i);
			names->count += names->list[i].len > 0;
		}
		if (i >= names->count)
			return err_set(r->e, ERR_UPSTREAM, "records_uneven",
			               "Row %zu has more values than the %zu that recordsColumns "
			               "names.",
			               r->pile.count + 1, names->count);
		reader_object_member(&r->pile, names->list[i], value.span);
	}
	reader_object_close(&r->pile);
	return true;
}

static bool arrays_read(struct reading *r, struct scan_value place)
{
	struct row_names *names = arena_alloc(r->pile.arena, sizeof(*names));
	struct scan_iter it = scan_iter(place);
	struct scan_value row;
	struct str none;

	r->pile.full |= names == NULL;
	while (!r->pile.full && scan_next(&it, &none, &row)) {
		if (row.type != SCAN_ARRAY)
			return err_set(r->e, ERR_UPSTREAM, "records_not_found",
			               "Row %zu is %s; each row has to be an array.",
			               r->pile.count + 1, record_type_name(row.type));
		if (!row_read(r, names, row)) {
			r->pile.full |= arena_failed(r->pile.arena);
			return r->pile.full;
		}
	}
	return true;
}

static const struct reader_kind kinds[] = {
	{ .name = "list" },
	{ .name = "single", .place = SCAN_OBJECT, .wanted = "one object", .read = single_read },
	{ .name = "map", .place = SCAN_OBJECT, .wanted = "an object of records", .read = map_read },
	{ .name = "columns",
	  .place = SCAN_OBJECT,
	  .wanted = "an object of arrays",
	  .takes_columns = true,
	  .read = columns_read },
	{ .name = "scalars", .place = SCAN_ARRAY, .wanted = "an array", .read = scalars_read },
	{ .name = "arrays",
	  .place = SCAN_ARRAY,
	  .wanted = "an array of arrays",
	  .takes_columns = true,
	  .read = arrays_read },
};

static const struct reader_kind *kind_find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	return &kinds[0];
}

/*
 * Reading
 */

/* Null holds nothing, as in a list. */
static bool place_read(void *arg, struct scan_value place)
{
	struct reading *r = arg;
	const struct reader_kind *kind = r->reader->kind;

	r->places++;
	if (place.type == SCAN_NULL)
		return true;
	if (place.type != kind->place)
		r->failed =
			!record_not_found(r->pile.arena, r->body, place.type, kind->wanted, r->e);
	else
		r->failed = !kind->read(r, place);
	return !r->failed;
}

static bool places_read(struct reading *r)
{
	const struct scan_path *path = r->reader->path;

	if (path == NULL)
		place_read(r, r->body);
	else
		scan_path_each(path, r->body, place_read, r);
	if (r->places == 0 && !scan_path_has_wildcard(path))
		return record_not_found(r->pile.arena, r->body, SCAN_NONE, r->reader->kind->wanted,
		                        r->e);
	return !r->failed;
}

bool reader_records(struct arena *arena, const struct reader *reader, struct scan_value body,
                    struct scan_value **records, size_t *count, struct err *e)
{
	struct reading r = { .reader = reader, .body = body, .e = e };
	bool ok;

	if (reader->kind->read == NULL)
		return record_spans(arena, reader->path, body, records, count, e);
	reader_pile_init(&r.pile, arena);
	ok = places_read(&r) && reader_pile_end(&r.pile, records, count, e);
	reader_pile_free(&r.pile);
	return ok;
}

/*
 * Compiling
 */

static bool columns_compile(struct compile *c, const json_t *function, const char *at,
                            struct reader *reader)
{
	const json_t *columns = json_object_get(function, "recordsColumns"), *name;
	size_t i;

	if (columns == NULL || json_is_null(columns))
		return true;
	if (!reader->kind->takes_columns)
		return problem_add(c->problems, at, "not_used",
		                   "Only records of kind arrays or columns have recordsColumns.");
	reader->columns =
		arena_array(c->arena, json_array_size(columns) + 1, sizeof(*reader->columns));
	if (reader->columns == NULL)
		return compile_no_memory(c);
	json_array_foreach(columns, i, name)
	{
		reader->columns[i] = arena_strdup(c->arena, json_string_value(name));
		for (size_t k = 0; k < i; k++)
			if (strcmp(reader->columns[k], reader->columns[i]) == 0)
				return problem_add(c->problems, json_pointer_index(c->arena, at, i),
				                   "duplicate", "Two columns have this name.");
	}
	return true;
}

static bool format_compile(struct compile *c, const json_t *function, const char *at,
                           struct reader *reader)
{
	const char *name = json_text(function, "bodyFormat", NULL);
	const char *path = json_text(function, "recordsPath", "");

	reader->packed = json_object_get(function, "bodyPacking") != NULL;
	reader->detect = name == NULL && reader->kind == kind_find("list");
	reader->format = name ? reader_format_named(name) : NULL;
	if (reader->format && reader->kind != kind_find("list"))
		return problem_add(c->problems, at, "not_used",
		                   "Lines are records already: leave recordsKind out.");
	if (reader->format == reader_format_named("csv") && reader->format && *path)
		return problem_add(c->problems, at, "not_used",
		                   "Rows of CSV are the records: leave recordsPath out.");
	return true;
}

bool reader_compile(struct compile *c, const json_t *function, const char *at,
                    struct reader *reader)
{
	const char *path_at = compile_at(c, json_pointer_add(c->arena, at, "recordsPath"));
	const char *columns_at = compile_at(c, json_pointer_add(c->arena, at, "recordsColumns"));

	*reader = (struct reader){ .kind = kind_find(json_text(function, "recordsKind", "list")) };
	return compile_path(c, json_text(function, "recordsPath", NULL), path_at, &reader->path) &&
	       columns_compile(c, function, columns_at, reader) &&
	       format_compile(c, function,
	                      compile_at(c, json_pointer_add(c->arena, at, "bodyFormat")), reader);
}
