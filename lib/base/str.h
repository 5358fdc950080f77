/*
 * str - a borrowed span of bytes, and the few questions we ask of text
 *
 * Ownership: a struct str owns nothing; it is valid as long as what it points into.
 * Errors:    none; parsers return false and leave *out alone.
 * Threads:   all functions are pure.
 */
#ifndef CATCHMENT_BASE_STR_H
#define CATCHMENT_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct str {
	const char *p; /* not NUL-terminated unless its maker says so */
	size_t len;    /* bytes */
};

#define STR(literal) ((struct str){ (literal), sizeof(literal) - 1 })
#define STR_FMT      "%.*s"
#define STR_ARG(s)   (int)(s).len, (s).p

struct str str_of(const char *text); /* NULL gives the empty span */
bool str_eq(struct str a, struct str b);
bool str_eq_text(struct str a, const char *text);
bool str_eq_nocase(struct str a, const char *text); /* ASCII only */
bool str_is_token(struct str s); /* RFC 9110 5.6.2: what names of header fields are made of */
bool str_starts(struct str s, const char *prefix);
bool str_ends(struct str s, const char *suffix);
struct str str_trim(struct str s);            /* ASCII white space at both ends */
struct str str_after(struct str s, size_t n); /* without its first n bytes; empty when shorter */
bool str_cut(struct str s, char at, struct str *head, struct str *tail); /* at the first `at` */
bool str_int(struct str s, int64_t min, int64_t max, int64_t *out);      /* whole text, decimal */
int str_hex_digit(char c);           /* 0 to 15, either case; -1: it is none */
bool str_utf8_valid(struct str s);   /* RFC 3629: no overlong forms, no surrogates */
size_t str_utf8_count(struct str s); /* code points of valid UTF-8 */
/* The next code point of valid UTF-8, advancing *s; 0xFFFD and one byte forward on bad input. */
uint32_t str_utf8_next(struct str *s);

#endif
