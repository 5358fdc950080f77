#include "config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/crypt/seal.h"

#include "lib/base/poison.h"

/* Made by an independent implementation of the format in seal.h, with fixed keys and nonce. */
#define VECTOR_PUBLIC  "7 B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\n"
#define VECTOR_PRIVATE "7 AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n"
#define VECTOR_BLOB                                                                                \
	"AQAAAAdXFHadEWv3ZDaudLx5PSwwrRkDxZrFJzgFx+Jpi0EMNgABAgMEBQYHCAkKC/Mits9I87Vg8Vo1pDXYHWHM" \
	"gXi5nUj3fI+vAvJs"
#define VECTOR_CHECK "9773af383eff8222539049ad734410e7"

struct world {
	struct arena *arena;
	char folder[64], publics[80], privates[80];
	struct seal_place at;
	struct err e;
};

static void file_put(const char *path, const char *text, mode_t mode)
{
	FILE *f;

	(void)unlink(path);
	f = fopen(path, "w");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
	assert_int_equal(chmod(path, mode), 0);
}

static int world_up(void **state)
{
	const char *tmp = getenv("TMPDIR");
	struct world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return 1;
	*state = w;
	w->arena = arena_new(4 << 20);
	snprintf(w->folder, sizeof(w->folder), "%.40s/seal-XXXXXX", tmp != NULL ? tmp : "/tmp");
	if (mkdtemp(w->folder) == NULL)
		return 1;
	snprintf(w->publics, sizeof(w->publics), "%s/seal.pub", w->folder);
	snprintf(w->privates, sizeof(w->privates), "%s/open.key", w->folder);
	memset(w->at.tenant.b, 0x11, 16);
	memset(w->at.owner.b, 0x22, 16);
	w->at.field = "apiKey";
	w->at.version = 3;
	return 0;
}

static int world_down(void **state)
{
	struct world *w = *state;

	(void)unlink(w->publics);
	(void)unlink(w->privates);
	(void)rmdir(w->folder);
	arena_free(w->arena);
	free(w);
	return 0;
}

static struct seal_keys *keys(struct world *w, bool privates)
{
	struct seal_keys *ring = NULL;

	if (!seal_keys_load(w->publics, privates ? w->privates : NULL, &ring, &w->e))
		fail_msg("%s: %s", w->e.slug, w->e.msg);
	return ring;
}

static struct seal_keys *vector_keys(struct world *w)
{
	file_put(w->publics, VECTOR_PUBLIC, 0644);
	file_put(w->privates, VECTOR_PRIVATE, 0400);
	return keys(w, true);
}

static bool opens(struct world *w, const struct seal_keys *ring, const struct seal_place *at,
                  struct str blob)
{
	struct secret *plain;

	err_clear(&w->e);
	return seal_open(w->arena, ring, at, blob, &plain, &w->e);
}

static void a_blob_of_another_implementation_opens(void **state)
{
	struct world *w = *state;
	struct seal_keys *ring = vector_keys(w);
	struct secret *plain;
	struct str blob;
	char check[33];

	assert_true(crypt_base64_decode(w->arena, STR(VECTOR_BLOB), &blob));
	if (!seal_open(w->arena, ring, &w->at, blob, &plain, &w->e))
		fail_msg("%s", w->e.slug);
	assert_true(secret_eq(plain, STR("correct horse")));
	assert_true(seal_check_value(ring, 7, check, &w->e));
	assert_string_equal(check, VECTOR_CHECK);
	seal_keys_free(ring);
}

static void what_was_sealed_opens_again_whatever_its_length(void **state)
{
	struct world *w = *state;
	struct seal_keys *ring = vector_keys(w), *sealer = keys(w, false);
	static const size_t lengths[] = { 0, 1, 15, 16, 17, 4096, 100000 };
	char *text = arena_alloc(w->arena, 100000);

	memset(text, 'p', 100000);
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		struct str plain = { text, lengths[i] }, blob;
		struct secret *back;

		assert_true(seal_close(w->arena, sealer, &w->at, plain, &blob, &w->e));
		assert_int_equal(blob.len, 65 + plain.len);
		assert_true(seal_open(w->arena, ring, &w->at, blob, &back, &w->e));
		assert_true(secret_eq(back, plain));
	}
	seal_keys_free(ring);
	seal_keys_free(sealer);
}

static void two_seals_of_one_text_share_nothing(void **state)
{
	struct world *w = *state;
	struct seal_keys *ring = vector_keys(w);
	struct str one, two;

	assert_true(seal_close(w->arena, ring, &w->at, STR("same text"), &one, &w->e));
	assert_true(seal_close(w->arena, ring, &w->at, STR("same text"), &two, &w->e));
	assert_memory_not_equal(one.p + 5, two.p + 5, 32);
	assert_memory_not_equal(one.p + 37, two.p + 37, 12);
	assert_memory_not_equal(one.p + 49, two.p + 49, 9);
	seal_keys_free(ring);
}

