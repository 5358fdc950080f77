/* What is tortured: the ways of a document, a run, a secret, an answer and a setting through the floors. */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "drive/drive.h"
#include "drive/load.h"
#include "drive/sink_memory.h"
#include "drive/vault.h"
#include "engine/condition.h"
#include "engine/definition.h"
#include "engine/plan.h"
#include "lib/base/conf.h"
#include "lib/base/unpack.h"
#include "lib/crypt/seal.h"
#include "tests/torture/service.h"
#include "tests/torture/torture.h"

#include "lib/base/poison.h"

#define MEMORY (16 << 20)

static struct seal_keys *keys;
static char settings[64]; /* path of a file of settings */
static const struct seal_place place = { .field = "f", .version = 1 };

static bool no_memory(struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory", "There is no memory.");
}

/* Work whose steps cannot each fail is asked at its end (arena.h). */
static bool end(struct arena *a, bool good, struct err *e)
{
	if (a && arena_failed(a) && !err_is_set(e))
		good = no_memory(e);
	arena_free(a);
	return good;
}

static bool told(const struct problems *ps, struct err *e)
{
	return problems_none(ps, e) && no_memory(e);
}

/* ---- documents ---- */

static const char source[] =
	"{\"name\":\"API\",\"configFields\":[{\"name\":\"shop\",\"type\":\"Text\",\"required\":"
	"true,"
	"\"default\":\"shop.example\"},{\"name\":\"key\",\"type\":\"Password\"}],\"baseUrl\":"
	"\"https://{config.shop}\",\"authConfig\":{\"type\":\"OAuth2\",\"details\":{\"grant\":"
	"\"client_credentials\",\"tokenUrl\":\"https://id.example/"
	"t\",\"clientId\":\"i\",\"clientSecret\":"
	"\"{config.key}\"}},\"functions\":[{\"id\":\"f\",\"name\":\"items\",\"path\":\"/a\","
	"\"recordsPath\":\"data.items\",\"parameters\":[{\"name\":\"since\",\"location\":\"query\"}"
	"]}]}";
static const char pipelines[] =
	"[{\"name\":\"p\",\"functionId\":\"f\",\"staticParameters\":{\"since\":\"{cursor|iso8601}"
	"\"},"
	"\"processingSteps\":[{\"type\":\"api-call\",\"name\":\"c\"},{\"type\":\"filter\",\"name\":"
	"\"x\","
	"\"config\":{\"condition\":\"price > 10 && status === "
	"'a'\"}},{\"type\":\"transform\",\"name\":"
	"\"t\",\"config\":{\"rename\":{\"a\":\"b\"},\"set\":{\"c\":\"{{record.d}}\"}}}]}]";

static bool document_json(struct err *e)
{
	struct arena *a = arena_new_run(MEMORY);
	json_t *doc = NULL;
	struct str text;
	bool good = a && json_read(a, STR(source), &doc, e);

	if (good) {
		text = json_write(a, doc);
		good = text.p && json_pretty(a, text, 1 << 20).len > text.len;
	}
	if (!good && !err_is_set(e))
		good = no_memory(e);
	return end(a, good, e);
}

static bool document_plan(struct err *e)
{
	struct arena *a = arena_new_run(MEMORY);
	struct problems *ps = a ? problems_new(a) : NULL;
	json_t *ds = NULL, *list = NULL;
	struct plan *plan = NULL;
	bool good =
		ps && json_read(a, STR(source), &ds, e) && json_read(a, STR(pipelines), &list, e);

	if (good && (!definition_check_data_source(ds, "", ps) ||
	             !definition_check_pipelines(a, ds, list, "", ps) ||
	             !plan_compile(a, ds, json_array_get(list, 0), "", &plan, ps)))
		good = told(ps, e);
	if (!good && !err_is_set(e))
		good = no_memory(e);
	return end(a, good && plan, e);
}

/* ---- runs ---- */

