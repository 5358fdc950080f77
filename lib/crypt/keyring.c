/* Key files: "kid base64" lines, read whole, written as a new file that takes the old one's name. */
#include "config.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "lib/base/buf.h"
#include "lib/crypt/keyring.h"

#include "lib/base/poison.h"

#define KEYS_MAX     1024
#define KEY_FILE_MAX (KEYS_MAX * 64)
#define KEY_LINE_MAX 256

struct key_file {
	struct {
		uint32_t kid;
		unsigned char half[SEAL_KEY];
	} key[KEYS_MAX];
	size_t count;
};

const struct seal_key *keyring_find(const struct seal_keys *ring, uint32_t kid)
{
	for (size_t i = 0; i < ring->count; i++)
		if (ring->key[i].kid == kid)
			return &ring->key[i];
	return NULL;
}

bool keyring_pair_new(struct seal_key *k)
{
	EVP_PKEY *pair = EVP_PKEY_Q_keygen(NULL, NULL, "X25519");
	size_t public_len = SEAL_KEY, private_len = SEAL_KEY;

	k->has_private = pair != NULL &&
	                 EVP_PKEY_get_raw_public_key(pair, k->public_half, &public_len) == 1 &&
	                 EVP_PKEY_get_raw_private_key(pair, k->private_half, &private_len) == 1;
	EVP_PKEY_free(pair);
	return k->has_private;
}

bool keyring_pair_matches(const struct seal_key *k)
{
	EVP_PKEY *pair =
		EVP_PKEY_new_raw_private_key(EVP_PKEY_X25519, NULL, k->private_half, SEAL_KEY);
	unsigned char half[SEAL_KEY];
	size_t len = SEAL_KEY;
	bool same = pair != NULL && EVP_PKEY_get_raw_public_key(pair, half, &len) == 1 &&
	            len == SEAL_KEY && crypt_equal(half, k->public_half, SEAL_KEY);

	EVP_PKEY_free(pair);
	return same;
}

/* --- reading --- */

static bool file_unreadable(struct err *e, const char *path, const char *why)
{
	(void)err_set(e, ERR_UNAVAILABLE, "key_file_unreadable",
	              "The key file %s cannot be used: %s.", path, why);
	return false;
}

static bool file_read(const char *path, struct buf *out, mode_t forbidden, struct err *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct stat st;
	char part[4096];
	ssize_t got = 0;

	if (fd < 0)
		return file_unreadable(e, path, strerror(errno));
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || (st.st_mode & forbidden) != 0) {
		close(fd);
		return file_unreadable(e, path, "it must be a file that only its owner can read");
	}
	while (!out->failed && (got = read(fd, part, sizeof(part))) > 0)
		buf_add(out, part, (size_t)got);
	OPENSSL_cleanse(part, sizeof(part));
	close(fd);
	if (got < 0 || out->failed)
		return file_unreadable(e, path, got < 0 ? "reading failed" : "it is too long");
	return true;
}

static bool out_of_memory(struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
	               "The server is short of memory. Try again in a minute.");
}

static bool line_parse(struct arena *scratch, struct str line, struct key_file *f)
{
	struct str kid_text, key_text, half;
	int64_t kid;

	if (f->count == KEYS_MAX || line.len > KEY_LINE_MAX ||
	    !str_cut(line, ' ', &kid_text, &key_text) || !str_int(kid_text, 1, UINT32_MAX, &kid) ||
	    !crypt_base64_decode(scratch, str_trim(key_text), &half) || half.len != SEAL_KEY)
		return false;
	for (size_t i = 0; i < f->count; i++)
		if (f->key[i].kid == (uint32_t)kid)
			return false;
	f->key[f->count].kid = (uint32_t)kid;
	memcpy(f->key[f->count].half, half.p, SEAL_KEY);
	f->count++;
	OPENSSL_cleanse((void *)half.p, half.len);
	return true;
}

