/*
 * escape - a JSON value as a piece of HTML, for each place where one may stand (private to tpl)
 *
 * One table serves text, RCDATA and both kinds of quoted attributes: a value that is harmless in
 * all of them cannot be in the wrong one.
 *
 * Ownership: unescaped copies go to the arena.
 * Errors:    none but the buffer's own.
 * Threads:   pure.
 */
#ifndef CATCHMENT_TPL_ESCAPE_H
#define CATCHMENT_TPL_ESCAPE_H

#include "lib/base/buf.h"
#include "lib/json/scan.h"
#include "lib/tpl/tpl.h"

void tpl_escape_value(enum tpl_escape, struct scan_value, struct arena *, struct buf *);
/* Plain text, not JSON. NUL and controls that HTML forbids become U+FFFD; a carriage return, which
 * HTML would read as a line feed, becomes a reference. */
void tpl_escape_html(struct buf *, struct str);
/* buf_add, without a call where there is room already: pages are made of very many small pieces. */
static inline void tpl_put(struct buf *out, const char *p, size_t len)
{
	if (out->failed || out->cap - out->len <= len) {
		buf_add(out, p, len);
		return;
	}
	memcpy(out->p + out->len, p, len);
	out->len += len;
	out->p[out->len] = '\0';
}
/* May it stand in href? http and https with a host, or a path, query or fragment of this site. */
bool tpl_url_allowed(struct str);

#endif
