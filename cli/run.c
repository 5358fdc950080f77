/*
 * run - runs one pipeline of a collector file: records to standard output, a line each
 *
 * Neither server nor database is needed; the same driver and engine as in the runner do the work.
 */
#include "config.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "drive/gate.h"
#include "drive/load.h"
#include "drive/once.h"
#include "drive/sink_ndjson.h"
#include "engine/definition.h"
#include "lib/base/clock.h"
#include "lib/base/poison.h"

#define WAIT_MAX_MS    (24ll * 60 * 60 * 1000) /* nobody else would go on later */
#define FILE_BYTES_MAX ((size_t)8 * 1024 * 1024)

struct running {
	struct cli *cli;
	const char *pipeline, *limit, *allow, *config_path;
	bool verbose;
	int64_t records_max;
	json_t *root, *data_source, *pipelines, *values;
};

static bool file_read(struct arena *a, const char *path, json_t **out, struct err *e)
{
	FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	struct buf b;
	char chunk[16384];
	size_t n;
	bool ok;

	if (!f) {
		err_set(e, ERR_INPUT, "file_unreadable", "The file %s cannot be read: %s.", path,
		        strerror(errno));
		return false;
	}
	buf_init(&b, FILE_BYTES_MAX);
	while ((n = fread(chunk, 1, sizeof(chunk), f)) > 0 && !b.failed)
		buf_add(&b, chunk, n);
	ok = !ferror(f) && !b.failed;
	if (f != stdin)
		fclose(f);
	if (!ok)
		err_set(e, ERR_INPUT, "file_unreadable",
		        "The file %s cannot be read, or is larger than 8 MiB.", path);
	ok = ok && json_read(a, arena_copy(a, buf_view(&b)), out, e);
	buf_free(&b);
	return ok;
}

/* CATCHMENT_CONFIG_apiKey or CATCHMENT_CONFIG_APIKEY. */
static const char *env_find(struct arena *a, const char *field)
{
	char *name = arena_printf(a, "CATCHMENT_CONFIG_%s", field);
	const char *value = getenv(name);

	if (value)
		return value;
	for (char *p = name; *p; p++)
		*p = isalnum((unsigned char)*p) ? (char)toupper((unsigned char)*p) : '_';
	return getenv(name);
}

/* A text of the environment as the field's type wants it; what does not fit stays text, so that the
 * check of the config says what was expected. */
static json_t *env_value(const json_t *field, const char *text)
{
	const char *type = json_text(field, "type", "Text");
	json_t *value = NULL;

	if (strcmp(type, "Number") == 0 || strcmp(type, "Boolean") == 0)
		value = json_loads(text, JSON_DECODE_ANY, NULL);
	return value ? value : json_string(text);
}

/* The file's config, then --config, then the environment; the later wins. */
static bool values_gather(struct running *r, struct err *e)
{
	json_t *more, *field, *given = json_object_get(r->root, "config");
	size_t i;

	r->values = json_is_object(given) ? json_copy(given) : json_object();
	if (r->config_path) {
		if (!file_read(r->cli->arena, r->config_path, &more, e))
			return false;
		if (!json_is_object(more))
			return err_set(e, ERR_INPUT, "object_expected",
			               "The file of --config must hold one JSON object.");
		json_object_update(r->values, more);
	}
	json_array_foreach(json_object_get(r->data_source, "configFields"), i, field)
	{
		const char *name = json_text(field, "name", "");
		const char *text = env_find(r->cli->arena, name);

		if (text)
			json_object_set_new(r->values, name, env_value(field, text));
	}
	return true;
}

static bool definition_read(struct running *r, const char *path, struct err *e)
{
	struct problems *p = problems_new(r->cli->arena);

	if (!file_read(r->cli->arena, path, &r->root, e))
		return false;
	r->data_source = json_object_get(r->root, "dataSource");
	r->pipelines = json_object_get(json_object_get(r->root, "collector"), "pipelines");
	if (!json_is_object(r->data_source) || !json_is_array(r->pipelines))
		return err_set(e, ERR_INPUT, "definition_invalid",
		               "The file must hold {\"dataSource\": {}, \"collector\": "
		               "{\"pipelines\": []}, \"config\": {}}.");
	if (definition_check_data_source(r->data_source, "/dataSource", p))
		definition_check_pipelines(r->cli->arena, r->data_source, r->pipelines,
		                           "/collector/pipelines", p);
	for (size_t i = 0; i < p->count && i < PROBLEMS_MAX; i++)
		fprintf(stderr, "catchment: %s: %s\n", p->list[i].pointer, p->list[i].msg);
	return problems_none(p, e);
}

