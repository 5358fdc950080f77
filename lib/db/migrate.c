/*
 * migrate - see migrate.h; first the folder is read, then compared, then applied
 */
#include "config.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/crypt/crypt.h"
#include "lib/db/conn.h"
#include "lib/db/migrate.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

enum { FILES_MAX = 9999, FILE_BYTES_MAX = 16 * 1024 * 1024, ARENA_BYTES_MAX = 256 * 1024 * 1024 };

struct file {
	int number;
	const char *name;  /* NNNN_name.sql */
	struct str text;   /* NUL-terminated */
	struct str sha256; /* hex */
};

struct folder {
	const struct migrate *m;
	struct arena *arena;
	struct file *files; /* files[i] has number i + 1 */
	size_t n;
	size_t applied; /* the first `applied` of them are in the database */
};

/* ---- reading the folder ---- */

static int entry_wanted(const struct dirent *d)
{
	return d->d_name[0] != '.' && str_ends(str_of(d->d_name), ".sql");
}

static bool name_read(const char *name, int *number)
{
	size_t len = strlen(name);
	int64_t n;

	if (len < sizeof("0001_x.sql") - 1 || name[4] != '_' ||
	    !str_int((struct str){ name, 4 }, 1, FILES_MAX, &n))
		return false;
	for (size_t i = 0; i < len - 4; i++)
		if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) &&
		    name[i] != '_')
			return false;
	*number = (int)n;
	return true;
}

static bool file_read_all(FILE *in, struct buf *b)
{
	char chunk[16384];
	size_t n;

	while ((n = fread(chunk, 1, sizeof(chunk), in)) > 0)
		buf_add(b, chunk, n);
	return !ferror(in) && !b->failed;
}

static bool file_load(const struct folder *f, struct file *file, struct err *e)
{
	const char *path = arena_printf(f->arena, "%s/%s", f->m->folder, file->name);
	unsigned char hash[CRYPT_SHA256];
	struct buf b;
	bool ok;
	FILE *in = fopen(path, "re");

	if (!in)
		return err_set(e, ERR_INPUT, "migration_unreadable", "%s cannot be opened: %s.",
		               path, strerror(errno));
	buf_init(&b, FILE_BYTES_MAX);
	ok = file_read_all(in, &b);
	fclose(in);
	if (ok && b.p && memchr(b.p, '\0', b.len))
		ok = false;
	file->text = arena_copy(f->arena, buf_view(&b));
	buf_free(&b);
	if (!ok)
		return err_set(e, ERR_INPUT, "migration_unreadable",
		               "%s cannot be read, or is not a text of at most 16 MiB.", path);
	crypt_sha256(file->text, hash);
	file->sha256 = crypt_hex(f->arena, (struct str){ (const char *)hash, sizeof(hash) });
	return true;
}

static bool number_check(const struct folder *f, size_t i, struct err *e)
{
	const struct file *file = &f->files[i];
	int want = (int)i + 1;

	if (file->number == want)
		return true;
	if (i > 0 && file->number == f->files[i - 1].number)
		return err_set(e, ERR_INPUT, "migration_doubled",
		               "Two migrations have the number %04d: %s and %s; give the newer one "
		               "the next free number.",
		               file->number, f->files[i - 1].name, file->name);
	return err_set(e, ERR_INPUT, "migration_gap",
	               "The migration %04d is missing before %s in %s; put it back, or number "
	               "without gaps from 0001.",
	               want, file->name, f->m->folder);
}

static bool entries_read(struct folder *f, struct dirent **entries, size_t n, struct err *e)
{
	f->files = arena_array(f->arena, n + 1, sizeof(*f->files));
	for (size_t i = 0; i < n; i++) {
		struct file *file = &f->files[i];

		file->name = arena_strdup(f->arena, entries[i]->d_name);
		if (!name_read(file->name, &file->number))
			return err_set(
				e, ERR_INPUT, "migration_name",
				"%s in %s is not named like 0001_what_it_does.sql; rename it.",
				file->name, f->m->folder);
		if (!number_check(f, i, e) || !file_load(f, file, e))
			return false;
		f->n = i + 1;
	}
	return true;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name); /* alphasort would follow the locale */
}

