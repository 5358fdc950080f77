/*
 * Key files: what is read has its numbers once each, one a line, and the last one seals; written down again
 * it reads as the same. The input is the public file, a NUL, and the private one.
 */
#include "config.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lib/base/buf.h"
#include "lib/crypt/keyring.h"
#include "tests/fuzz/fuzz.h"

#include "lib/base/poison.h"

#define TEXT_MAX (256 * 1024)

struct file {
	int fd;
	char path[40];
};

static struct file file_make(struct str text)
{
	struct file f = { .fd = memfd_create("fuzz-keys", MFD_CLOEXEC) };

	must(f.fd >= 0 && fchmod(f.fd, 0400) == 0);
	while (text.len > 0) {
		ssize_t n = write(f.fd, text.p, text.len);

		must(n > 0);
		text = str_after(text, (size_t)n);
	}
	snprintf(f.path, sizeof(f.path), "/proc/self/fd/%d", f.fd);
	return f;
}

static bool load(struct str publics, const struct str *privates, struct seal_keys **ring)
{
	struct file f = file_make(publics), g = { .fd = -1 };
	struct err e = { 0 };
	bool fine;

	if (privates)
		g = file_make(*privates);
	fine = seal_keys_load(f.path, privates ? g.path : NULL, ring, &e);
	must(fine || (strcmp(e.slug, "key_file_unreadable") == 0 && e.msg[0]));
	close(f.fd);
	if (privates)
		close(g.fd);
	return fine;
}

static void line_add(struct arena *a, struct buf *b, uint32_t kid, const unsigned char *half)
{
	struct str code = crypt_base64(a, (struct str){ (const char *)half, SEAL_KEY });

	buf_printf(b, "# %u\n%u " STR_FMT "\n", kid, kid, STR_ARG(code));
}

static void same_again(struct arena *a, const struct seal_keys *ring)
{
	struct buf publics, privates;
	struct str text;
	struct seal_keys *again;

	buf_init(&publics, TEXT_MAX);
	buf_init(&privates, TEXT_MAX);
	for (size_t i = 0; i < ring->count; i++) {
		const struct seal_key *k = &ring->key[i];

		line_add(a, &publics, k->kid, k->public_half);
		if (k->has_private)
			line_add(a, &privates, k->kid, k->private_half);
	}
	text = buf_view(&privates);
	must(load(buf_view(&publics), &text, &again) && again->count == ring->count);
	for (size_t i = 0; i < ring->count; i++) {
		const struct seal_key *k = &ring->key[i], *l = &again->key[i];

		must(k->kid == l->kid && k->has_private == l->has_private);
		must(memcmp(k->public_half, l->public_half, SEAL_KEY) == 0);
		must(!k->has_private || memcmp(k->private_half, l->private_half, SEAL_KEY) == 0);
	}
	seal_keys_free(again);
	buf_free(&publics);
	buf_free(&privates);
}

static void check(struct str text, const struct seal_keys *ring)
{
	size_t lines = 1;
	char value[33];
	struct err e = { 0 };

	for (size_t i = 0; i < text.len; i++)
		lines += text.p[i] == '\n';
	must(ring->count > 0 && ring->count <= lines);
	must(seal_keys_current(ring) == seal_keys_kid(ring, seal_keys_count(ring) - 1));
	for (size_t i = 0; i < ring->count; i++) {
		must(ring->key[i].kid > 0 && keyring_find(ring, ring->key[i].kid) == &ring->key[i]);
		must(seal_check_value(ring, ring->key[i].kid, value, &e) ? strlen(value) == 32
		                                                         : e.slug[0] != '\0');
		err_clear(&e);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
	struct str text = { (const char *)bytes, len }, publics = text, privates = { NULL, 0 };
	struct arena *a = arena_new(8 << 20);
	bool both = str_cut(text, '\0', &publics, &privates);
	struct seal_keys *ring;

	if (load(publics, both ? &privates : NULL, &ring)) {
		must(ring->can_open == both);
		check(publics, ring);
		same_again(a, ring);
		seal_keys_free(ring);
	}
	arena_free(a);
	return 0;
}
