#include "config.h"

#include "lib/tpl/html.h"
#include "lib/base/poison.h"

enum html_class {
	CLASS_OTHER,
	CLASS_SPACE,
	CLASS_LETTER,
	CLASS_LESS,
	CLASS_GREATER,
	CLASS_SLASH,
	CLASS_EQUALS,
	CLASS_DOUBLE,
	CLASS_SINGLE,
	CLASS_BANG,
	CLASS_DASH,
	CLASS__MAX
};

enum action {
	ACT_NONE,
	ACT_TAG,      /* a tag begins: its name's first letter */
	ACT_TAG_MORE, /* another letter of it */
	ACT_END_TAG,  /* the same of an end tag */
	ACT_ATTR,     /* an attribute begins */
	ACT_ATTR_MORE,
	ACT_ATTR_DONE, /* its name is complete */
	ACT_VALUE,     /* its value begins */
	ACT_VALUE_MORE,
	ACT_VALUE_DONE,
	ACT_CLOSE, /* the tag's > */
	ACT_NAME,  /* a possible end tag's name in raw text */
	ACT_NAME_MORE,
	ACT_NAME_DONE, /* is it the one? then the next state stands */
	ACT_TEXT,      /* a byte of raw text */
	ACT__MAX
};

struct move {
	enum html_state next; /* HTML__NONE: the state's `other` */
	enum action act;
	const char *refusal;
};

/* A state's moves by the class of the next byte, and what a value or a section means there. */
struct state {
	struct move on[CLASS__MAX];
	struct move other;
	const char *refusal; /* of a value; NULL: it may stand here */
	bool joins;          /* a section may stand here, between attributes */
};

#define UNQUOTED "an attribute's value is not quoted; write name=\"value\""
#define IN_TAG                                                                                     \
	"a value stands in a tag, outside of an attribute's quotes; name the attribute and quote " \
	"its value"
#define IN_NAME    "a tag's name is made by a template; write each name out"
#define IN_COMMENT "a value or section stands in a comment of HTML; use {{! }} for comments"
#define NO_SPACE                                                                                   \
	"no space between two attributes; where a section holds an attribute, begin it with the "  \
	"space: {{#x}} checked{{/x}}"
#define ODD_TAG "< begins no tag; write &lt;"