static bool folder_read(struct folder *f, struct err *e)
{
	struct dirent **entries = NULL;
	int n = scandir(f->m->folder, &entries, entry_wanted, by_bytes);
	bool ok;

	if (n < 0)
		return err_set(e, ERR_INPUT, "migration_folder",
		               "The folder of migrations %s cannot be read: %s.", f->m->folder,
		               strerror(errno));
	ok = entries_read(f, entries, (size_t)n, e);
	for (int i = 0; i < n; i++)
		free(entries[i]);
	free(entries);
	return ok;
}

/* ---- comparing it with the database ---- */

static bool applied_check(const struct folder *f, const struct db_rows *rows, size_t row,
                          struct err *e)
{
	int number = (int)db_get_int(rows, row, 0);
	const char *name = db_get(rows, row, 1).p;
	const struct file *file = row < f->n ? &f->files[row] : NULL;

	if (!file || file->number != number || strcmp(file->name, name) != 0)
		return err_set(e, ERR_CONFLICT, "migration_unknown",
		               "The database has the migration %s, which is not in %s; use the "
		               "release that brought it, or a newer one.",
		               name, f->m->folder);
	if (!str_eq(file->sha256, db_get(rows, row, 2)))
		return err_set(
			e, ERR_CONFLICT, "migration_changed",
			"%s was changed after it was applied; restore the file as it was, and "
			"put the change into a new migration.",
			name);
	return true;
}

static bool applied_read(struct folder *f, struct db *db, struct err *e)
{
	struct db_rows *rows;

	if (!db_run(db, Q_MIGRATION_FOUND, DB_NO_ARGS, f->arena, &rows, e))
		return false;
	if (!db_get_bool(rows, 0, 0))
		return true; /* a new database */
	if (!db_run(db, Q_MIGRATION_LIST, DB_NO_ARGS, f->arena, &rows, e))
		return false;
	for (size_t row = 0; row < db_count(rows); row++)
		if (!applied_check(f, rows, row, e))
			return false;
	f->applied = db_count(rows);
	return true;
}

static bool table_create(struct db *db, struct err *e)
{
	db_begin(db);
	db_queue(db, Q_MIGRATION_SCHEMA_CREATE, DB_NO_ARGS);
	/* The next statements are prepared, which needs the ones before them carried out; they are,
	 * since the server works a flight off in order. */
	db_queue(db, Q_MIGRATION_TABLE_CREATE, DB_NO_ARGS);
	if (db_run_last(db, Q_MIGRATION_TABLE_COMMENT, DB_NO_ARGS, NULL, NULL, e))
		return true;
	db_rollback(db);
	return false;
}

/* ---- applying ---- */

static int line_of(const char *text, const PGresult *res)
{
	const char *at = PQresultErrorField(res, PG_DIAG_STATEMENT_POSITION);
	int64_t left = 0; /* in characters, from 1 */
	int line = 1;

	if (!at || !str_int(str_of(at), 1, INT32_MAX, &left))
		return 0;
	for (; *text && left > 1; text++) {
		line += *text == '\n';
		left -= ((unsigned char)text[1] & 0xC0) != 0x80;
	}
	return line;
}

static bool text_refused(const struct file *file, const PGresult *res, struct err *e)
{
	const char *words = PQresultErrorField(res, PG_DIAG_MESSAGE_PRIMARY);
	const char *state = PQresultErrorField(res, PG_DIAG_SQLSTATE);
	const char *context = PQresultErrorField(res, PG_DIAG_CONTEXT);
	int line = line_of(file->text.p, res);
	char where[32] = "";

	if (line > 0)
		snprintf(where, sizeof(where), " at line %d", line);
	err_set(e, ERR_DB, "migration_failed",
	        "%s failed%s: %s. Nothing of it was kept; mend the cause and migrate again.",
	        file->name, where, words ? words : "the connection broke");
	return err_detail(e, "SQLSTATE %s%s%s", state ? state : "none", context ? ", " : "",
	                  context ? context : "");
}

/* The simple protocol takes all statements of a file at once; a pipeline would not. */
static bool text_run(struct db *db, const struct file *file, struct err *e)
{
	PGresult *res;
	bool ok;

	if (!PQexitPipelineMode(db->pg))
		return conn_lost(db, e);
	res = PQexec(db->pg, file->text.p);
	switch (PQresultStatus(res)) {
	case PGRES_COMMAND_OK:
	case PGRES_TUPLES_OK:
	case PGRES_EMPTY_QUERY:
		ok = true;
		break;
	case PGRES_COPY_IN:
	case PGRES_COPY_OUT:
		err_set(e, ERR_DB, "migration_failed",
		        "%s uses COPY with the client, which a migration cannot; use INSERT.",
		        file->name);
		conn_close(db);
		ok = false;
		break;
	default:
		ok = text_refused(file, res, e);
	}
	PQclear(res);
	if (db->pg && PQstatus(db->pg) != CONNECTION_OK)
		return conn_lost(db, e);
	return db->pg && (PQenterPipelineMode(db->pg) || conn_lost(db, e)) && ok;
}

