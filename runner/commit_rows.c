/*
 * commit_rows - records become arrays of a statement: looked for first, or not, as the job says
 *
 * A statement has at most so many rows and bytes: PostgreSQL unpacks larger arrays into files.
 */
#include "config.h"

#include <inttypes.h>
#include <string.h>

#include "lib/db/queries.h"
#include "runner/commit_rows.h"
#include "lib/base/poison.h"

#define ROWS_MAX  1000
#define BYTES_MAX ((size_t)1024 * 1024)
#define LOOK_MAX                                                                                   \
	((size_t)64 * 1024) /* so few bytes are sent at once, with a look where they are written */
#define CHECKED_MAX 4000

bool rows_is_refusal(const struct err *e)
{
	return strcmp(e->slug, "value_refused") == 0 || strcmp(e->slug, "text_refused") == 0 ||
	       (e->code == ERR_DB && strstr(e->detail, "SQLSTATE 54"));
}

/* ---- making them ---- */

/* The commit's seq and the place in its page make each copy a key of its own. */
static struct str key_appended(const struct rows *rows, const struct record *r, size_t page,
                               size_t i)
{
	return str_of(arena_printf(rows->c->arena, STR_FMT "#%" PRId64 ".%zu", STR_ARG(r->key),
	                           rows->job->seq + 1 + (int64_t)page, i));
}

static void page_rows(struct rows *rows, size_t page)
{
	const struct run_page *p = rows->job->batch.pages[page];
	bool appends = rows->job->strategy == PLAN_APPEND;

	for (size_t i = 0; i < p->count; i++) {
		const struct record *r = &p->records[i];
		struct row *row = &rows->all[rows->count];

		if (r->fate != RECORD_KEEP)
			continue;
		*row = (struct row){ .record = r,
			             .key = r->key,
			             .key_hash = r->key_hash,
			             .page = page,
			             .last = true };
		if (appends) {
			row->key = key_appended(rows, r, page, i);
			row->key_hash = record_key_hash(rows->c->hasher, row->key);
		}
		rows->count++;
	}
}

/* Links the rows of one key; places: twice as many as rows, a power of two. */
static void keys_link(struct rows *rows, struct row **places, size_t n)
{
	for (size_t i = 0; i < rows->count; i++) {
		struct row *row = &rows->all[i], **at = &places[(size_t)row->key_hash & (n - 1)];

		while (*at && ((*at)->key_hash != row->key_hash || !str_eq((*at)->key, row->key)))
			at = at + 1 < places + n ? at + 1 : places;
		row->before = *at;
		if (*at)
			(*at)->last = false;
		*at = row;
	}
}

static bool differ(const struct row *a, const struct row *b)
{
	return memcmp(a->record->hash, b->record->hash, sizeof(a->record->hash)) != 0;
}

/* Of those in the middle nobody hears but the count; when careful, each is written as it came. */
static void order_make(struct rows *rows)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->count; i++)
		if (!rows->all[i].before)
			rows->order[n++] = &rows->all[i];
	rows->opening = n;
	for (size_t i = 0; i < rows->count; i++)
		if (rows->all[i].before && (rows->all[i].last || rows->careful))
			rows->order[n++] = &rows->all[i];
	rows->written = n;
}

/* What the database will not see: it compares the last of a key with the first. */
static void middle_count(struct rows *rows)
{
	for (size_t i = 0; i < rows->count; i++) {
		const struct row *row = &rows->all[i], *first = row;

		if (!row->before)
			continue;
		rows->changed[row->page] += differ(row, row->before);
		while (row->last && first->before)
			first = first->before;
		if (row->last)
			rows->changed[row->page] -= differ(row, first);
	}
}

bool rows_make(struct rows *rows, struct committer *c, const struct job *job, bool careful,
               struct err *e)
{
	size_t most = 0, places = 4, pages = job->batch.count;
	struct row **table;