/* Leave one aad_add out of aad_make, and the row of that part fails. */
static void a_blob_opens_nowhere_but_in_its_own_place(void **state)
{
	struct world *w = *state;
	struct seal_keys *ring = vector_keys(w);
	struct seal_place tenant = w->at, owner = w->at, field = w->at, shorter = w->at,
			  longer = w->at, version = w->at, high = w->at, swapped = w->at;
	const struct seal_place *row[] = { &tenant, &owner,   &field, &shorter,
		                           &longer, &version, &high,  &swapped };
	struct str blob;

	tenant.tenant.b[15] ^= 1;
	owner.owner.b[0] ^= 1;
	field.field = "apiKez";
	shorter.field = "apiKe";
	longer.field = "apiKey2";
	version.version = 2;
	high.version = 3 + (INT64_C(1) << 32);
	swapped.tenant = w->at.owner;
	swapped.owner = w->at.tenant;
	assert_true(seal_close(w->arena, ring, &w->at, STR("secret"), &blob, &w->e));
	assert_true(opens(w, ring, &w->at, blob));
	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		if (opens(w, ring, row[i], blob))
			fail_msg("row %zu opened", i);
		assert_string_equal(w->e.slug, "seal_broken");
	}
	seal_keys_free(ring);
}

/*
 * Every bit, also the top bit of the ephemeral key, which X25519 itself ignores: only its place in
 * the derivation's info refuses that one.
 */
static void no_bit_of_a_blob_may_change(void **state)
{
	struct world *w = *state;
	struct seal_keys *ring = vector_keys(w);
	struct str blob;
	char *copy;

	assert_true(seal_close(w->arena, ring, &w->at, STR("secret"), &blob, &w->e));
	copy = arena_text(w->arena, blob);
	for (size_t i = 0; i < blob.len * 8; i++) {
		copy[i / 8] ^= (char)(1 << i % 8);
		if (opens(w, ring, &w->at, (struct str){ copy, blob.len }))
			fail_msg("bit %zu of byte %zu may change", i % 8, i / 8);
		assert_string_equal(w->e.slug,
		                    i / 8 >= 1 && i / 8 < 5 ? "key_unknown" : "seal_broken");
		copy[i / 8] ^= (char)(1 << i % 8);
	}
	assert_true(opens(w, ring, &w->at, (struct str){ copy, blob.len }));
	seal_keys_free(ring);
}

static void a_cut_or_lengthened_blob_does_not_open(void **state)
{
	struct world *w = *state;
	struct seal_keys *ring = vector_keys(w);
	struct str blob;
	char *copy;

	assert_true(seal_close(w->arena, ring, &w->at, STR("secret"), &blob, &w->e));
	copy = arena_alloc(w->arena, blob.len + 1);
	memcpy(copy, blob.p, blob.len);
	for (size_t len = 0; len < blob.len; len++)
		assert_false(opens(w, ring, &w->at, (struct str){ copy, len }));
	assert_false(opens(w, ring, &w->at, (struct str){ copy, blob.len + 1 }));
	seal_keys_free(ring);
}

/* Without the number in the derivation's info this opens: both numbers are one pair here. */
static void a_blob_does_not_open_under_a_changed_key_number(void **state)
{
	struct world *w = *state;
	struct seal_keys *ring;
	struct str blob;
	char *copy;

	file_put(w->publics,
	         "7 B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\n"
	         "8 B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\n",
	         0644);
	file_put(w->privates,
	         "7 AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n"
	         "8 AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n",
	         0400);
	ring = keys(w, true);
	assert_int_equal(seal_keys_current(ring), 8);
	assert_true(seal_close(w->arena, ring, &w->at, STR("secret"), &blob, &w->e));
	copy = arena_text(w->arena, blob);
	copy[4] = 7; /* the same pair under another number: the info of the derivation differs */
	assert_false(opens(w, ring, &w->at, (struct str){ copy, blob.len }));
	assert_string_equal(w->e.slug, "seal_broken");
	seal_keys_free(ring);
}