/* What the end of the run says, when it says that something went wrong. */
static bool judge(const struct sink_memory *m, struct err *e)
{
	if (!m->ended && !m->waiting)
		return false;
	if (m->bounded)
		return err_set(e, ERR_UNAVAILABLE, "bounded", "%s", m->bounded);
	if (m->end.code && m->end.code[0])
		return err_set(e, ERR_UPSTREAM, "ended", "%s: %s", m->end.code, m->end.message);
	if (m->waiting && m->wait.code)
		return err_set(e, ERR_UPSTREAM, "waits", "%s", m->wait.code);
	return m->record_count == SERVICE_RECORDS;
}

static bool drive_to_end(struct drive *d, const struct loaded *loaded, struct arena *a,
                         struct err *e)
{
	struct sink_memory memory;
	struct drive_run *run;
	struct drive_start start = { .run = { .plan = loaded->plan,
		                              .config = loaded->config,
		                              .execution_id = "x",
		                              .seed = 1 },
		                     .pool = "t/o",
		                     .sink = &SINK_MEMORY,
		                     .sink_arg = &memory };

	sink_memory_init(&memory, &(struct sink_memory_options){ .arena = a, .pages_max = 9 });
	if (!drive_start(d, &start, &run, e))
		return false;
	for (int i = 0; i < 2000 && drive_count(d) > 0; i++)
		drive_step(d, 10);
	return judge(&memory, e);
}

static bool run_with(size_t bytes_max, struct err *e)
{
	struct arena *a = arena_new_run(MEMORY);
	struct guard *guard = NULL;
	struct drive *d = NULL;
	struct loaded *loaded = NULL;
	char text[2000];
	struct load_options o = { .document = str_of(service_document(text, sizeof(text))),
		                  .config = STR(SERVICE_CONFIG) };
	bool good;

	good = (a || no_memory(e)) && guard_new(service_allow(), false, &guard, e) &&
	       drive_new(&(struct drive_options){ .guard = guard,
	                                          .bytes_max = bytes_max,
	                                          .wait_max_ms = 1 },
	                 &d, e) &&
	       load_pipeline(&o, &loaded, e) && drive_to_end(d, loaded, a, e);
	drive_free(d);
	load_free(loaded);
	guard_free(guard);
	arena_free(a);
	return good;
}

static bool run_drive(struct err *e)
{
	return run_with(0, e);
}

/* The same without room for bodies in memory: each lies in a file. */
static bool run_spool(struct err *e)
{
	return run_with(1, e);
}

/* ---- secrets ---- */

static bool secret_seal(struct err *e)
{
	struct arena *a = arena_new_run(MEMORY);
	struct secret *plain = NULL;
	struct str blob, text;
	bool good = a && seal_close(a, keys, &place, STR("hidden"), &blob, e) &&
	            seal_open(a, keys, &place, blob, &plain, e);

	if (good) {
		text = secret_expose(plain);
		good = str_eq_text(text, "hidden");
	} else if (!err_is_set(e))
		no_memory(e);
	return end(a, good, e);
}

/* A token that does not open is as one that is not there: another one is fetched. */
static bool secret_vault(struct err *e)
{
	struct arena *a = arena_new_run(MEMORY);
	struct secret *token = secret_new(STR("token")), *opened = NULL;
	const struct vault_owner owner = { .keys = keys };
	struct str blob;
	bool good = a && token && vault_close(a, &owner, VAULT_ACCESS, 1, token, &blob, e);

	if (good) {
		opened = vault_open(a, &owner, VAULT_ACCESS, 1, blob);
		good = opened && str_eq(secret_expose(opened), secret_expose(token));
	}
	if (!good && !err_is_set(e))
		no_memory(e);
	secret_free(opened);
	secret_free(token);
	arena_free(a);
	return good;
}

