/* trial - loading what is tried, and running one pipeline of it into memory */
#include "config.h"

#include <ctype.h>

#include "cgi/trials/trials.h"
#include "drive/load.h"
#include "drive/once.h"
#include "drive/sink_memory.h"
#include "lib/base/buf.h"
#include "lib/base/clock.h"
#include "lib/base/log.h"
#include "lib/db/queries.h"
#include "lib/base/poison.h"

#define SLOTS_PER_TENANT 2
#define WAIT_MAX_MS      10000 /* a test waits this long where a run would park */

static bool sealed_load(struct req *r, struct trial *t, struct err *e)
{
	struct db_rows *rows;

	if (!req_run(r, Q_TRIAL_SECRETS, DB_ARGS(db_uuid(&t->owner)), &rows, e))
		return false;
	t->sealed_count = db_count(rows);
	t->sealed = arena_array(r->arena, t->sealed_count + 1, sizeof(t->sealed[0]));
	for (size_t i = 0; i < t->sealed_count; i++)
		t->sealed[i] = (struct load_sealed){ .field = db_get(rows, i, 0).p,
			                             .version = db_get_int(rows, i, 1),
			                             .blob = db_get_bytes(rows, i, 2) };
	return true;
}

/* A test opens secrets, or speaks to a host in the workspace's name: who did is written down. */
static bool audit(struct req *r, enum query query, struct err *e)
{
	static const struct {
		enum query query;
		const char *action, *kind;
	} kinds[] = {
		{ Q_TRIAL_COLLECTOR, "collector.test", "collector" },
		{ Q_TRIAL_INSTANCE, "instance.test", "instance" },
		{ Q_TRIAL_LISTING, "listing.test", "listing" },
	};
	struct db_rows *rows;
	size_t i = 0;

	while (kinds[i].query != query)
		i++;
	return req_run(
		r, Q_TRIAL_AUDIT,
		DB_ARGS(db_text(kinds[i].action), db_text(kinds[i].kind), db_uuid(&r->params[0])),
		&rows, e);
}

bool trial_load(struct req *r, enum query query, const json_t *given, struct trial *t,
                struct err *e)
{
	struct db_rows *rows;
	json_t *pipelines, *source, *values;

	*t = (struct trial){ .owner = r->params[0],
		             .pages_max = TRIAL_PAGES,
		             .records_max = TRIAL_RECORDS,
		             .until_ms = clock_mono_ms() + TRIAL_SECONDS * 1000 };
	if (!req_run(r, query, DB_ARGS(db_uuid(&r->params[0])), &rows, e))
		return false;
	if (db_count(rows) == 0)
		return err_set(e, ERR_NOT_FOUND, "not_found",
		               "There is nothing of that id to try.");
	if (!json_read(r->arena, db_get(rows, 0, 1), &pipelines, e) ||
	    !json_read(r->arena, db_get(rows, 0, 2), &source, e) ||
	    !json_read(r->arena, db_get(rows, 0, 3), &values, e))
		return false;
	t->name = db_get(rows, 0, 0).p;
	t->pipelines = pipelines;
	t->data_source = source;
	/* A config that comes with the request replaces the stored one whole: an address of one and a
	 * secret of the other would carry the secret to a host it was never meant for. */
	t->values = given != NULL ? given : values;
	t->given = given != NULL;
	if (given == NULL && !sealed_load(r, t, e))
		return false;
	return audit(r, query, e) && req_commit(r, e);
}

/* Session locks on this family's own, direct connection: a worker that dies gives its place back. */
bool trial_slot_take(struct req *r, struct err *e)
{
	struct db_rows *rows;

	if (!req_run_last(r, Q_TRIAL_BEGIN, DB_ARGS(db_int(SLOTS_PER_TENANT)), &rows, e))
		return false;
	if (db_get_bool(rows, 0, 0))
		return true;
	err_set(e, ERR_TOO_MANY, "too_many_trials",
	        "Two tests of this workspace are under way. Wait for one to end, then try again.");
	e->retry_after_s = 5;
	return false;
}

/* After a failure too, and without asking who is there: a token that ended meanwhile must not keep the
 * place, since the lock belongs to the connection, which lives on. */
void trial_slot_give(struct req *r)
{
	struct db_rows *rows;
	struct err e = { 0 };

	db_rollback(r->app->db);
	if (!db_run(r->app->db, Q_TRIAL_END, DB_NO_ARGS, r->arena, &rows, &e))
		log_err(LOG_WARN, "trial.slot", &e);
}

static void head(struct buf *out, const char *id, const char *name)
{
	buf_text(out, "{\"pipelineId\":");
	buf_json_string(out, str_of(id));
	buf_text(out, ",\"pipelineName\":");
	buf_json_string(out, str_of(name));
	buf_char(out, ',');
}

