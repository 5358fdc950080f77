/* keys - catchment keys init|add|list|check */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/cli.h"
#include "lib/crypt/seal.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define CURSOR_KEY_BYTES 32

struct key_files {
	const char *public_path, *private_path, *cursor_path;
};

static bool key_files(struct cli *cli, struct key_files *f, struct err *e)
{
	return cli_conf(cli, e) && conf_need(cli->conf, "SEAL_PUBLIC", &f->public_path, e) &&
	       conf_need(cli->conf, "SEAL_PRIVATE", &f->private_path, e) &&
	       conf_need(cli->conf, "CURSOR_KEY", &f->cursor_path, e);
}

/* The key that signs list cursors; losing it only makes open lists start again. */
static bool cursor_key_make(struct cli *cli, const char *path, struct err *e)
{
	unsigned char key[CURSOR_KEY_BYTES];
	struct str text;
	bool ok;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0400);

	if (fd < 0)
		return errno == EEXIST || err_errno(e, ERR_DB, "key_file_unwritable", path);
	crypt_random(key, sizeof(key));
	text = crypt_base64(cli->arena, (struct str){ (char *)key, sizeof(key) });
	ok = write(fd, text.p, text.len) == (ssize_t)text.len && write(fd, "\n", 1) == 1 &&
	     fsync(fd) == 0;
	close(fd);
	return ok || err_errno(e, ERR_DB, "key_file_unwritable", path);
}

int cli_keys_init(struct cli *cli, int argc, char **argv)
{
	struct key_files f;
	struct err e = { 0 };
	uint32_t kid;

	(void)argv;
	if (argc != 0)
		return cli_usage("keys", "init");
	if (!key_files(cli, &f, &e))
		return cli_say(&e);
	if (access(f.public_path, F_OK) != 0 &&
	    !seal_keys_add(f.public_path, f.private_path, &kid, &e))
		return cli_say(&e);
	return cursor_key_make(cli, f.cursor_path, &e) ? CLI_DONE : cli_say(&e);
}

int cli_keys_add(struct cli *cli, int argc, char **argv)
{
	struct key_files f;
	struct err e = { 0 };
	uint32_t kid;

	(void)argv;
	if (argc != 0)
		return cli_usage("keys", "add");
	if (!key_files(cli, &f, &e) || !seal_keys_add(f.public_path, f.private_path, &kid, &e))
		return cli_say(&e);
	printf("%08x\n", kid);
	fputs("Restart the runner and the trials family first, then the others: new secrets use "
	      "this key.\n",
	      stderr);
	return CLI_DONE;
}

int cli_keys_list(struct cli *cli, int argc, char **argv)
{
	static const char *const heads[] = { "kid", "checkValue", "createdAt", "secrets", NULL };
	struct db_rows *rows;
	struct err e = { 0 };

	(void)argv;
	if (argc != 0)
		return cli_usage("keys", "list");
	if (!cli_db(cli, &e) ||
	    !db_run(cli->db, Q_OPERATOR_SEAL_KEYS, DB_NO_ARGS, cli->arena, &rows, &e))
		return cli_say(&e);
	cli_table(cli, heads, rows);
	return CLI_DONE;
}

/* The check value that the database keeps for kid, or the empty span. */
static struct str kept_value(const struct db_rows *rows, uint32_t kid)
{
	for (size_t r = 0; r < db_count(rows); r++) {
		if (db_get_int(rows, r, 0) == (int64_t)kid)
			return db_get(rows, r, 1);
	}
	return (struct str){ NULL, 0 };
}

static int check_all(struct cli *cli, const struct seal_keys *keys, struct err *e)
{
	struct db_rows *rows, *added;
	int code = CLI_DONE;

	if (!db_run(cli->db, Q_OPERATOR_SEAL_KEYS, DB_NO_ARGS, cli->arena, &rows, e))
		return cli_say(e);
	for (size_t i = 0; i < seal_keys_count(keys); i++) {
		uint32_t kid = seal_keys_kid(keys, i);
		struct str kept = kept_value(rows, kid);
		char value[33];

		if (!seal_check_value(keys, kid, value, e))
			return cli_say(e);
		if (kept.p == NULL) {
			if (!db_run(cli->db, Q_OPERATOR_SEAL_KEY_ADD,
			            DB_ARGS(db_int(kid), db_text(value)), cli->arena, &added, e))
				return cli_say(e);
		} else if (!str_eq_text(kept, value)) {
			code = CLI_FAILED;
		}
		printf("%08x  %s\n", kid,
		       kept.p == NULL             ? "new"
		       : str_eq_text(kept, value) ? "fits"
		                                  : "DOES NOT FIT");
	}
	return code;
}

int cli_keys_check(struct cli *cli, int argc, char **argv)
{
	struct seal_keys *keys = NULL;
	struct key_files f;
	struct err e = { 0 };
	int code;

	(void)argv;
	if (argc != 0)
		return cli_usage("keys", "check");
	if (!key_files(cli, &f, &e) || !cli_db(cli, &e) ||
	    !seal_keys_load(f.public_path, f.private_path, &keys, &e))
		return cli_say(&e);
	code = check_all(cli, keys, &e);
	seal_keys_free(keys);
	return code;
}
