/* json_pretty: a JSON text for reading; its tokens stay byte for byte. */
#include "config.h"

#include "lib/base/buf.h"
#include "lib/json/json.h"
#include "lib/json/scan.h"
#include "lib/base/poison.h"

static void line_break(struct buf *b, int depth)
{
	buf_char(b, '\n');
	for (int i = 0; i < depth; i++)
		buf_text(b, "  ");
}

static void value_write(struct buf *b, struct scan_value v, int depth)
{
	bool object = v.type == SCAN_OBJECT, any = false;
	struct scan_iter it = scan_iter(v);
	struct scan_value below;
	struct str key;

	if (!object && v.type != SCAN_ARRAY) {
		buf_str(b, v.span);
		return;
	}
	buf_char(b, object ? '{' : '[');
	while (scan_next(&it, &key, &below)) {
		if (any)
			buf_char(b, ',');
		line_break(b, depth + 1);
		if (object) {
			buf_str(b, key);
			buf_text(b, ": ");
		}
		value_write(b, below, depth + 1);
		any = true;
	}
	if (any)
		line_break(b, depth);
	buf_char(b, object ? '}' : ']');
}

struct str json_pretty(struct arena *a, struct str text, size_t max)
{
	struct err ignored = { 0 };
	struct scan_value root;
	struct buf b;
	struct str out = text;

	if (!scan_check(text, &root, &ignored))
		return text;
	buf_init(&b, max);
	value_write(&b, root, 0);
	if (!b.failed)
		out = arena_copy(a, buf_view(&b));
	buf_free(&b);
	return out;
}
