/* credential: the forms of secrets that issuers chose, and the look of random text. */
#include "config.h"

#include <ctype.h>
#include <math.h>

#include "engine/credential.h"

#include "lib/base/poison.h"

#define DISTINCT_MIN   5   /* fewer different characters are a mask: "xxxx-xxxx" */
#define RANDOM_MIN     24  /* shorter runs are words and versions */
#define RANDOM_ENTROPY 3.3 /* bits per character; 32 random hex digits have about 3.6 */

struct form {
	const char *prefix;
	size_t tail_min; /* token characters that must follow */
};

static const struct form forms[] = {
	{ "shpat_", 16 },  { "shpca_", 16 },   { "shppa_", 16 },      { "shpss_", 16 },
	{ "sk_live_", 8 }, { "sk_test_", 8 },  { "rk_live_", 8 },     { "rk_test_", 8 },
	{ "whsec_", 16 },  { "ghp_", 20 },     { "gho_", 20 },        { "ghu_", 20 },
	{ "ghs_", 20 },    { "ghr_", 20 },     { "github_pat_", 20 }, { "glpat-", 16 },
	{ "xoxb-", 16 },   { "xoxp-", 16 },    { "xoxa-", 16 },       { "xapp-", 16 },
	{ "AKIA", 16 },    { "ASIA", 16 },     { "AIza", 30 },        { "ya29.", 20 },
	{ "sk-ant-", 16 }, { "sk-proj-", 16 }, { "SG.", 20 },         { "key-", 32 },
	{ "npm_", 30 },    { "hf_", 30 },      { "dop_v1_", 32 },     { "lin_api_", 20 },
	{ "secret_", 40 }, { "ctm_", 30 },     { "eyJ", 20 },
};

/* A scheme's name followed by a literal token: "Bearer abc...". */
static const struct form schemes[] = {
	{ "Bearer ", 12 }, { "Basic ", 8 }, { "Token ", 16 }, { "token ", 16 }, { "ApiKey ", 16 },
};

static bool token_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '-' || c == '.' || c == '+' ||
	       c == '/' || c == '=';
}

static size_t token_len(struct str s)
{
	size_t n = 0;

	while (n < s.len && token_char(s.p[n]))
		n++;
	return n;
}

static size_t distinct(struct str s)
{
	bool seen[256] = { false };
	size_t n = 0;

	for (size_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.p[i];

		n += !seen[c];
		seen[c] = true;
	}
	return n;
}

static bool form_at(struct str here, const struct form *table, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct str tail;

		if (!str_starts(here, table[i].prefix))
			continue;
		tail = str_after(here, strlen(table[i].prefix));
		tail.len = token_len(tail);
		if (tail.len >= table[i].tail_min && distinct(tail) >= DISTINCT_MIN)
			return true;
	}
	return false;
}

bool credential_has_known_form(struct str text)
{
	for (size_t i = 0; i < text.len; i++) {
		struct str here = str_after(text, i);

		if (i > 0 && isalnum((unsigned char)text.p[i - 1]))
			continue;
		if (str_starts(here, "-----BEGIN ") ||
		    form_at(here, forms, sizeof forms / sizeof *forms) ||
		    form_at(here, schemes, sizeof schemes / sizeof *schemes))
			return true;
	}
	return false;
}

static double entropy(struct str s)
{
	size_t counts[256] = { 0 };
	double bits = 0;

	for (size_t i = 0; i < s.len; i++)
		counts[(unsigned char)s.p[i]]++;
	for (size_t i = 0; i < 256; i++) {
		double p = (double)counts[i] / (double)s.len;

		if (counts[i])
			bits -= p * log2(p);
	}
	return bits;
}

/* Random text mixes digits into its letters all along; words, paths and media types do not. */
static bool run_is_random(struct str run)
{
	size_t digits = 0, letters = 0, turns = 0;

	if (run.len < RANDOM_MIN)
		return false;
	for (size_t i = 0; i < run.len; i++) {
		unsigned char c = (unsigned char)run.p[i];

		digits += isdigit(c) != 0;
		letters += isalpha(c) != 0;
		if (i > 0)
			turns += (isdigit(c) != 0) != (isdigit((unsigned char)run.p[i - 1]) != 0);
	}
	return digits >= 3 && letters >= 3 && turns >= 4 && entropy(run) >= RANDOM_ENTROPY;
}

static size_t placeholder_len(struct str s)
{
	const char *end = s.len && *s.p == '{' ? memchr(s.p, '}', s.len) : NULL;

	return end ? (size_t)(end - s.p) + 1 : 0;
}

bool credential_looks_random(struct str text)
{
	while (text.len > 0) {
		size_t n = placeholder_len(text);

		if (n == 0) {
			while (n < text.len && text.p[n] != '{' && token_char(text.p[n]) &&
			       text.p[n] != '.' && text.p[n] != '/')
				n++;
			if (run_is_random((struct str){ text.p, n }))
				return true;
		}
		text = str_after(text, n ? n : 1);
	}
	return false;
}

bool credential_is_named_so(struct str name)
{
	static const char *const words[] = { "apikey", "accesstoken", "authtoken",
		                             "secret", "password",    "privatekey" };
	char plain[64];
	size_t n = 0;

	for (size_t i = 0; i < name.len && n + 1 < sizeof plain; i++)
		if (isalnum((unsigned char)name.p[i]))
			plain[n++] = (char)tolower((unsigned char)name.p[i]);
	plain[n] = 0;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strstr(plain, words[i]))
			return true;
	return false;
}