	*rows = (struct rows){ .c = c, .job = job, .careful = careful };
	for (size_t i = 0; i < pages; i++)
		most += job->batch.pages[i]->count;
	while (places < 2 * most)
		places *= 2;
	rows->all = arena_array(c->arena, most + 1, sizeof(*rows->all));
	rows->order = arena_array(c->arena, most + 1, sizeof(struct row *));
	table = arena_array(c->arena, places, sizeof(struct row *));
	rows->fresh = arena_array(c->arena, pages + 1, sizeof(int64_t));
	rows->changed = arena_array(c->arena, pages + 1, sizeof(int64_t));
	rows->refused = arena_array(c->arena, pages + 1, sizeof(int64_t));
	if (!arena_failed(c->arena)) {
		for (size_t i = 0; i < pages; i++)
			page_rows(rows, i);
		keys_link(rows, table, places);
		order_make(rows);
		if (!careful)
			middle_count(rows);
	}
	return !arena_failed(c->arena) ||
	       err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
}

/* ---- statements ---- */

/* Behind the last row of a statement that begins at from. */
static size_t statement_end(const struct rows *rows, size_t from)
{
	size_t most = from < rows->opening ? rows->opening : rows->written, bytes = 0, to = from;

	if (rows->careful && from >= rows->opening)
		return from + 1;
	if (most - from > ROWS_MAX)
		most = from + ROWS_MAX;
	while (to < most && (to == from || bytes + rows->order[to]->record->bytes.len <= BYTES_MAX))
		bytes += rows->order[to++]->record->bytes.len;
	return to;
}

struct columns {
	struct str *keys, *hashes, *data;
	int64_t *seqs, *key_hashes;
	size_t n;
};

static struct columns columns_of(const struct rows *rows, struct arena *a, size_t from, size_t to)
{
	const size_t room = to - from + 1;
	struct columns k = { .keys = arena_array(a, room, sizeof(struct str)),
		             .hashes = arena_array(a, room, sizeof(struct str)),
		             .data = arena_array(a, room, sizeof(struct str)),
		             .seqs = arena_array(a, room, sizeof(int64_t)),
		             .key_hashes = arena_array(a, room, sizeof(int64_t)) };

	for (size_t i = from; i < to && !arena_failed(a); i++) {
		const struct row *row = rows->order[i];
		const struct record *r = row->record;

		if (row->there || row->refused)
			continue;
		k.keys[k.n] = row->key;
		k.hashes[k.n] = (struct str){ (const char *)r->hash, sizeof(r->hash) };
		k.data[k.n] = r->bytes;
		k.seqs[k.n] = rows->job->seq + 1 + (int64_t)row->page;
		k.key_hashes[k.n++] = row->key_hash;
	}
	return k;
}

/* What follows in a key is looked for: it was just written. */
static bool looks(const struct rows *rows, size_t from)
{
	return from >= rows->opening || !(rows->checked || rows->job->path == WRITE_ALL);
}

static void statement_args(const struct rows *rows, size_t from, size_t to, struct db_arg args[9])
{
	struct arena *a = rows->c->scratch;
	struct columns k;

	arena_reset(a);
	k = columns_of(rows, a, from, to);
	args[0] = db_uuid(&rows->job->stream);
	args[1] = db_int(rows->job->seq + 1);
	args[2] = db_int((int64_t)rows->job->batch.count);
	args[3] = db_bool(looks(rows, from));
	args[4] = db_ints(a, k.seqs, k.n);
	args[5] = db_strs(a, k.keys, k.n);
	args[6] = db_ints(a, k.key_hashes, k.n);
	args[7] = db_byteas(a, k.hashes, k.n);
	args[8] = db_strs(a, k.data, k.n);
}

/* Columns that found no memory hold no rows: the statement would succeed and write nothing. */
static bool scratch_is_whole(const struct rows *rows, struct err *e)
{
	return !arena_failed(rows->c->scratch) ||
	       err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is not enough memory.");
}