/* clang-format off */
static const struct state states[HTML__MAX] = {
	[HTML_DATA] = {
		.on = { [CLASS_LESS] = { .next = HTML_TAG_OPEN } },
		.other = { .next = HTML_DATA },
	},
	[HTML_TAG_OPEN] = {
		.on = {
			[CLASS_LETTER] = { HTML_TAG_NAME, ACT_TAG, NULL },
			[CLASS_SLASH] = { .next = HTML_END_OPEN },
			[CLASS_BANG] = { .next = HTML_MARKUP },
		},
		.other = { .refusal = ODD_TAG },
		.refusal = IN_NAME,
	},
	[HTML_END_OPEN] = {
		.on = { [CLASS_LETTER] = { HTML_TAG_NAME, ACT_END_TAG, NULL } },
		.other = { .refusal = ODD_TAG },
		.refusal = IN_NAME,
	},
	[HTML_TAG_NAME] = {
		.on = {
			[CLASS_SPACE] = { .next = HTML_SPACE },
			[CLASS_SLASH] = { .next = HTML_SLASH },
			[CLASS_GREATER] = { HTML_DATA, ACT_CLOSE, NULL },
		},
		.other = { HTML_TAG_NAME, ACT_TAG_MORE, NULL },
		.refusal = IN_NAME,
		.joins = true,
	},
	[HTML_SPACE] = {
		.on = {
			[CLASS_SPACE] = { .next = HTML_SPACE },
			[CLASS_SLASH] = { .next = HTML_SLASH },
			[CLASS_GREATER] = { HTML_DATA, ACT_CLOSE, NULL },
			[CLASS_LETTER] = { HTML_ATTR_NAME, ACT_ATTR, NULL },
		},
		.other = { .refusal = "an attribute's name begins with a letter" },
		.refusal = IN_TAG,
		.joins = true,
	},
	[HTML_JOIN] = {
		.on = {
			[CLASS_SPACE] = { .next = HTML_SPACE },
			[CLASS_SLASH] = { .next = HTML_SLASH },
			[CLASS_GREATER] = { HTML_DATA, ACT_CLOSE, NULL },
		},
		.other = { .refusal = NO_SPACE },
		.refusal = IN_TAG,
		.joins = true,
	},
	[HTML_ATTR_NAME] = {
		.on = {
			[CLASS_SPACE] = { HTML_ATTR_AFTER, ACT_ATTR_DONE, NULL },
			[CLASS_SLASH] = { HTML_SLASH, ACT_ATTR_DONE, NULL },
			[CLASS_GREATER] = { HTML_DATA, ACT_CLOSE, NULL },
			[CLASS_EQUALS] = { HTML_VALUE_OPEN, ACT_ATTR_DONE, NULL },
			[CLASS_LESS] = { .refusal = "a tag is not closed before the next begins" },
			[CLASS_DOUBLE] = { .refusal = UNQUOTED },
			[CLASS_SINGLE] = { .refusal = UNQUOTED },
		},
		.other = { HTML_ATTR_NAME, ACT_ATTR_MORE, NULL },
		.refusal = "an attribute's name is made by a template; write each name out",
		.joins = true,
	},
	[HTML_ATTR_AFTER] = {
		.on = {
			[CLASS_SPACE] = { .next = HTML_ATTR_AFTER },
			[CLASS_SLASH] = { .next = HTML_SLASH },
			[CLASS_GREATER] = { HTML_DATA, ACT_CLOSE, NULL },
			[CLASS_EQUALS] = { .next = HTML_VALUE_OPEN },
			[CLASS_LETTER] = { HTML_ATTR_NAME, ACT_ATTR, NULL },
		},
		.other = { .refusal = "an attribute's name begins with a letter" },
		.refusal = IN_TAG,
		.joins = true,
	},
	[HTML_VALUE_OPEN] = {
		.on = {
			[CLASS_SPACE] = { .next = HTML_VALUE_OPEN },
			[CLASS_DOUBLE] = { HTML_VALUE_DOUBLE, ACT_VALUE, NULL },
			[CLASS_SINGLE] = { HTML_VALUE_SINGLE, ACT_VALUE, NULL },
		},
		.other = { .refusal = UNQUOTED },
		.refusal = UNQUOTED,
	},
	[HTML_VALUE_DOUBLE] = {
		.on = { [CLASS_DOUBLE] = { HTML_VALUE_AFTER, ACT_VALUE_DONE, NULL } },
		.other = { HTML_VALUE_DOUBLE, ACT_VALUE_MORE, NULL },
	},
	[HTML_VALUE_SINGLE] = {
		.on = { [CLASS_SINGLE] = { HTML_VALUE_AFTER, ACT_VALUE_DONE, NULL } },
		.other = { HTML_VALUE_SINGLE, ACT_VALUE_MORE, NULL },
	},
	[HTML_VALUE_AFTER] = {
		.on = {
			[CLASS_SPACE] = { .next = HTML_SPACE },
			[CLASS_SLASH] = { .next = HTML_SLASH },
			[CLASS_GREATER] = { HTML_DATA, ACT_CLOSE, NULL },
		},
		.other = { .refusal = NO_SPACE },
		.refusal = IN_TAG,
		.joins = true,
	},
	[HTML_SLASH] = {
		.on = { [CLASS_GREATER] = { HTML_DATA, ACT_CLOSE, NULL } },
		.other = { .refusal = "a slash in a tag belongs before its >" },
		.refusal = IN_TAG,
	},
	[HTML_MARKUP] = {
		.on = {
			[CLASS_DASH] = { .next = HTML_MARKUP_DASH },
			[CLASS_LETTER] = { .next = HTML_DECLARATION },
		},
		.other = { .refusal = ODD_TAG },
		.refusal = IN_COMMENT,
	},
	[HTML_MARKUP_DASH] = {
		.on = { [CLASS_DASH] = { .next = HTML_COMMENT } },
		.other = { .refusal = ODD_TAG },
		.refusal = IN_COMMENT,
	},
	[HTML_COMMENT] = {
		.on = { [CLASS_DASH] = { .next = HTML_COMMENT_DASH } },
		.other = { .next = HTML_COMMENT },
		.refusal = IN_COMMENT,
	},
	[HTML_COMMENT_DASH] = {
		.on = { [CLASS_DASH] = { .next = HTML_COMMENT_END } },
		.other = { .next = HTML_COMMENT },
		.refusal = IN_COMMENT,
	},
	[HTML_COMMENT_END] = {
		.on = { [CLASS_GREATER] = { .next = HTML_DATA } },
		/* "--!>" ends a comment too, and more dashes may follow: none is needed. */
		.other = { .refusal = "two dashes in a comment of HTML belong before its >" },
		.refusal = IN_COMMENT,
	},
	[HTML_DECLARATION] = {
		.on = { [CLASS_GREATER] = { .next = HTML_DATA } },
		.other = { .next = HTML_DECLARATION },
		.refusal = IN_COMMENT,
	},
	[HTML_RAW] = {
		.on = { [CLASS_LESS] = { HTML_RAW_OPEN, ACT_TEXT, NULL } },
		.other = { HTML_RAW, ACT_TEXT, NULL },
	},
	[HTML_RAW_OPEN] = {
		.on = { [CLASS_SLASH] = { .next = HTML_RAW_SLASH } },
		.other = { .refusal = ODD_TAG },
		.refusal = IN_NAME,
	},
	[HTML_RAW_SLASH] = {
		.on = { [CLASS_LETTER] = { HTML_RAW_NAME, ACT_NAME, NULL } },
		.other = { .refusal = ODD_TAG },
		.refusal = IN_NAME,
	},
	[HTML_RAW_NAME] = {
		.on = {
			[CLASS_GREATER] = { HTML_DATA, ACT_NAME_DONE, NULL },
			[CLASS_SPACE] = { .refusal = "an end tag of title or textarea ends at once: </title>" },
		},
		.other = { HTML_RAW_NAME, ACT_NAME_MORE, NULL },
		.refusal = IN_NAME,
	},
};