/* One stream per output: with several pipelines one must be named. */
static bool pipeline_choose(struct running *r, struct err *e)
{
	struct buf ids;
	json_t *p;
	size_t i;

	if (r->pipeline || json_array_size(r->pipelines) == 1)
		return true;
	buf_init(&ids, 200);
	json_array_foreach(r->pipelines, i, p) buf_printf(&ids, " %s", json_text(p, "id", ""));
	err_set(e, ERR_INPUT, "pipeline_needed",
	        "The file has several pipelines; choose one with --pipeline:%s.",
	        ids.p ? ids.p : " (none)");
	buf_free(&ids);
	return false;
}

static bool pipeline_run(struct running *r, struct sink_ndjson *sink, struct err *e)
{
	struct guard *guard = NULL;
	struct loaded *loaded = NULL;
	struct gate_local *gate = NULL;
	bool ok;

	ok = guard_new(r->allow, false, &guard, e) &&
	     load_pipeline(&(struct load_options){ .data_source = r->data_source,
	                                           .pipelines = r->pipelines,
	                                           .pipeline_id = r->pipeline,
	                                           .values = r->values },
	                   &loaded, e);
	if (ok)
		gate = gate_local_new(plan_rate_per_s(loaded->plan), plan_rate_burst(loaded->plan));
	ok = ok &&
	     drive_run_once(
		     &(struct drive_once){ .drive = { .guard = guard, .wait_max_ms = WAIT_MAX_MS },
	                                   .start = { .run = { .plan = loaded->plan,
	                                                       .config = loaded->config,
	                                                       .execution_id = "command-line",
	                                                       .seed = (uint64_t)clock_wall_ms() ^
	                                                               (uint64_t)getpid() << 40,
	                                                       .verbose = r->verbose },
	                                              .pool = "command-line",
	                                              .sink = &SINK_NDJSON,
	                                              .sink_arg = sink,
	                                              .gate = gate ? &GATE_LOCAL : NULL,
	                                              .gate_arg = gate } },
		     e);
	gate_local_free(gate);
	load_free(loaded);
	guard_free(guard);
	return ok;
}

static int exit_code(const struct sink_ndjson *sink)
{
	if (sink->waiting)
		return CLI_FAILED;
	return sink->status == RUN_SUCCESS   ? CLI_DONE
	       : sink->status == RUN_PARTIAL ? CLI_PARTLY
	                                     : CLI_FAILED;
}

static bool options_read(struct running *r, int *argc, char **argv)
{
	const struct cli_option options[] = {
		{ .name = "pipeline", .value = &r->pipeline },
		{ .name = "limit", .value = &r->limit },
		{ .name = "allow", .value = &r->allow },
		{ .name = "config", .value = &r->config_path },
		{ .name = "verbose", .flag = &r->verbose },
	};

	if (!cli_options(argc, argv, options, sizeof(options) / sizeof(options[0])))
		return false;
	if (*argc != 1) {
		cli_usage("run", NULL);
		return false;
	}
	if (r->limit && !str_int(str_of(r->limit), 1, INT32_MAX, &r->records_max)) {
		fputs("catchment: --limit takes a number of records, at least 1.\n", stderr);
		return false;
	}
	return true;
}

int cli_run(struct cli *cli, int argc, char **argv)
{
	struct running r = { .cli = cli };
	struct sink_ndjson sink = { .out = stdout, .err = stderr, .unwritten = cli_reader_check };
	struct err e = { 0 };
	bool ok;

	if (!options_read(&r, &argc, argv))
		return CLI_USAGE;
	sink.verbose = r.verbose;
	sink.records_max = (size_t)r.records_max;
	if (!definition_read(&r, argv[0], &e) || !pipeline_choose(&r, &e)) {
		cli_say(&e);
		return CLI_USAGE;
	}
	ok = values_gather(&r, &e) && pipeline_run(&r, &sink, &e);
	json_decref(r.values);
	return ok ? exit_code(&sink) : cli_say(&e);
}
