/*
 * Two stages, a stretch of the body at a time: the first turns blocks into the places where something
 * begins (a mark, a string, a number or word), the second reads the grammar from place to place, and
 * never looks into a string.
 */
#include "config.h"

#include "lib/base/utf8.h"
#include "lib/json/check.h"
#include "lib/json/block.h"
#include "lib/json/index.h"
#include "lib/base/poison.h"

#ifdef BLOCK_IS_HERE

#define STRETCH        4096 /* bytes between two stages; a multiple of BLOCK_SIZE */
#define NODES_FIRST    256
#define BYTES_PER_NODE 64        /* a body has no more nodes than one for so many bytes, */
#define NODES_MAX      (1 << 17) /* and no more than that: 3 MiB */
#define NODE_DEPTH     4         /* containers deeper than that are not noted */
#define NUMBER_PLAIN   16000     /* a longer number may be one that no numeric holds */
#define NOWHERE        SIZE_MAX

struct lexer {
	struct str text;
	size_t at;          /* the next block */
	uint64_t in_string; /* all ones: the last block ended within a string */
	uint64_t in_scalar; /* 1: it ended within a number or a word */
	uint64_t escaped;   /* 1: its last byte takes the meaning off the next */
	size_t utf8_end;    /* as far as bytes above 0x7F are known to be characters */
	size_t low;         /* where the second half of a surrogate pair has to stand */
	unsigned flags;
	bool wrong;
	size_t count;
	uint32_t places[STRETCH];
	uint32_t open[NODE_DEPTH]; /* the nodes of the outermost open containers; of stage two */
};

/*
 * Stage one
 */

enum escape { ESCAPE_WRONG, ESCAPE_SHORT, ESCAPE_UNIT };

static enum escape escape_kind(unsigned char c)
{
	static const unsigned char kinds[256] = {
		['"'] = ESCAPE_SHORT, ['\\'] = ESCAPE_SHORT, ['/'] = ESCAPE_SHORT,
		['b'] = ESCAPE_SHORT, ['f'] = ESCAPE_SHORT,  ['n'] = ESCAPE_SHORT,
		['r'] = ESCAPE_SHORT, ['t'] = ESCAPE_SHORT,  ['u'] = ESCAPE_UNIT,
	};

	return (enum escape)kinds[c];
}

/* The unit of the escape at that place, or -1. */
static int unit_of(struct str text, size_t at)
{
	int unit = 0;

	if (text.len < 6 || at > text.len - 6 || text.p[at] != '\\' || text.p[at + 1] != 'u')
		return -1;
	for (int i = 2; i < 6; i++) {
		int digit = str_hex_digit(text.p[at + (size_t)i]);

		if (digit < 0)
			return -1;
		unit = unit << 4 | digit;
	}
	return unit;
}

/* A high half has to be followed by a low one; each low half needs a high one before it. */
static void unit_read(struct lexer *l, size_t at)
{
	int unit = unit_of(l->text, at), next;

	if (unit < 0)
		l->wrong = true;
	if (unit == 0)
		l->flags |= SCAN_HAS_NUL;
	if (unit < 0xD800 || unit > 0xDFFF || at == l->low)
		return;
	next = unit < 0xDC00 ? unit_of(l->text, at + 6) : -1;
	if (next >= 0xDC00 && next <= 0xDFFF)
		l->low = at + 6;
	else
		l->flags |= SCAN_LONE_SURROGATE;
}

/* The bits of what stands behind a backslash, which is looked at too. */
static uint64_t escapes_read(struct lexer *l, uint64_t backslash)
{
	uint64_t escaped = l->escaped;

	backslash &= ~escaped;
	l->escaped = 0;
	while (backslash) {
		unsigned bit = (unsigned)__builtin_ctzll(backslash);
		size_t at = l->at + bit;
		enum escape kind = at + 1 < l->text.len
		                           ? escape_kind((unsigned char)l->text.p[at + 1])
		                           : ESCAPE_WRONG;

		l->wrong |= kind == ESCAPE_WRONG;
		if (kind == ESCAPE_UNIT)
			unit_read(l, at);
		if (bit == 63) {
			l->escaped = 1;
			break;
		}
		escaped |= UINT64_C(2) << bit;
		backslash &= ~(UINT64_C(3) << bit);
	}
	return escaped;
}

/* All code points that begin in this block; one may end in the next. */
static void utf8_read(struct lexer *l, uint64_t high)
{
	while (high) {
		size_t at = l->at + (unsigned)__builtin_ctzll(high);
		uint32_t cp;

		if (at >= l->utf8_end) {
			const unsigned char *p = (const unsigned char *)l->text.p + at;
			size_t n = utf8_decode(p, l->text.len - at, &cp);

			l->wrong |= n == 0;
			l->utf8_end = at + n;
		}
		high &= high - 1;
	}
}