static const enum html_class classes[256] = {
	['\t'] = CLASS_SPACE, ['\n'] = CLASS_SPACE, ['\f'] = CLASS_SPACE, ['\r'] = CLASS_SPACE,
	[' '] = CLASS_SPACE,  ['<'] = CLASS_LESS,   ['>'] = CLASS_GREATER, ['/'] = CLASS_SLASH,
	['='] = CLASS_EQUALS, ['"'] = CLASS_DOUBLE, ['\''] = CLASS_SINGLE, ['!'] = CLASS_BANG,
	['-'] = CLASS_DASH,   ['a' ... 'z'] = CLASS_LETTER, ['A' ... 'Z'] = CLASS_LETTER,
};
/* clang-format on */

/* What an element holds, where that is not HTML. */
static const struct raw {
	const char *tag;
	bool values;         /* character references work: values may stand there */
	const char *refusal; /* of any text at all; NULL: text is fine */
} raws[] = {
	{ "title", true, NULL },
	{ "textarea", true, NULL },
	{ "script", false,
	  "the content security policy blocks inline scripts; put it in a file of static/" },
	{ "style", false,
	  "the content security policy blocks inline styles; put them in a file of static/" },
	{ "xmp", false, "xmp is obsolete; use pre" },
	{ "plaintext", false, "plaintext is obsolete; use pre" },
	{ "listing", false, "listing is obsolete; use pre" },
	{ "iframe", false, "an iframe holds no text" },
	{ "noembed", false, "noembed is obsolete" },
	{ "noframes", false, "noframes is obsolete" },
};