static bool file_parse(struct str text, const char *path, struct key_file *f, struct err *e)
{
	struct arena *scratch = arena_new_run(KEY_FILE_MAX * 2);
	struct str line;
	char why[64];
	bool fine = scratch != NULL || out_of_memory(e);

	for (int n = 1; fine && text.len > 0; n++) {
		if (!str_cut(text, '\n', &line, &text)) {
			line = text;
			text.len = 0;
		}
		line = str_trim(line);
		if (line.len == 0 || line.p[0] == '#' || line_parse(scratch, line, f))
			continue;
		if (arena_failed(scratch)) {
			fine = out_of_memory(e);
			break;
		}
		snprintf(why, sizeof(why), "line %d is no new \"number base64-key\"", n);
		fine = file_unreadable(e, path, why);
	}
	arena_free(scratch);
	return fine;
}

static void file_free(struct key_file *f)
{
	if (f != NULL)
		OPENSSL_cleanse(f, sizeof(*f));
	free(f);
}

static bool file_load(const char *path, mode_t forbidden, struct key_file **out, struct err *e)
{
	struct buf text;
	bool fine;

	*out = calloc(1, sizeof(**out));
	if (*out == NULL)
		return out_of_memory(e);
	buf_init(&text, KEY_FILE_MAX);
	fine = file_read(path, &text, forbidden, e) && file_parse(buf_view(&text), path, *out, e);
	if (text.p != NULL)
		OPENSSL_cleanse(text.p, text.cap);
	buf_free(&text);
	if (!fine) {
		file_free(*out);
		*out = NULL;
	}
	return fine;
}

static bool ring_make(const struct key_file *publics, const struct key_file *privates,
                      struct seal_keys **out, struct err *e)
{
	struct seal_keys *ring = calloc(1, sizeof(*ring));

	if (ring != NULL)
		ring->key = calloc(publics->count, sizeof(*ring->key));
	if (ring == NULL || ring->key == NULL) {
		free(ring);
		return out_of_memory(e);
	}
	ring->can_open = privates != NULL;
	for (; ring->count < publics->count; ring->count++) {
		struct seal_key *k = &ring->key[ring->count];

		k->kid = publics->key[ring->count].kid;
		memcpy(k->public_half, publics->key[ring->count].half, SEAL_KEY);
		for (size_t i = 0; privates != NULL && i < privates->count; i++) {
			if (privates->key[i].kid != k->kid)
				continue;
			memcpy(k->private_half, privates->key[i].half, SEAL_KEY);
			k->has_private = true;
		}
	}
	*out = ring;
	return true;
}

bool seal_keys_load(const char *public_path, const char *private_path, struct seal_keys **out,
                    struct err *e)
{
	struct key_file *publics = NULL, *privates = NULL;
	bool fine;

	fine = file_load(public_path, 0, &publics, e) &&
	       (private_path == NULL || file_load(private_path, S_IRWXO, &privates, e));
	if (fine && publics->count == 0)
		fine = file_unreadable(e, public_path, "it holds no key");
	fine = fine && ring_make(publics, privates, out, e);
	file_free(publics);
	file_free(privates);
	return fine;
}

void seal_keys_free(struct seal_keys *ring)
{
	if (ring == NULL)
		return;
	OPENSSL_cleanse(ring->key, ring->count * sizeof(*ring->key));
	free(ring->key);
	free(ring);
}

uint32_t seal_keys_current(const struct seal_keys *ring)
{
	return ring->key[ring->count - 1].kid;
}

size_t seal_keys_count(const struct seal_keys *ring)
{
	return ring->count;
}

uint32_t seal_keys_kid(const struct seal_keys *ring, size_t index)
{
	return ring->key[index].kid;
}

/* --- adding --- */

static bool write_failed(struct err *e, const char *path)
{
	int saved = errno;

	(void)err_set(e, ERR_UNAVAILABLE, "key_file_unwritable",
	              saved == EEXIST
	                      ? "The file %s stands in the way: another key is being added, "
	                        "or an earlier attempt died. Remove it and try again."
	                      : "The key file %s cannot be written.",
	              path);
	return err_detail(e, "%s: %s", path, strerror(saved));
}