/* Control characters stand nowhere but for three, and those outside of strings. */
static void odd_read(struct lexer *l, const char *p, uint64_t odd, uint64_t in_string)
{
	uint64_t high = block_high(p), control = odd & ~high;

	l->wrong |= (control & in_string) != 0;
	for (; control; control &= control - 1) {
		char c = p[__builtin_ctzll(control)];

		l->wrong |= c != '\n' && c != '\r' && c != '\t';
	}
	utf8_read(l, high);
}

/* Where something begins in this block: a bit each. */
static inline uint64_t block_lex(struct lexer *l, const char *p)
{
	struct block b = block_read(p);
	uint64_t quote = b.quote, in_string, scalar, behind;

	if (b.backslash | l->escaped)
		quote &= ~escapes_read(l, b.backslash);
	in_string = block_parity(quote) ^ l->in_string;
	l->in_string = (uint64_t)((int64_t)in_string >> 63);
	if (b.odd)
		odd_read(l, p, b.odd, in_string);
	scalar = ~(b.mark | b.space);
	behind = (scalar & ~quote) << 1 | l->in_scalar;
	l->in_scalar = (scalar & ~quote) >> 63;
	/* of a string its first quote only */
	return (b.mark | (scalar & ~behind)) & ~(in_string ^ quote);
}

static inline void places_add(struct lexer *l, uint64_t bits)
{
	uint32_t *out = l->places + l->count, base = (uint32_t)l->at;

	while (bits) {
		*out++ = base + (uint32_t)__builtin_ctzll(bits);
		bits &= bits - 1;
	}
	l->count = (size_t)(out - l->places);
}

/* The last block is filled up with spaces. */
static void last_block_lex(struct lexer *l)
{
	char last[BLOCK_SIZE];

	memset(last, ' ', sizeof(last));
	memcpy(last, l->text.p + l->at, l->text.len - l->at);
	places_add(l, block_lex(l, last));
	l->at = l->text.len;
}

/* The next stretch's places. False: the body has ended, or is wrong. */
static __attribute__((noinline)) bool stretch_lex(struct lexer *l)
{
	size_t end = l->text.len - l->at > STRETCH ? l->at + STRETCH : l->text.len;

	l->count = 0;
	for (; end - l->at >= BLOCK_SIZE; l->at += BLOCK_SIZE)
		places_add(l, block_lex(l, l->text.p + l->at));
	if (l->at < end)
		last_block_lex(l);
	return !l->wrong;
}

/*
 * Numbers and words. The text ends with a bracket, so that none of them does.
 */

