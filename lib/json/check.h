/*
 * check - the one strict JSON grammar of the house (RFC 8259), for scan.c and json.c
 *
 * One pass, no recursion, no memory: the containers that are open are bits of one word.
 *
 * Ownership: none; `at` points into the text.
 * Errors:    a fault with the place and what was expected there.
 * Threads:   pure.
 */
#ifndef CATCHMENT_JSON_CHECK_H
#define CATCHMENT_JSON_CHECK_H

#include "lib/base/str.h"

#define CHECK_DEPTH_MAX 64 /* bits of the word; the public maxima are the same */

enum check_fault {
	CHECK_OK,
	CHECK_EMPTY,    /* nothing but white space */
	CHECK_UTF8,     /* a string that is not UTF-8 */
	CHECK_DEEP,     /* the 65th open container */
	CHECK_TRAILING, /* something behind the value */
	CHECK_SYNTAX
};

struct check {
	enum check_fault fault;
	const char *wanted; /* "a value", for a sentence; set with CHECK_SYNTAX */
	size_t at;          /* byte of the fault, counted from the start of the text */
	size_t values;      /* all values, containers too */
	size_t minus_zeros; /* numbers written -0, which an integer cannot keep */
	struct str value;   /* the whole value's bytes */
};

/* A byte order mark in front is skipped once. True when the text is one JSON value. */
bool check_text(struct str text, struct check *);
/* Line and column (both from 1, columns in code points) of a byte. */
void check_place(struct str text, size_t at, size_t *line, size_t *column);

#endif