/* The files of a first key and of a second one, and both read again. */
static bool secret_keys(struct err *e)
{
	char folder[] = "/tmp/torture-XXXXXX", publics[64], privates[64], check[33];
	struct seal_keys *ring = NULL;
	uint32_t kid = 0;
	bool good;

	if (!mkdtemp(folder))
		abort();
	snprintf(publics, sizeof(publics), "%s/pub", folder);
	snprintf(privates, sizeof(privates), "%s/key", folder);
	good = seal_keys_add(publics, privates, &kid, e) &&
	       seal_keys_add(publics, privates, &kid, e) &&
	       seal_keys_load(publics, privates, &ring, e) && seal_check_value(ring, kid, check, e);
	seal_keys_free(ring);
	(void)unlink(publics);
	(void)unlink(privates);
	good = rmdir(folder) == 0 && good; /* nothing else was left there */
	return good;
}

static bool secret_password(struct err *e)
{
	struct arena *a = arena_new_run(MEMORY);
	const struct crypt_cost cheap = { 4, 8, 1 };
	const char *phc = NULL;
	bool rehash, good = a && crypt_password_hash(a, STR("a password"), cheap, &phc, e);

	if (good && !crypt_password_verify(STR("a password"), phc, cheap, &rehash))
		good = no_memory(e); /* it refuses, which is safe */
	else if (!good && !err_is_set(e))
		no_memory(e);
	return end(a, good, e);
}

/* ---- bodies, settings ---- */

static bool body_unpack(struct err *e)
{
	static const unsigned char gz[] = { 0x1f, 0x8b, 8,    0,    0,    0,    0, 0, 0, 3, 0x4b,
		                            4,    0,    0x43, 0xbe, 0xb7, 0xe8, 1, 0, 0, 0 };
	struct buf out;
	size_t files;
	bool good;

	buf_init(&out, 1000);
	good = unpack(UNPACK_GZIP, (struct str){ (const char *)gz, sizeof(gz) }, &out, &files, e) &&
	       str_eq_text(buf_view(&out), "a");
	buf_free(&out);
	return good;
}

static bool setting_conf(struct err *e)
{
	struct conf *conf = NULL;
	struct guard *guard = NULL;
	bool good = conf_load(settings, &conf, e) && guard_from_conf(conf, &guard, e) &&
	            strcmp(conf_get(conf, "B", ""), "two") == 0;

	guard_free(guard);
	conf_free(conf);
	return good;
}

const bool torture_needs_server = true;
const struct torture_scene torture_scenes[] = {
	{ "document-json", document_json },
	{ "document-plan", document_plan },
	{ "run-drive", run_drive },
	{ "run-spool", run_spool },
	{ "secret-seal", secret_seal },
	{ "secret-keys", secret_keys },
	{ "secret-vault", secret_vault },
	{ "secret-password", secret_password },
	{ "body-unpack", body_unpack },
	{ "setting-conf", setting_conf },
	{ "statement", torture_statement },
	{ "statement-refused", torture_statement_refused },
	{ NULL, NULL },
};

static void keys_make(void)
{
	char folder[] = "/tmp/torture-XXXXXX", publics[64], privates[64];
	uint32_t kid;
	struct err e = { 0 };

	if (!mkdtemp(folder))
		abort();
	snprintf(publics, sizeof(publics), "%s/pub", folder);
	snprintf(privates, sizeof(privates), "%s/key", folder);
	if (!seal_keys_add(publics, privates, &kid, &e) ||
	    !seal_keys_load(publics, privates, &keys, &e))
		abort();
	(void)unlink(publics);
	(void)unlink(privates);
	(void)rmdir(folder);
}

static void settings_make(void)
{
	static const char text[] = "A=1\nB=\"two\"\n# c\nEGRESS_DENY=192.0.2.0/24\n";
	int fd = memfd_create("conf", MFD_CLOEXEC);

	snprintf(settings, sizeof(settings), "/proc/self/fd/%d", fd);
	if (write(fd, text, sizeof(text) - 1) != (ssize_t)sizeof(text) - 1)
		abort();
}

void torture_prepare(void)
{
	settings_make();
	service_begin();
	keys_make();
	torture_statement_prepare();
}

void torture_end(void)
{
	service_end();
	seal_keys_free(keys);
}