enum attr_kind { ATTR_PLAIN, ATTR_URL, ATTR_REFUSED, ATTR_NO_VALUES };

static const struct attr {
	const char *name;
	enum attr_kind kind;
	const char *refusal;
} attrs[] = {
	{ "href", ATTR_URL, NULL },
	{ "src", ATTR_URL, NULL },
	{ "action", ATTR_URL, NULL },
	{ "formaction", ATTR_URL, NULL },
	{ "poster", ATTR_URL, NULL },
	{ "cite", ATTR_URL, NULL },
	{ "data", ATTR_URL, NULL },
	{ "background", ATTR_URL, NULL },
	{ "longdesc", ATTR_URL, NULL },
	{ "manifest", ATTR_URL, NULL },
	{ "usemap", ATTR_URL, NULL },
	{ "icon", ATTR_URL, NULL },
	{ "codebase", ATTR_URL, NULL },
	{ "classid", ATTR_URL, NULL },
	{ "profile", ATTR_URL, NULL },
	{ "xlink:href", ATTR_URL, NULL },
	{ "style", ATTR_REFUSED,
	  "the content security policy blocks style attributes; use a class" },
	{ "srcdoc", ATTR_REFUSED, "srcdoc holds a whole document, which no escape fits; use src" },
	{ "srcset", ATTR_NO_VALUES, "srcset holds a list of URLs, which no escape fits; use src" },
	{ "imagesrcset", ATTR_NO_VALUES, "imagesrcset holds a list of URLs, which no escape fits" },
	{ "ping", ATTR_NO_VALUES, "ping holds a list of URLs, which no escape fits" },
	{ "archive", ATTR_NO_VALUES, "archive holds a list of URLs, which no escape fits" },
	{ "http-equiv", ATTR_NO_VALUES, "http-equiv is written out" },
	{ "sandbox", ATTR_NO_VALUES, "sandbox is written out" },
	{ "attributename", ATTR_NO_VALUES, "an animation's attribute is written out" },
	{ "from", ATTR_NO_VALUES, "an animation may set URLs; its values are written out" },
	{ "to", ATTR_NO_VALUES, "an animation may set URLs; its values are written out" },
	{ "by", ATTR_NO_VALUES, "an animation may set URLs; its values are written out" },
	{ "values", ATTR_NO_VALUES, "an animation may set URLs; its values are written out" },
};

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const struct raw *raw_find(const char *tag)
{
	for (size_t i = 0; i < COUNT(raws); i++)
		if (strcmp(raws[i].tag, tag) == 0)
			return &raws[i];
	return NULL;
}

static const struct attr *attr_of(const char *name)
{
	static const struct attr plain = { "", ATTR_PLAIN, NULL };
	static const struct attr handler = {
		"on*", ATTR_REFUSED,
		"the content security policy blocks on* attributes; listen in a file of static/"
	};

	if (strncmp(name, "on", 2) == 0)
		return &handler;
	for (size_t i = 0; i < COUNT(attrs); i++)
		if (strcmp(attrs[i].name, name) == 0)
			return &attrs[i];
	return &plain;
}

