#include "config.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/unit/db_fixture.h"
#include "lib/base/poison.h"

void run(struct fixture *f, struct db *db, enum query q)
{
	must(f, db_run(db, q, DB_NO_ARGS, NULL, NULL, &f->e));
}

int64_t number(struct fixture *f, struct db *db, enum query q)
{
	struct db_rows *rows;

	must(f, db_run(db, q, DB_NO_ARGS, f->arena, &rows, &f->e));
	return db_get_int(rows, 0, 0);
}

int64_t things(struct fixture *f)
{
	return number(f, f->other, Q_THING_COUNT);
}

bool insert(struct fixture *f, const char *name)
{
	struct uuid id = uuid_v7();

	return db_run(f->db, Q_THING_INSERT,
	              DB_ARGS(db_uuid(&id), db_text(name), db_int(1), db_null()), NULL, NULL,
	              &f->e);
}

bool insert_last(struct fixture *f, const char *name)
{
	struct uuid id = uuid_v7();

	return db_run_last(f->db, Q_THING_INSERT,
	                   DB_ARGS(db_uuid(&id), db_text(name), db_int(1), db_null()), NULL, NULL,
	                   &f->e);
}

void queue(struct fixture *f, const char *name)
{
	struct uuid id = uuid_v7();

	db_queue(f->db, Q_THING_INSERT, DB_ARGS(db_uuid(&id), db_text(name), db_int(1), db_null()));
}

int db_up(void **state)
{
	const char *conninfo = getenv("CATCHMENT_TEST_DB");
	struct fixture *f = calloc(1, sizeof(*f));

	f->arena = arena_new(64 << 20);
	f->proxy = proxy_open(conninfo);
	must(f, db_open(proxy_conninfo(f->proxy), "test", &f->db, &f->e));
	must(f, db_open(conninfo, "other", &f->other, &f->e));
	run(f, f->other, Q_THING_DROP);
	run(f, f->other, Q_THING_CREATE);
	run(f, f->other, Q_RAISER_CREATE);
	*state = f;
	return 0;
}

int db_down(void **state)
{
	struct fixture *f = *state;

	db_close(f->db);
	db_close(f->other);
	proxy_close(f->proxy);
	arena_free(f->arena);
	free(f);
	return 0;
}

void terminate(struct fixture *f)
{
	struct db_arg pid = db_int(number(f, f->db, Q_BACKEND_PID));
	struct db_rows *r;

	must(f, db_run(f->other, Q_BACKEND_TERMINATE, DB_ARGS(pid), NULL, NULL, &f->e));
	do {
		usleep(10000);
		must(f, db_run(f->other, Q_BACKEND_GONE, DB_ARGS(pid), f->arena, &r, &f->e));
	} while (!db_get_bool(r, 0, 0));
	usleep(50000); /* the last words pass the proxy */
}