/* The id of the builder's input for that place, as lib/web/form.h makes it. */
static void field_write(struct buf *out, const char *pointer)
{
	buf_text(out, "\"f");
	for (const char *p = pointer; *p; p++)
		buf_char(out, isalnum((unsigned char)*p) ? *p : '-');
	buf_char(out, '"');
}

/* A pipeline that could not even start: its definition or its config is not fit. */
static void write_refusal(struct buf *out, const char *id, const struct err *e)
{
	head(out, id, id);
	buf_text(out, "\"status\":\"failed\",\"error\":{\"code\":");
	buf_json_string(out, str_of(e->slug));
	buf_text(out, ",\"message\":");
	buf_json_string(out, str_of(e->msg));
	buf_text(out, ",\"pointer\":");
	buf_json_string(out, str_of(e->pointer));
	if (strncmp(e->pointer, "/pipelines/", 11) == 0) {
		buf_text(out, ",\"field\":");
		field_write(out, e->pointer);
	}
	buf_text(out, "},\"recordsRead\":0,\"durationMs\":0,\"requests\":[],"
	              "\"steps\":[],\"records\":[]}");
}

static void write_outcome(struct buf *out, const struct loaded *l, const struct sink_memory *memory)
{
	struct buf body;

	buf_init(&body, out->max);
	sink_memory_write(memory, &body);
	head(out, l->pipeline_id, l->pipeline_name);
	buf_printf(out, "\"recordsRead\":%lld,", (long long)memory->counts.records);
	trial_requests_write(memory->o.arena, memory, out);
	if (body.len > 1)
		buf_add(out, body.p + 1, body.len - 1);
	out->failed = out->failed || body.failed;
	buf_free(&body);
}

static bool run_loaded(struct req *r, const struct trial *t, const struct loaded *l,
                       struct sink_memory *memory, struct err *e)
{
	const struct trials *family = r->state;
	char tenant[UUID_TEXT_MAX];
	struct trial_gate gate = {
		.r = r,
		.service = l->service,
		.limit = gate_limit(plan_rate_per_s(l->plan), plan_rate_burst(l->plan)),
	};
	struct trial_vault vault = {
		.r = r, .hash = plan_auth_hash(l->plan), .owner = t->owner, .lease = uuid_v7()
	};
	bool ok;
	struct drive_once once = {
		.drive = { .guard = family->guard, .wait_max_ms = WAIT_MAX_MS },
		.start = { .run = { .plan = l->plan,
		                    .config = l->config,
		                    .execution_id = r->id,
		                    .budget = { .pages = t->pages_max },
		                    .verbose = true },
		           .pool = uuid_format(&r->tenant, tenant),
		           .sink = &SINK_MEMORY,
		           .sink_arg = memory,
		           .gate = &TRIAL_GATE,
		           .gate_arg = &gate,
		           .vault = t->given ? NULL : &TRIAL_VAULT,
		           .vault_arg = &vault },
		.time_max_ms = t->until_ms - clock_mono_ms(),
		.time_stop = "A test has 60 seconds.",
	};

	crypt_random(&once.start.run.seed, sizeof(once.start.run.seed));
	if (once.time_max_ms < 1)
		once.time_max_ms = 1;
	ok = drive_run_once(&once, e);
	if (!t->given)
		trial_vault_close(&vault);
	return ok;
}

void trial_run(struct req *r, const struct trial *t, const char *pipeline_id, struct buf *out,
               struct trial_outcome *outcome)
{
	const struct trials *family = r->state;
	struct load_options options = { .data_source = t->data_source,
		                        .pipelines = t->pipelines,
		                        .pipeline_id = pipeline_id,
		                        .values = t->values,
		                        .sealed = t->sealed,
		                        .sealed_count = t->sealed_count,
		                        .keys = family->keys,
		                        .tenant = r->tenant,
		                        .owner = t->owner };
	struct sink_memory *memory = arena_alloc(r->arena, sizeof(*memory));
	struct loaded *loaded = NULL;
	struct err e = { 0 };

	*outcome = (struct trial_outcome){ .code = "", .message = "" };
	sink_memory_init(memory,
	                 &(struct sink_memory_options){ .arena = r->arena,
	                                                .records_max = (size_t)t->records_max,
	                                                .pages_max = (size_t)t->pages_max });
	if (!load_pipeline(&options, &loaded, &e) || !run_loaded(r, t, loaded, memory, &e)) {
		outcome->code = arena_strdup(r->arena, e.slug);
		outcome->message = arena_strdup(r->arena, e.msg);
		write_refusal(out, pipeline_id, &e);
	} else {
		outcome->ok = !memory->waiting && (memory->end.status == RUN_SUCCESS ||
		                                   memory->end.status == RUN_PARTIAL);
		outcome->code = memory->waiting ? memory->wait.code : memory->end.code;
		outcome->message = memory->waiting ? memory->wait.message : memory->end.message;
		outcome->elapsed_ms = memory->elapsed_ms;
		write_outcome(out, loaded, memory);
	}
	load_free(loaded);
}