static bool write_all(int fd, struct str s)
{
	while (s.len > 0) {
		ssize_t n = write(fd, s.p, s.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = str_after(s, (size_t)n);
	}
	return fsync(fd) == 0;
}

/* The new content appears under the old name at once or not at all; O_EXCL admits one writer. */
static bool file_replace(const char *path, struct str text, mode_t mode, struct err *e)
{
	char fresh[PATH_MAX];
	bool fine;
	int fd;

	if (snprintf(fresh, sizeof(fresh), "%s.new", path) >= (int)sizeof(fresh)) {
		errno = ENAMETOOLONG;
		return write_failed(e, path);
	}
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return write_failed(e, fresh);
	fine = write_all(fd, text) && fchmod(fd, mode) == 0;
	fine = close(fd) == 0 && fine;
	if (!fine || rename(fresh, path) != 0) {
		(void)write_failed(e, path);
		(void)unlink(fresh);
		return false;
	}
	return true;
}

static void line_add(struct buf *text, uint32_t kid, const unsigned char half[SEAL_KEY])
{
	struct arena *scratch = arena_new_run(KEY_LINE_MAX);
	struct str coded = { "", 0 };

	if (scratch != NULL)
		coded = crypt_base64(scratch, (struct str){ (const char *)half, SEAL_KEY });
	text->failed = text->failed || coded.len == 0;
	if (text->len > 0 && text->p[text->len - 1] != '\n')
		buf_char(text, '\n');
	buf_printf(text, "%u " STR_FMT "\n", kid, STR_ARG(coded));
	if (coded.len > 0)
		OPENSSL_cleanse((void *)coded.p, coded.len);
	arena_free(scratch);
}

/* Adds to *highest the largest kid of the file; an absent file is an empty one. */
static bool file_open_for_add(const char *path, mode_t forbidden, struct buf *text,
                              uint32_t *highest, struct err *e)
{
	struct key_file *f;
	bool fine;

	if (access(path, F_OK) != 0 && errno == ENOENT)
		return true;
	if (!file_read(path, text, forbidden, e))
		return false;
	f = calloc(1, sizeof(*f));
	if (f == NULL)
		return out_of_memory(e);
	fine = file_parse(buf_view(text), path, f, e);
	for (size_t i = 0; i < f->count; i++)
		if (f->key[i].kid > *highest)
			*highest = f->key[i].kid;
	file_free(f);
	return fine;
}

bool seal_keys_add(const char *public_path, const char *private_path, uint32_t *kid, struct err *e)
{
	struct buf publics, privates;
	struct seal_key k = { 0 };
	bool fine;

	buf_init(&publics, KEY_FILE_MAX);
	buf_init(&privates, KEY_FILE_MAX);
	fine = file_open_for_add(public_path, 0, &publics, &k.kid, e) &&
	       file_open_for_add(private_path, S_IRWXO, &privates, &k.kid, e);
	if (fine && (k.kid == UINT32_MAX || !keyring_pair_new(&k)))
		fine = err_set(e, ERR_BUG, "key_not_made", "No new key could be made.");
	if (fine) {
		k.kid++;
		line_add(&publics, k.kid, k.public_half);
		line_add(&privates, k.kid, k.private_half);
		if (publics.failed || privates.failed)
			fine = file_unreadable(e, public_path, "it has no room for another key");
	}
	/* The private half first: a crash in between leaves a key that seals nothing yet. */
	fine = fine && file_replace(private_path, buf_view(&privates), 0400, e) &&
	       file_replace(public_path, buf_view(&publics), 0644, e);
	*kid = k.kid;
	OPENSSL_cleanse(&k, sizeof(k));
	if (privates.p != NULL)
		OPENSSL_cleanse(privates.p, privates.cap);
	buf_free(&publics);
	buf_free(&privates);
	return fine;
}