/* A file that says COMMIT would be applied, but not noted, or the other way round. */
static bool transaction_check(struct db *db, struct arena *arena, const struct file *file,
                              struct str before, struct err *e)
{
	struct db_rows *rows;

	if (PQtransactionStatus(db->pg) == PQTRANS_INTRANS) {
		db_queue(db, Q_MIGRATION_ROLE_RESET, DB_NO_ARGS);
		if (!db_run(db, Q_MIGRATION_TRANSACTION, DB_NO_ARGS, arena, &rows, e))
			return false;
		if (str_eq(before, db_get(rows, 0, 0)))
			return true;
	}
	return err_set(e, ERR_DB, "migration_transaction",
	               "%s ends its transaction itself, so part of it may have been kept; remove "
	               "COMMIT and ROLLBACK from it, and undo that part by hand.",
	               file->name);
}

static bool file_steps(struct db *db, struct arena *arena, const struct file *file, struct err *e)
{
	struct db_rows *rows;

	if (!db_run(db, Q_MIGRATION_START, DB_NO_ARGS, arena, &rows, e))
		return false;
	if (!text_run(db, file, e) || !transaction_check(db, arena, file, db_get(rows, 0, 1), e))
		return false;
	return db_run_last(db, Q_MIGRATION_INSERT,
	                   DB_ARGS(db_int(file->number), db_text(file->name), db_str(file->sha256)),
	                   NULL, NULL, e);
}

static bool file_apply(struct db *db, struct arena *arena, const struct file *file, struct err *e)
{
	/* What one file SETs must not reach the next. */
	if (!db_run(db, Q_MIGRATION_SETTINGS_RESET, DB_NO_ARGS, NULL, NULL, e))
		return false;
	db_begin(db);
	if (!file_steps(db, arena, file, e)) {
		if (db_commit_unknown(db))
			err_detail(e, "%s: its COMMIT was sent; migrate again to learn its fate",
			           file->name);
		db_rollback(db);
		return false;
	}
	return true;
}

static void tell(const struct migrate *m, enum migrate_event event, int number, const char *name)
{
	if (m->tell)
		m->tell(m->arg, event, number, name);
}

static bool lock(const struct folder *f, struct db *db, struct err *e)
{
	struct db_rows *rows;

	if (!db_run(db, Q_MIGRATION_TRY_LOCK, DB_NO_ARGS, f->arena, &rows, e))
		return false;
	if (db_get_bool(rows, 0, 0))
		return true;
	tell(f->m, MIGRATE_WAITING, 0, "");
	return db_run(db, Q_MIGRATION_LOCK, DB_NO_ARGS, NULL, NULL, e);
}

static bool apply_all(struct folder *f, struct db *db, size_t *n, struct err *e)
{
	if (!lock(f, db, e) || !table_create(db, e) || !applied_read(f, db, e))
		return false;
	for (size_t i = f->applied; i < f->n; i++) {
		if (!file_apply(db, f->arena, &f->files[i], e))
			return false;
		(*n)++;
		tell(f->m, MIGRATE_APPLIED, f->files[i].number, f->files[i].name);
	}
	return true;
}

static bool check_all(struct folder *f, struct db *db, size_t *n, struct err *e)
{
	if (!applied_read(f, db, e))
		return false;
	for (size_t i = f->applied; i < f->n; i++) {
		(*n)++;
		tell(f->m, MIGRATE_PENDING, f->files[i].number, f->files[i].name);
	}
	return true;
}

bool migrate_run(const struct migrate *m, size_t *n, struct err *e)
{
	struct folder f = { .m = m, .arena = arena_new(ARENA_BYTES_MAX) };
	struct db *db = NULL;
	bool ok;

	*n = 0;
	ok = folder_read(&f, e) && db_open(m->conninfo, "migrate", &db, e) &&
	     (m->check ? check_all(&f, db, n, e) : apply_all(&f, db, n, e));
	db_close(db); /* and with it the lock */
	arena_free(f.arena);
	return ok;
}
