/*
 * tpl - pages from documents: templates compiled at build time, rendered from JSON bytes
 *
 * A template is a Mustache subset, flattened by tools/tmplc to one table of operations: layouts and
 * parts are already in it, every name is resolved against a shape, every value carries the escape
 * of the place where it stands. There is no raw form. What the compiler refuses: source.h.
 *
 *   {{a.b}}                 the value as text: numbers keep their digits, absent and null are
 *                           nothing. {{.}} is the value of the innermost section.
 *   {{url a}}               a whole URL: http, https and paths of this site pass, all else is "#".
 *                           A plain {{a}} further on in a URL is percent-encoded.
 *   {{time a}}              an RFC 3339 time as <time datetime>; only its words in an attribute.
 *   {{json a}}              the value's JSON, for data-* attributes.
 *   {{number a}}            a whole number with its thousands apart: 1,250,000.
 *   {{duration a}}          milliseconds as words: "114 ms", "2.5 s", "3 min 20 s".
 *   {{once a}}              a secret, on the page that hands it over; a plain {{a}} of one is refused.
 *   {{#a}}..{{/a}}          for each item of a list, or each {{key}} and {{value}} of a map; once
 *                           for anything else but null, false, "" and what is absent. A number is
 *                           there when it is there: 0 shows.
 *   {{^a}}..{{/a}}          when the section would show nothing.
 *   {{#a is b c}}..{{/a}}   once, when the value's text is "b c"; {{^a is b c}} when it is another.
 *   {{>part/x}}             another file, in place.
 *   {{<layout/x}} {{$b}}..{{/b}} {{/layout/x}}   another file, with blocks of it replaced.
 *
 * A name is looked for in the innermost section whose shape has it, then further out, at build
 * time: a member that happens to be absent never falls through to an outer one of the same name.
 * {{doc.x}} is the document's own x, {{page.x}} is of the page (tpl_page_shape).
 *
 * Ownership: tables are static const; output goes to the caller's buffer, and unescaped texts to
 *            the caller's arena.
 * Errors:    tpl_render: a document that is not JSON (bad_body), a page larger than the buffer's
 *            maximum (page_too_large). A document of another shape is no error: what does not fit
 *            shows nothing.
 * Threads:   pure.
 */
#ifndef CATCHMENT_TPL_TPL_H
#define CATCHMENT_TPL_TPL_H

#include "lib/base/arena.h"
#include "lib/base/buf.h"
#include "lib/base/err.h"
#include "lib/json/shape.h"

#define TPL_SLOTS_MAX 1024 /* different values that a template names; kept on the stack */
#define TPL_DEPTH_MAX 32   /* sections in sections, and files in files */

enum tpl_op_kind {
	TPL_TEXT,    /* text as it stands */
	TPL_VALUE,   /* the value at slot and path, through `escape` */
	TPL_SECTION, /* each item of it, up to the TPL_END before `to` */
	TPL_ABSENT,  /* what follows up to `to`, if a section would show nothing */
	TPL_END,     /* of the section at `to` */
};

/* How a value becomes part of HTML; escape.c has a function for each. */
enum tpl_escape {
	TPL_ESCAPE_HTML,      /* text, RCDATA and quoted attributes alike */
	TPL_ESCAPE_URL,       /* a whole URL at the beginning of a URL attribute */
	TPL_ESCAPE_COMPONENT, /* one piece of a URL: percent-encoded */
	TPL_ESCAPE_TIME,      /* a time element */
	TPL_ESCAPE_TIME_TEXT, /* the time's words alone */
	TPL_ESCAPE_JSON,      /* the value's JSON */
	TPL_ESCAPE_NUMBER,    /* a whole number with its thousands apart */
	TPL_ESCAPE_DURATION,  /* milliseconds as words */
	TPL_ESCAPE__MAX
};

/*
 * Slot 0 is the document and slot 1 the page, followed by the members of each that are used; a
 * section owns `count` slots from `first` on: its item, then the item's members `names`.
 */
struct tpl_op {
	enum tpl_op_kind kind;
	enum tpl_escape escape;
	bool map;              /* the section goes over a map: slots are item, key, value */
	unsigned slot;         /* where the value is */
	unsigned first, count; /* the section's own slots */
	unsigned to;           /* index of an operation */
	struct str text;
	bool compares;          /* a section or its opposite: is the value's text `text`? */
	const struct str *path; /* members below the slot */
	size_t path_count;
	const struct str *names; /* count - 1 */
};

struct tpl {
	const char *name; /* "instances/list" */
	const struct tpl_op *ops;
	size_t count;
	unsigned slots;        /* all of them */
	const struct str *doc; /* members of the document that are used: slots 2.. */
	size_t doc_count;
	const struct str *page; /* members of the page that are used: the slots behind those */
	size_t page_count;
};

struct tpl_input {
	struct str doc;  /* the JSON document that the API would answer with */
	struct str page; /* the JSON of tpl_page_shape */
};

MUST_CHECK bool tpl_render(const struct tpl *, struct tpl_input, struct arena *, struct buf *out,
                           struct err *);

/* What each page knows beside its document: user, tenant, csrf, flash, form, title, path, theme; it
 * stands in lib/web/page_shape.c, beside its maker. */
extern const struct shape tpl_page_shape;
/* The document of a page that has none. */
extern const struct shape tpl_nothing_shape;

#endif