static void added_keys_seal_and_the_older_ones_still_open(void **state)
{
	struct world *w = *state;
	struct seal_keys *ring;
	struct str one, two;
	struct stat st;
	uint32_t kid;
	char check_one[33], check_two[33];

	assert_true(seal_keys_add(w->publics, w->privates, &kid, &w->e));
	assert_int_equal(kid, 1);
	assert_int_equal(stat(w->publics, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0644);
	assert_int_equal(stat(w->privates, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0400);
	ring = keys(w, false);
	assert_true(seal_close(w->arena, ring, &w->at, STR("one"), &one, &w->e));
	assert_false(opens(w, ring, &w->at, one)); /* the public half alone */
	assert_string_equal(w->e.slug, "key_unknown");
	seal_keys_free(ring);
	assert_true(seal_keys_add(w->publics, w->privates, &kid, &w->e));
	assert_int_equal(kid, 2);
	ring = keys(w, true);
	assert_int_equal(seal_keys_count(ring), 2);
	assert_int_equal(seal_keys_kid(ring, 0), 1);
	assert_int_equal(seal_keys_current(ring), 2);
	assert_true(seal_close(w->arena, ring, &w->at, STR("two"), &two, &w->e));
	assert_true(opens(w, ring, &w->at, one));
	assert_true(opens(w, ring, &w->at, two));
	assert_true(seal_check_value(ring, 1, check_one, &w->e));
	assert_true(seal_check_value(ring, 2, check_two, &w->e));
	assert_string_not_equal(check_one, check_two);
	assert_false(seal_check_value(ring, 3, check_one, &w->e));
	seal_keys_free(ring);
}

static void files_of_two_backups_are_noticed_before_anything_is_opened(void **state)
{
	struct world *w = *state;
	struct seal_keys *ring;
	char check[33];

	file_put(w->publics, VECTOR_PUBLIC, 0644);
	/* Differs above the three lowest bits, which X25519 clamps away. */
	file_put(w->privates, "7 CQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n", 0400);
	ring = keys(w, true);
	assert_false(seal_check_value(ring, 7, check, &w->e));
	assert_string_equal(w->e.slug, "key_pair_mismatch");
	seal_keys_free(ring);
	err_clear(&w->e);
	file_put(w->privates, "6 AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA=\n", 0400);
	ring = keys(w, true);
	assert_false(seal_check_value(ring, 7, check, &w->e));
	assert_string_equal(w->e.slug, "key_unknown");
	seal_keys_free(ring);
}

static void a_key_file_that_cannot_be_used_is_named_with_its_line(void **state)
{
	struct world *w = *state;
	static const struct {
		const char *text, *word;
	} row[] = {
		{ "", "no key" },
		{ "# only a comment\n\n", "no key" },
		{ VECTOR_PUBLIC VECTOR_PUBLIC, "line 2" },
		{ "seven B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\n", "line 1" },
		{ "0 B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\n", "line 1" },
		{ "4294967296 B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/AsrhtHHw=\n", "line 1" },
		{ "# note\n7 B6N8vBQgk8i3VdwbEOhstCY3StFqqFPtC9/Asrht\n", "line 2" },
		{ "7\n", "line 1" },
		{ "7 !!!\n", "line 1" },
	};
	struct seal_keys *ring;

	for (size_t i = 0; i < sizeof(row) / sizeof(*row); i++) {
		file_put(w->publics, row[i].text, 0644);
		err_clear(&w->e);
		if (seal_keys_load(w->publics, NULL, &ring, &w->e))
			fail_msg("row %zu loaded", i);
		assert_string_equal(w->e.slug, "key_file_unreadable");
		assert_non_null(strstr(w->e.msg, row[i].word));
		assert_non_null(strstr(w->e.msg, w->publics));
	}
}

static void a_private_file_open_to_the_world_is_refused(void **state)
{
	struct world *w = *state;
	struct seal_keys *ring;

	file_put(w->publics, VECTOR_PUBLIC, 0644);
	file_put(w->privates, VECTOR_PRIVATE, 0404);
	assert_false(seal_keys_load(w->publics, w->privates, &ring, &w->e));
	assert_string_equal(w->e.slug, "key_file_unreadable");
	err_clear(&w->e);
	assert_false(seal_keys_load("/nonexistent/seal.pub", NULL, &ring, &w->e));
	assert_string_equal(w->e.slug, "key_file_unreadable");
}

static void adding_beside_another_writer_fails_and_changes_nothing(void **state)
{
	struct world *w = *state;
	struct seal_keys *ring = vector_keys(w);
	char fresh[96];
	uint32_t kid;

	snprintf(fresh, sizeof(fresh), "%s.new", w->privates);
	file_put(fresh, "", 0600);
	assert_false(seal_keys_add(w->publics, w->privates, &kid, &w->e));
	assert_string_equal(w->e.slug, "key_file_unwritable");
	assert_int_equal(unlink(fresh), 0);
	seal_keys_free(ring);
	ring = keys(w, true);
	assert_int_equal(seal_keys_count(ring), 1);
	seal_keys_free(ring);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, world_up, world_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_blob_of_another_implementation_opens),
		TEST(what_was_sealed_opens_again_whatever_its_length),
		TEST(two_seals_of_one_text_share_nothing),
		TEST(a_blob_opens_nowhere_but_in_its_own_place),
		TEST(no_bit_of_a_blob_may_change),
		TEST(a_cut_or_lengthened_blob_does_not_open),
		TEST(a_blob_does_not_open_under_a_changed_key_number),
		TEST(added_keys_seal_and_the_older_ones_still_open),
		TEST(files_of_two_backups_are_noticed_before_anything_is_opened),
		TEST(a_key_file_that_cannot_be_used_is_named_with_its_line),
		TEST(a_private_file_open_to_the_world_is_refused),
		TEST(adding_beside_another_writer_fails_and_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
