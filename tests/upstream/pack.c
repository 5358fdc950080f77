/* pack - see pack.h */
#include "config.h"

#include <zlib.h>

#include "tests/upstream/pack.h"
#include "lib/base/poison.h"

#define GZIP_WINDOW (15 + 16)
#define RAW_WINDOW  (-15)
#define FILES_MAX   16

static void deflate_to(struct str s, int window, struct buf *out)
{
	z_stream z = { .next_in = (unsigned char *)s.p, .avail_in = (unsigned)s.len };
	unsigned char bytes[16384];
	int state = Z_OK;

	if (deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
		out->failed = true;
		return;
	}
	while (state == Z_OK) {
		z.next_out = bytes;
		z.avail_out = sizeof(bytes);
		state = deflate(&z, Z_FINISH);
		buf_add(out, bytes, sizeof(bytes) - z.avail_out);
	}
	deflateEnd(&z);
}

void pack_gzip(struct str s, struct buf *out)
{
	deflate_to(s, GZIP_WINDOW, out);
}

struct file {
	char name[8];
	uint32_t crc, packed, size, offset;
	unsigned method;
};

static void le(struct buf *b, uint32_t v, int bytes)
{
	for (; bytes > 0; bytes--, v >>= 8)
		buf_char(b, (char)(v & 255));
}

/* What a file's own header and the directory's entry share. */
static void common(struct buf *out, const struct file *f)
{
	le(out, 20, 2); /* version */
	le(out, 0, 2);
	le(out, f->method, 2);
	le(out, 0, 4); /* time */
	le(out, f->crc, 4);
	le(out, f->packed, 4);
	le(out, f->size, 4);
	le(out, (uint32_t)strlen(f->name), 2);
	le(out, 0, 2);
}

static void file_write(struct buf *out, struct file *f, struct str content)
{
	struct buf packed;

	buf_init(&packed, out->max);
	if (f->method == Z_DEFLATED)
		deflate_to(content, RAW_WINDOW, &packed);
	f->crc = (uint32_t)crc32(0, (const unsigned char *)content.p, (unsigned)content.len);
	f->size = (uint32_t)content.len;
	f->packed = (uint32_t)packed.len;
	f->offset = (uint32_t)out->len;
	buf_text(out, "PK\3\4");
	common(out, f);
	buf_text(out, f->name);
	buf_str(out, buf_view(&packed));
	buf_free(&packed);
}

static void directory_write(struct buf *out, const struct file *files, size_t count)
{
	size_t start = out->len, end;

	for (size_t i = 0; i < count; i++) {
		buf_text(out, "PK\1\2");
		le(out, 20, 2);
		common(out, &files[i]);
		for (int k = 0; k < 10; k++) /* comment, disk, attributes */
			buf_char(out, 0);
		le(out, files[i].offset, 4);
		buf_text(out, files[i].name);
	}
	end = out->len;
	buf_text(out, "PK\5\6");
	le(out, 0, 4);
	le(out, (uint32_t)count, 2);
	le(out, (uint32_t)count, 2);
	le(out, (uint32_t)(end - start), 4);
	le(out, (uint32_t)start, 4);
	le(out, 0, 2);
}

void pack_zip(const struct str *contents, size_t count, struct buf *out)
{
	struct file files[FILES_MAX + 1] = { { .name = "d/" } };

	if (count > FILES_MAX)
		count = FILES_MAX;
	file_write(out, &files[0], STR(""));
	for (size_t i = 0; i < count; i++) {
		struct file *f = &files[i + 1];

		f->method = Z_DEFLATED;
		memcpy(f->name, "1.json", 7);
		f->name[0] = (char)('1' + i % 9);
		file_write(out, f, contents[i]);
	}
	directory_write(out, files, count + 1);
}
