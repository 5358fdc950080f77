/*
 * A fuzz target for record steps: the input is a JSON array of steps, a NUL, and a record. What
 * comes out is JSON again.
 */
#include "config.h"

#include <stdlib.h>

#include "engine/record.h"
#include "lib/crypt/crypt.h"

#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define ARENA_LIMIT (256 * 1024 * 1024)

static void apply(struct arena *a, const struct record_steps *steps, struct scan_value in)
{
	struct scope scope = { .arena = a, .cursor = STR("9") };
	struct crypt_hasher *hasher = crypt_hasher_new();
	struct scan_value root;
	struct record out;
	struct err e = { 0 };

	record_steps_apply(steps, &scope, record_seen_new(a, 1), in, &out);
	must(scan_check(out.bytes, &root, &e));
	must(root.type == in.type);
	must(out.fate != RECORD_QUARANTINE || (out.slug != NULL && out.why != NULL));
	record_identify(a, hasher, &(struct record_identity){ 0 }, &out);
	must(out.key.len <= RECORD_KEY_MAX);
	crypt_hasher_free(hasher);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str input = { (const char *)bytes, len }, config, body;
	struct arena *a = arena_new(ARENA_LIMIT);
	struct problems *problems = problems_new(a);
	struct record_steps *steps = NULL;
	struct scan_value in;
	struct err e = { 0 };
	json_t *json = NULL;

	if (str_cut(input, '\0', &config, &body) && json_read(a, config, &json, &e) &&
	    scan_check(body, &in, &e)) {
		if (record_steps_compile(a, json, "", &steps, problems))
			apply(a, steps, in);
		else
			must(problems->count > 0 && problems->list[0].slug != NULL);
	}
	arena_free(a);
	return 0;
}