static char lower(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static const char *append(char name[HTML_NAME_MAX], char c)
{
	size_t n = strlen(name);

	if (n + 1 == HTML_NAME_MAX)
		return "a name of a tag or an attribute is longer than any known one";
	name[n] = lower(c);
	name[n + 1] = '\0';
	return NULL;
}

static const char *restart(char name[HTML_NAME_MAX], char c)
{
	memset(name, 0, HTML_NAME_MAX);
	return append(name, c);
}

static const char *act_none(struct html *h, char c)
{
	(void)h;
	(void)c;
	return NULL;
}

static const char *act_tag(struct html *h, char c)
{
	h->end_tag = h->refresh = h->content = false;
	memset(h->attr, 0, sizeof(h->attr));
	return restart(h->tag, c);
}

static const char *act_tag_more(struct html *h, char c)
{
	return append(h->tag, c);
}

static const char *act_end_tag(struct html *h, char c)
{
	const char *why = act_tag(h, c);

	h->end_tag = true;
	return why;
}

static const char *act_attr(struct html *h, char c)
{
	return restart(h->attr, c);
}

static const char *act_attr_more(struct html *h, char c)
{
	return append(h->attr, c);
}

static const char *act_attr_done(struct html *h, char c)
{
	const struct attr *attr = attr_of(h->attr);

	(void)c;
	if (h->end_tag)
		return "an end tag has no attributes";
	if (attr->kind == ATTR_REFUSED)
		return attr->refusal;
	if (strcmp(h->attr, "http-equiv") == 0) {
		if (h->content)
			return "http-equiv gives the content attribute a meaning that no escape "
			       "fits";
		h->refresh = true;
	}
	return NULL;
}

static const char *act_value(struct html *h, char c)
{
	(void)c;
	h->url = attr_of(h->attr)->kind == ATTR_URL ? HTML_URL_START : HTML_URL_NONE;
	h->slashes = 0;
	memset(h->scheme, 0, sizeof(h->scheme));
	return NULL;
}

static const char *url_first(struct html *h, char c)
{
	switch (c) {
	case '/':
		h->url = HTML_URL_SLASH;
		return NULL;
	case '?':
	case '#':
		h->url = HTML_URL_REST;
		return NULL;
	default:
		break;
	}
	if (classes[(unsigned char)c] != CLASS_LETTER && c != '.')
		return "a URL begins with {{url x}}, /, ?, #, a relative path, http, https or "
		       "mailto";
	h->url = HTML_URL_WORD;
	h->scheme[0] = lower(c);
	return NULL;
}

static const char *url_slash(struct html *h, char c)
{
	if (c == '/' || c == '\\')
		return "two slashes begin another site's address; write https:// or one slash";
	h->url = HTML_URL_REST;
	return NULL;
}

/* "/{{a}}/{{b}}" without an a would be the address of the host b. */
static const char *url_in_first(struct html *h, char c)
{
	if (c == '/' || c == '\\')
		return "a path's first segment could be empty, which makes the next a host; begin "
		       "the "
		       "path with a literal word";
	h->url = HTML_URL_REST;
	return NULL;
}

/* Up to the colon of a scheme, or what shows that there is none. */
static const char *url_word(struct html *h, char c)
{
	size_t n = strlen(h->scheme);

	if (c == '/' || c == '?' || c == '#') {
		h->url = HTML_URL_REST;
	} else if (c == ':') {
		if (strcmp(h->scheme, "mailto") == 0)
			h->url = HTML_URL_REST;
		else if (strcmp(h->scheme, "http") == 0 || strcmp(h->scheme, "https") == 0)
			h->url = HTML_URL_ORIGIN;
		else
			return "a URL's scheme is http, https or mailto";
	} else if (n + 1 < sizeof(h->scheme)) {
		h->scheme[n] = lower(c);
	}
	return NULL;
}

static const char *url_origin(struct html *h, char c)
{
	if (h->slashes < 2)
		return c == '/' && ++h->slashes ? NULL : "a URL's scheme is followed by ://";
	if (c != '/' && c != '?' && c != '#')
		h->slashes = 3;
	else if (h->slashes < 3)
		return "a URL's host is missing";
	else
		h->url = HTML_URL_REST;
	return NULL;
}

static const char *url_given(struct html *h, char c)
{
	if (c == '?' || c == '#') {
		h->url = HTML_URL_REST;
		return NULL;
	}
	return "only ? or # may follow {{url x}}: it could be / alone, or a host without a path";
}

static const char *(*const urls[HTML_URL__MAX])(struct html *, char) = {
	[HTML_URL_NONE] = act_none,   [HTML_URL_START] = url_first,
	[HTML_URL_SLASH] = url_slash, [HTML_URL_FIRST] = url_in_first,
	[HTML_URL_WORD] = url_word,   [HTML_URL_ORIGIN] = url_origin,
	[HTML_URL_GIVEN] = url_given, [HTML_URL_REST] = act_none,
};

static const char *act_value_more(struct html *h, char c)
{
	/* Browsers drop these from URLs, so that what stands around them closes up. */
	if (h->url != HTML_URL_NONE && (c == '\t' || c == '\n' || c == '\r'))
		return "a URL holds no tab and no line break";
	/* A reference could hide a scheme or a slash from the rules for URLs. */
	if (h->url != HTML_URL_NONE && h->url != HTML_URL_REST && c == '&')
		return "a URL begins in plain characters, without references";
	return urls[h->url](h, c);
}

static const char *act_value_done(struct html *h, char c)
{
	(void)c;
	h->url = HTML_URL_NONE;
	memset(h->scheme, 0, sizeof(h->scheme));
	return NULL;
}

static const char *act_close(struct html *h, char c)
{
	const char *why = h->state == HTML_ATTR_NAME ? act_attr_done(h, c) : NULL;

	if (why)
		return why;
	if (!h->end_tag && raw_find(h->tag)) {
		if (h->state == HTML_SLASH)
			return "this element does not end with />; write its end tag";
		h->state = HTML_RAW;
	}
	/* The parser drops a line feed here (WHATWG HTML, 13.2.6.4.7), also one of a value. */
	h->fresh = !h->end_tag && (!strcmp(h->tag, "textarea") || !strcmp(h->tag, "pre"));
	return NULL;
}

static const char *act_name(struct html *h, char c)
{
	return restart(h->name, c);
}

static const char *act_name_more(struct html *h, char c)
{
	return append(h->name, c);
}

static const char *act_name_done(struct html *h, char c)
{
	(void)c;
	if (strcmp(h->name, h->tag) != 0)
		return "another element's end tag; write &lt; here";
	memset(h->name, 0, sizeof(h->name));
	return NULL;
}

static const char *act_text(struct html *h, char c)
{
	const struct raw *raw = raw_find(h->tag);
	enum html_class class = classes[(unsigned char)c];

	return class == CLASS_SPACE || class == CLASS_LESS ? NULL : raw->refusal;
}

static const char *(*const actions[ACT__MAX])(struct html *, char) = {
	[ACT_NONE] = act_none,
	[ACT_TAG] = act_tag,
	[ACT_TAG_MORE] = act_tag_more,
	[ACT_END_TAG] = act_end_tag,
	[ACT_ATTR] = act_attr,
	[ACT_ATTR_MORE] = act_attr_more,
	[ACT_ATTR_DONE] = act_attr_done,
	[ACT_VALUE] = act_value,
	[ACT_VALUE_MORE] = act_value_more,
	[ACT_VALUE_DONE] = act_value_done,
	[ACT_CLOSE] = act_close,
	[ACT_NAME] = act_name,
	[ACT_NAME_MORE] = act_name_more,
	[ACT_NAME_DONE] = act_name_done,
	[ACT_TEXT] = act_text,
};

struct html html_begin(void)
{
	return (struct html){ .state = HTML_DATA };
}

const char *html_feed(struct html *h, char c)
{
	const struct state *state = &states[h->state];
	const struct move *move = &state->on[classes[(unsigned char)c]];
	enum html_state before = h->state;
	const char *why;

	if (move->next == HTML__NONE && !move->refusal)
		move = &state->other;
	if (move->refusal)
		return move->refusal;
	h->fresh = false;
	why = actions[move->act](h, c);
	/* An action may decide otherwise: the end of a tag whose element holds raw text. */
	if (!why && h->state == before)
		h->state = move->next;
	return why;
}

static const char *value_in_url(struct html *h, enum tpl_filter filter, enum tpl_escape *escape)
{
	static const char *const refusals[HTML_URL__MAX] = {
		[HTML_URL_START] = "a URL begins with {{url x}} or a literal path",
		[HTML_URL_WORD] = "a value could complete the URL's scheme; begin with {{url x}} "
				  "or a literal path",
		[HTML_URL_ORIGIN] =
			"a value stands in a URL's host; use {{url x}} for the whole URL",
		[HTML_URL_GIVEN] =
			"a value could lengthen the host of {{url x}}; put ? or # between "
			"them",
	};

	if (filter == TPL_FILTER_URL) {
		if (h->url != HTML_URL_START)
			return "{{url x}} is a whole URL; it stands at its beginning";
		h->url = HTML_URL_GIVEN;
		*escape = TPL_ESCAPE_URL;
		return NULL;
	}
	if (filter != TPL_FILTER_NONE)
		return "only {{x}} and {{url x}} stand in a URL";
	if (h->url == HTML_URL_SLASH)
		h->url = HTML_URL_FIRST;
	*escape = TPL_ESCAPE_COMPONENT;
	return refusals[h->url];
}

static bool is_quoted(const struct html *h)
{
	return h->state == HTML_VALUE_DOUBLE || h->state == HTML_VALUE_SINGLE;
}

static const char *value_in_attr(struct html *h, enum tpl_filter filter, enum tpl_escape *escape)
{
	const struct attr *attr = attr_of(h->attr);

	if (attr->kind == ATTR_NO_VALUES)
		return attr->refusal;
	if (strcmp(h->attr, "content") == 0) {
		if (h->refresh)
			return "http-equiv gives the content attribute a meaning that no escape "
			       "fits";
		h->content = true;
	}
	if (h->url != HTML_URL_NONE)
		return value_in_url(h, filter, escape);
	return NULL;
}

const char *html_value(struct html *h, enum tpl_filter filter, enum tpl_escape *escape)
{
	static const enum tpl_escape in_text[] = {
		[TPL_FILTER_NONE] = TPL_ESCAPE_HTML,
		[TPL_FILTER_ONCE] = TPL_ESCAPE_HTML,
		[TPL_FILTER_NUMBER] = TPL_ESCAPE_NUMBER,
		[TPL_FILTER_DURATION] = TPL_ESCAPE_DURATION,
		[TPL_FILTER_URL] = TPL_ESCAPE_URL,
		[TPL_FILTER_TIME] = TPL_ESCAPE_TIME,
		[TPL_FILTER_JSON] = TPL_ESCAPE_JSON,
	};
	const struct raw *raw = h->state == HTML_RAW ? raw_find(h->tag) : NULL;

	h->fresh = false;
	if (states[h->state].refusal)
		return states[h->state].refusal;
	if (raw && !raw->values)
		return raw->refusal;
	*escape = in_text[filter];
	if (filter == TPL_FILTER_TIME && h->state != HTML_DATA)
		*escape = TPL_ESCAPE_TIME_TEXT;
	return is_quoted(h) ? value_in_attr(h, filter, escape) : NULL;
}

const char *html_section(struct html *h)
{
	const struct state *state = &states[h->state];

	h->fresh = false;
	if (state->joins) {
		const char *why = h->state == HTML_ATTR_NAME ? act_attr_done(h, ' ') : NULL;

		h->state = HTML_JOIN;
		memset(h->attr, 0, sizeof(h->attr));
		return why;
	}
	if (h->state == HTML_RAW && !raw_find(h->tag)->values)
		return raw_find(h->tag)->refusal;
	return state->refusal;
}

bool html_same(const struct html *a, const struct html *b)
{
	if (a->state != b->state || a->url != b->url || a->slashes != b->slashes)
		return false;
	if (a->state == HTML_DATA)
		return true;
	return a->end_tag == b->end_tag && strcmp(a->tag, b->tag) == 0 &&
	       strcmp(a->scheme, b->scheme) == 0 &&
	       (!is_quoted(a) || strcmp(a->attr, b->attr) == 0);
}

const char *html_end(const struct html *h)
{
	return h->state == HTML_DATA ? NULL
	                             : "the template ends inside a tag, a comment or raw text";
}