static bool ends_scalar(char c)
{
	return c == ',' || c == '}' || c == ']' || c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static inline bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static inline const char *digits_end(const char *p)
{
	while (is_digit(*p))
		p++;
	return p;
}

/* Behind the digits, of which there has to be one; NULL: there is none. */
static inline const char *some_digits(const char *p)
{
	return p && is_digit(*p) ? digits_end(p + 1) : NULL;
}

static inline const char *exponent_end(const char *p, unsigned *flags)
{
	*flags |= SCAN_HUGE_NUMBER; /* it may be */
	p++;
	return some_digits(p + (*p == '+' || *p == '-'));
}

static inline bool number_read(const char *p, unsigned *flags)
{
	const char *start = p;

	p += *p == '-';
	p = *p == '0' ? p + 1 : some_digits(p);
	if (p && *p == '.')
		p = some_digits(p + 1);
	if (p && (*p == 'e' || *p == 'E'))
		p = exponent_end(p, flags);
	if (p && p - start > NUMBER_PLAIN)
		*flags |= SCAN_HUGE_NUMBER;
	return p && ends_scalar(*p);
}

static bool word_read(const char *p, const char *end)
{
	static const struct str words[] = { STR("true"), STR("false"), STR("null") };

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (*p == words[i].p[0] && (size_t)(end - p) > words[i].len &&
		    memcmp(p, words[i].p, words[i].len) == 0)
			return ends_scalar(p[words[i].len]);
	return false;
}

/*
 * Stage two
 */

struct grammar {
	struct lexer *lexer;
	struct scan_index *index;
	const char *text;
	const uint32_t *place, *places_end;
	uint64_t objects; /* a bit for each open container, the innermost lowest */
	unsigned depth, flags;
};

static const char nothing[] = "";

/* The next place, or one where nothing stands that a grammar wants. */
static inline const char *take(struct grammar *g)
{
	while (g->place == g->places_end) {
		struct lexer *l = g->lexer;

		if (l->at == l->text.len || !stretch_lex(l))
			return nothing;
		g->place = l->places;
		g->places_end = l->places + l->count;
	}
	return g->text + *g->place++;
}

/* Room for one more node; false: there shall be no more. */
static __attribute__((noinline)) bool nodes_grow(struct scan_index *index)
{
	size_t wish = index->body.len / BYTES_PER_NODE, most = wish < NODES_MAX ? wish : NODES_MAX;
	size_t capacity = index->capacity ? (size_t)index->capacity * 2 : NODES_FIRST;
	struct scan_node *bigger;

	if (index->arena == NULL || index->full || index->capacity >= most)
		return false;
	bigger = arena_array(index->arena, capacity, sizeof(*bigger));
	index->full = bigger == NULL;
	if (index->full)
		return false;
	if (index->count > 0)
		memcpy(bigger, index->nodes, index->count * sizeof(*bigger));
	index->nodes = bigger;
	index->capacity = (uint32_t)capacity;
	return true;
}

static inline bool push(struct grammar *g, const char *p, bool object)
{
	struct scan_index *index = g->index;

	if (g->depth == CHECK_DEPTH_MAX)
		return false;
	if (g->depth < NODE_DEPTH) {
		bool room = index->count < index->capacity || nodes_grow(index);

		g->lexer->open[g->depth] = room ? index->count : UINT32_MAX;
		if (room)
			index->nodes[index->count++].start = p;
	}
	g->depth++;
	g->objects = g->objects << 1 | object;
	return true;
}

static inline void pop(struct grammar *g, const char *p)
{
	g->depth--;
	g->objects >>= 1;
	if (g->depth < NODE_DEPTH && g->lexer->open[g->depth] != UINT32_MAX) {
		struct scan_node *node = &g->index->nodes[g->lexer->open[g->depth]];

		node->end = p + 1;
		node->after = g->index->count - g->lexer->open[g->depth];
	}
}

/* A number or a word. */
static inline bool scalar_read(struct grammar *g, const char *p)
{
	if (*p == '-' || is_digit(*p))
		return number_read(p, &g->flags);
	return word_read(p, g->text + g->lexer->text.len);
}

/* RFC 8259 from place to place. */
static inline bool document(struct grammar *g)
{
	const char *p = take(g);

value:
	switch (*p) {
	case '{':
		if (!push(g, p, true))
			return false;
		p = take(g);
		if (*p == '}')
			goto close;
		goto member;
	case '[':
		if (!push(g, p, false))
			return false;
		p = take(g);
		if (*p == ']')
			goto close;
		goto value;
	case '"':
		break;
	default:
		if (!scalar_read(g, p))
			return false;
	}
behind:
	p = take(g);
	if (*p == ',') {
		p = take(g);
		if (!(g->objects & 1))
			goto value;
	member:
		if (*p != '"' || *take(g) != ':')
			return false;
		p = take(g);
		goto value;
	}
	if (*p != (g->objects & 1 ? '}' : ']'))
		return false;
close:
	pop(g, p);
	if (g->depth > 0)
		goto behind;
	return take(g) == nothing;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

/* One container and nothing around it, as far as its ends tell. */
static bool looks_whole(struct str s)
{
	return s.len > 1 && s.len < UINT32_MAX && (s.p[0] == '{' || s.p[0] == '[') &&
	       (s.p[s.len - 1] == '}' || s.p[s.len - 1] == ']');
}

static struct str inside(struct str s)
{
	if (str_starts(s, "\xEF\xBB\xBF"))
		s = str_after(s, 3);
	while (s.len > 0 && is_space(s.p[0]))
		s = str_after(s, 1);
	while (s.len > 0 && is_space(s.p[s.len - 1]))
		s.len--;
	return s;
}

bool index_text(struct str text, struct scan_index *index, struct str *value)
{
	struct lexer lexer;
	struct grammar g = { .lexer = &lexer, .index = index };
	bool ok;

	text = inside(text);
	if (!looks_whole(text))
		return false;
	lexer.text = text;
	lexer.at = lexer.utf8_end = lexer.count = 0;
	lexer.in_string = lexer.in_scalar = lexer.escaped = 0;
	lexer.low = NOWHERE;
	lexer.flags = 0;
	lexer.wrong = false;
	g.text = text.p;
	index->body = text;
	ok = document(&g) && !lexer.wrong && lexer.in_string == 0 && lexer.at == text.len;
	index->flags = g.flags | lexer.flags;
	*value = text;
	return ok;
}

#else

bool index_text(struct str text, struct scan_index *index, struct str *value)
{
	(void)text;
	(void)index;
	(void)value;
	return false;
}

#endif
