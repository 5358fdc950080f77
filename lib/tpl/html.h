/*
 * html - where in an HTML document a template stands, byte by byte (build time only)
 *
 * The states of the HTML tokenizer (WHATWG HTML, 13.2.5) that decide how a value must be escaped,
 * and refusals of what our content security policy would block or our style forbids anyway: inline
 * scripts and styles, style and on* attributes, unquoted values, URLs with other schemes.
 *
 * Ownership: a struct html is a value; copies of it are snapshots.
 * Errors:    each function gives NULL, or one sentence that says what is wrong.
 * Threads:   pure.
 */
#ifndef CATCHMENT_TPL_HTML_H
#define CATCHMENT_TPL_HTML_H

#include "lib/tpl/source.h"

#define HTML_NAME_MAX   32
#define HTML_SCHEME_MAX 8

enum html_state {
	HTML__NONE, /* in tables: not said */
	HTML_DATA,
	HTML_TAG_OPEN, /* behind < */
	HTML_END_OPEN, /* behind </ */
	HTML_TAG_NAME,
	HTML_SPACE, /* in a tag, where an attribute may begin */
	HTML_JOIN,  /* in a tag, around a section: only a space or the tag's end may follow */
	HTML_ATTR_NAME,
	HTML_ATTR_AFTER, /* behind a name and a space */
	HTML_VALUE_OPEN, /* behind = */
	HTML_VALUE_DOUBLE,
	HTML_VALUE_SINGLE,
	HTML_VALUE_AFTER, /* behind the closing quote */
	HTML_SLASH,       /* in a tag, behind / */
	HTML_MARKUP,      /* behind <! */
	HTML_MARKUP_DASH,
	HTML_COMMENT,
	HTML_COMMENT_DASH,
	HTML_COMMENT_END, /* behind -- */
	HTML_DECLARATION, /* <!doctype */
	HTML_RAW,         /* text of title, textarea, script, style */
	HTML_RAW_OPEN,    /* there, behind < */
	HTML_RAW_SLASH,
	HTML_RAW_NAME,
	HTML__MAX
};

/* How far a URL attribute's value has come. */
enum html_url {
	HTML_URL_NONE, /* not in one */
	HTML_URL_START,
	HTML_URL_SLASH,  /* one slash so far */
	HTML_URL_FIRST,  /* a slash and values, which may all be empty */
	HTML_URL_WORD,   /* a scheme, or a relative path's first word */
	HTML_URL_ORIGIN, /* behind a scheme: host and port */
	HTML_URL_GIVEN,  /* behind {{url x}}, whose host a following value could lengthen */
	HTML_URL_REST,   /* in path, query or fragment, or an address of mail */
	HTML_URL__MAX
};

struct html {
	enum html_state state;
	enum html_url url;
	bool end_tag;
	bool fresh;       /* directly behind <textarea>, <pre>: a line feed would be dropped */
	bool refresh;     /* the tag has http-equiv */
	bool content;     /* the tag has a value in its content attribute */
	unsigned slashes; /* behind a URL's scheme; 3: and a host */
	char tag[HTML_NAME_MAX]; /* lower case; of raw text: whose */
	char attr[HTML_NAME_MAX];
	char name[HTML_NAME_MAX]; /* of a possible end tag in raw text */
	char scheme[HTML_SCHEME_MAX];
};

struct html html_begin(void);
MUST_CHECK const char *html_feed(struct html *, char);
/* A value stands here: which escape? `filter` is what its author asked for. */
MUST_CHECK const char *html_value(struct html *, enum tpl_filter filter, enum tpl_escape *);
/* A section begins or ends here. Equal states on both sides make it safe to repeat or leave out. */
MUST_CHECK const char *html_section(struct html *);
bool html_same(const struct html *, const struct html *);
MUST_CHECK const char *html_end(const struct html *); /* the document is at its end */

#endif