static bool range_write(struct rows *rows, size_t from, size_t to, struct err *e)
{
	int64_t fresh[BATCH_PAGES_MAX], changed[BATCH_PAGES_MAX];
	size_t pages = rows->job->batch.count;
	struct db_rows *answer;
	struct db_arg args[9];

	statement_args(rows, from, to, args);
	if (!scratch_is_whole(rows, e) ||
	    !db_run(rows->c->db, Q_RUNNER_PAGE_WRITE, args, 9, rows->c->arena, &answer, e))
		return false;
	db_get_ints(answer, 0, 0, fresh, pages);
	db_get_ints(answer, 0, 1, changed, pages);
	rows->back += db_get_int(answer, 0, 2);
	for (size_t i = 0; i < pages; i++) {
		rows->fresh[i] += fresh[i];
		rows->changed[i] += changed[i];
	}
	return true;
}

static bool range_halve(struct rows *rows, size_t from, size_t to, struct err *e);

static bool range_try(struct rows *rows, size_t from, size_t to, struct err *e)
{
	struct err why = { 0 };

	if (!db_savepoint_begin(rows->c->db, e))
		return false;
	if (range_write(rows, from, to, &why))
		return db_savepoint_release(rows->c->db, e);
	if (!rows_is_refusal(&why)) {
		*e = why;
		return false;
	}
	if (!db_savepoint_undo(rows->c->db, e))
		return false;
	if (to - from > 1)
		return range_halve(rows, from, to, e);
	rows->order[from]->refused = true;
	rows->refused[rows->order[from]->page]++;
	return true;
}

static bool range_halve(struct rows *rows, size_t from, size_t to, struct err *e)
{
	size_t middle = from + (to - from) / 2;

	return range_try(rows, from, middle, e) && range_try(rows, middle, to, e);
}

/* ---- comparing first ---- */

static bool range_check(struct rows *rows, size_t from, size_t to, struct err *e)
{
	struct arena *a = rows->c->scratch;
	struct columns k;
	struct db_rows *answer;

	arena_reset(a);
	k = columns_of(rows, a, from, to);
	if (!scratch_is_whole(rows, e) ||
	    !db_run(rows->c->db, Q_RUNNER_PAGE_DIFFERING,
	            DB_ARGS(db_uuid(&rows->job->stream), db_strs(a, k.keys, k.n),
	                    db_byteas(a, k.hashes, k.n)),
	            rows->c->arena, &answer, e))
		return false;
	for (size_t i = from; i < to; i++)
		rows->order[i]->there = true;
	for (size_t i = 0; i < db_count(answer); i++)
		rows->order[from + (size_t)db_get_int(answer, i, 0) - 1]->there = false;
	return true;
}

/* Of those that open a key only what differs is left. */
static void there_drop(struct rows *rows)
{
	size_t n = 0, opening = 0;

	for (size_t i = 0; i < rows->written; i++)
		if (!rows->order[i]->there) {
			opening += i < rows->opening;
			rows->order[n++] = rows->order[i];
		}
	rows->opening = opening;
	rows->written = n;
	rows->checked = true;
}

static bool rows_check(struct rows *rows, struct err *e)
{
	size_t bytes = 0, to;

	for (size_t i = 0; i < rows->opening; i++)
		bytes += rows->order[i]->record->bytes.len;
	if (rows->job->path != WRITE_CHECK || bytes <= LOOK_MAX || rows->careful)
		return true;
	for (size_t i = 0; i < rows->opening; i = to) {
		to = rows->opening - i > CHECKED_MAX ? i + CHECKED_MAX : rows->opening;
		if (!range_check(rows, i, to, e))
			return false;
	}
	there_drop(rows);
	return true;
}

bool rows_write(struct rows *rows, struct err *e)
{
	size_t to;

	if (!rows_check(rows, e))
		return false;
	while (rows->done < rows->written) {
		to = statement_end(rows, rows->done);
		if (!rows->careful && to == rows->written)
			return true;
		if (!(rows->careful ? range_try : range_write)(rows, rows->done, to, e))
			return false;
		rows->done = to;
	}
	return true;
}

void rows_last(const struct rows *rows, struct db_arg args[9])
{
	statement_args(rows, rows->done, rows->written, args);
}
