#include "config.h"

#include <zlib.h>

#include "lib/base/unpack.h"

#include "lib/base/poison.h"

#define PIECE       65536
#define FILES_MAX   10000
#define GZIP_WINDOW (15 + 16) /* zlib: read the gzip header and check the trailer */
#define RAW_WINDOW  (-15)
#define END_SIZE    22 /* of the record at a ZIP's end, without its comment */
#define ENTRY_SIZE  46 /* of a directory's entry, without its names */
#define LOCAL_SIZE  30 /* of a file's own header, without its names */
#define ENCRYPTED   1

static bool bad(struct err *e, const char *what)
{
	return err_set(e, ERR_UPSTREAM, "bad_body", "The packed body cannot be read: %s.", what);
}

static bool out_of_memory(struct err *e)
{
	return err_set(e, ERR_UNAVAILABLE, "out_of_memory",
	               "There was not enough memory for this; try again later.");
}

static bool truncated(struct err *e)
{
	return err_set(e, ERR_UPSTREAM, "body_truncated",
	               "The packed body ended before it was complete.");
}

static bool too_large(const struct buf *out, struct err *e)
{
	return err_set(e, ERR_UPSTREAM, "body_too_large",
	               "The body becomes larger than %zu MiB when it is unpacked; ask for less at "
	               "once.",
	               out->max >> 20);
}

/*
 * Inflating
 */

enum piece { PIECE_MORE, PIECE_END, PIECE_FAILED };

static enum piece piece_inflate(z_stream *z, struct buf *out, struct err *e)
{
	unsigned char bytes[PIECE];
	int state;

	z->next_out = bytes;
	z->avail_out = sizeof(bytes);
	state = inflate(z, Z_NO_FLUSH);
	buf_add(out, bytes, sizeof(bytes) - z->avail_out);
	if (out->failed) {
		too_large(out, e);
		return PIECE_FAILED;
	}
	if (state == Z_STREAM_END)
		return PIECE_END;
	if (state == Z_OK && (z->avail_in > 0 || z->avail_out == 0))
		return PIECE_MORE;
	if (state == Z_OK || state == Z_BUF_ERROR)
		truncated(e);
	else if (state == Z_MEM_ERROR)
		out_of_memory(e);
	else
		bad(e, z->msg != NULL ? z->msg : "it is not what it says it is");
	return PIECE_FAILED;
}

/* One stream; *rest is what stands behind it. */
static bool stream_inflate(struct str packed, int window, struct buf *out, struct str *rest,
                           struct err *e)
{
	z_stream z = { .next_in = (unsigned char *)packed.p, .avail_in = (unsigned)packed.len };
	enum piece piece = PIECE_MORE;

	if (packed.len > UINT32_MAX)
		return too_large(out, e);
	if (inflateInit2(&z, window) != Z_OK)
		return out_of_memory(e);
	while (piece == PIECE_MORE)
		piece = piece_inflate(&z, out, e);
	*rest = str_after(packed, packed.len - z.avail_in);
	inflateEnd(&z);
	return piece == PIECE_END;
}

static bool is_gzip(struct str s)
{
	return str_starts(s, "\x1f\x8b");
}

/* Members one behind the other are one file (RFC 1952 2.2); padding behind them is passed over. */
static bool gzip_unpack(struct str body, struct buf *out, struct err *e)
{
	do {
		if (!stream_inflate(body, GZIP_WINDOW, out, &body, e))
			return false;
	} while (is_gzip(body));
	return true;
}

/*
 * ZIP, as the .ZIP File Format Specification 6.3 says
 */

static uint32_t number(struct str s, size_t at, size_t bytes)
{
	uint32_t n = 0;

	for (size_t i = bytes; i-- > 0;)
		n = n << 8 | (unsigned char)s.p[at + i];
	return n;
}

struct entry {
	uint32_t flags, method, crc, packed, size, offset;
	bool is_directory;
};

/* The record at the end: a comment may follow, whose length it names. */
static bool end_find(struct str body, size_t *at)
{
	size_t least = body.len > END_SIZE + 0xFFFF ? body.len - END_SIZE - 0xFFFF : 0;

	for (size_t i = body.len >= END_SIZE ? body.len - END_SIZE + 1 : 0; i-- > least;) {
		*at = i;
		if (str_starts(str_after(body, i), "PK\5\6") &&
		    number(body, i + 20, 2) <= body.len - END_SIZE - i)
			return true;
	}
	return false;
}

/* The entry that the directory begins with; takes it off. */
static bool entry_take(struct str *directory, struct entry *entry)
{
	struct str d = *directory;
	size_t name, all;

	if (d.len < ENTRY_SIZE || !str_starts(d, "PK\1\2"))
		return false;
	name = number(d, 28, 2);
	all = ENTRY_SIZE + name + number(d, 30, 2) + number(d, 32, 2);
	if (d.len < all)
		return false;
	*entry = (struct entry){ .flags = number(d, 8, 2),
		                 .method = number(d, 10, 2),
		                 .crc = number(d, 16, 4),
		                 .packed = number(d, 20, 4),
		                 .size = number(d, 24, 4),
		                 .offset = number(d, 42, 4),
		                 .is_directory = name > 0 && d.p[ENTRY_SIZE + name - 1] == '/' };
	*directory = str_after(d, all);
	return true;
}

/* The packed bytes of a file, behind its own header. */
static bool entry_bytes(struct str body, const struct entry *entry, struct str *bytes)
{
	struct str local = str_after(body, entry->offset);
	size_t head;

	if (local.len < LOCAL_SIZE || !str_starts(local, "PK\3\4"))
		return false;
	head = LOCAL_SIZE + number(local, 26, 2) + number(local, 28, 2);
	if (local.len < head || local.len - head < entry->packed)
		return false;
	*bytes = (struct str){ local.p + head, entry->packed };
	return true;
}

static bool entry_inflate(struct str bytes, const struct entry *entry, struct buf *file,
                          struct err *e)
{
	struct str rest;

	if (entry->method == 0)
		buf_str(file, bytes);
	else if (!stream_inflate(bytes, RAW_WINDOW, file, &rest, e))
		return false;
	if (file->failed)
		return too_large(file, e);
	if (file->len != entry->size ||
	    crc32(0, (const unsigned char *)file->p, (unsigned)file->len) != entry->crc)
		return bad(e, "a file of the archive does not match its checksum");
	return true;
}

static bool entry_judge(const struct entry *entry, struct err *e)
{
	if (entry->flags & ENCRYPTED)
		return bad(e, "a file of the archive is encrypted");
	if (entry->method != 0 && entry->method != Z_DEFLATED)
		return bad(e, "a file of the archive is neither stored nor deflated");
	if (entry->packed == UINT32_MAX || entry->size == UINT32_MAX || entry->offset == UINT32_MAX)
		return bad(e, "the archive is a ZIP64");
	return true;
}

/* Each file begins on a line of its own. */
static bool file_add(struct str file, struct buf *out, struct err *e)
{
	if (out->len > 0 && out->p[out->len - 1] != '\n')
		buf_char(out, '\n');
	if (is_gzip(file))
		return gzip_unpack(file, out, e);
	buf_str(out, file);
	return !out->failed || too_large(out, e);
}

static bool entry_unpack(struct str body, const struct entry *entry, struct buf *out, struct err *e)
{
	struct str bytes = { NULL, 0 };
	struct buf file;
	bool good;

	if (!entry_judge(entry, e))
		return false;
	if (!entry_bytes(body, entry, &bytes))
		return bad(e, "the archive's directory leads beside its files");
	buf_init(&file, out->max);
	good = entry_inflate(bytes, entry, &file, e) && file_add(buf_view(&file), out, e);
	buf_free(&file);
	return good;
}

static bool zip_unpack(struct str body, struct buf *out, size_t *files, struct err *e)
{
	struct str directory;
	size_t end, count, start;

	if (!end_find(body, &end))
		return truncated(e);
	count = number(body, end + 10, 2);
	start = number(body, end + 16, 4);
	if (start > end || count > FILES_MAX)
		return bad(e, "the archive's directory is elsewhere, or too long");
	directory = (struct str){ body.p + start, end - start };
	for (*files = 0; count > 0; count--) {
		struct entry entry;

		if (!entry_take(&directory, &entry))
			return bad(e, "the archive's directory is broken");
		if (entry.is_directory)
			continue;
		if (!entry_unpack(body, &entry, out, e))
			return false;
		++*files;
	}
	return true;
}

enum unpack_kind unpack_kind_of(struct str body)
{
	if (is_gzip(body))
		return UNPACK_GZIP;
	/* an archive without files begins with its end */
	if (str_starts(body, "PK\3\4") || str_starts(body, "PK\5\6"))
		return UNPACK_ZIP;
	return UNPACK_NONE;
}

bool unpack(enum unpack_kind kind, struct str body, struct buf *out, size_t *files, struct err *e)
{
	*files = 1;
	switch (kind) {
	case UNPACK_GZIP:
		return gzip_unpack(body, out, e);
	case UNPACK_ZIP:
		return zip_unpack(body, out, files, e);
	default:
		buf_str(out, body);
		return !out->failed || too_large(out, e);
	}
}
