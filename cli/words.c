/* words - times and states as people say them. */
#include "config.h"

#include <time.h>

#include "cli/table.h"
#include "lib/base/clock.h"
#include "lib/base/poison.h"

#define DAYS_WITH_CLOCK 180 /* older times are told by their year */

#define GREEN  "\033[32m"
#define YELLOW "\033[33m"
#define RED    "\033[31m"

static const struct {
	const char *word, *colour;
} states[] = {
	{ "Success", GREEN },   { "Active", GREEN },   { "Published", GREEN },
	{ "Approved", GREEN },  { "ok", GREEN },       { "Running", YELLOW },
	{ "Pending", YELLOW },  { "Partial", YELLOW }, { "Waiting", YELLOW },
	{ "Inactive", YELLOW }, { "warning", YELLOW }, { "Failed", RED },
	{ "Timeout", RED },     { "Cancelled", RED },  { "Rejected", RED },
	{ "error", RED },
};

const char *words_colour(struct str state)
{
	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (str_eq_nocase(state, states[i].word))
			return states[i].colour;
	return "";
}

/* Days since a fixed one, of a local date: for telling today from yesterday. */
static long day_of(const struct tm *t)
{
	long y = t->tm_year + 1900L - (t->tm_mon < 2), m = (t->tm_mon + 10) % 12;

	return y * 365 + y / 4 - y / 100 + y / 400 + (m * 306 + 5) / 10 + t->tm_mday;
}

static size_t write_down(const struct tm *then, const struct tm *now, char *out, size_t size)
{
	long days = day_of(now) - day_of(then);

	if (days == 0)
		return strftime(out, size, "today %H:%M:%S", then);
	if (days == 1)
		return strftime(out, size, "yesterday %H:%M", then);
	if (days > 0 && days < DAYS_WITH_CLOCK)
		return strftime(out, size, "%e %b %H:%M", then);
	return strftime(out, size, "%e %b %Y", then);
}

struct str words_time(struct arena *a, struct str text, int64_t now_ms)
{
	struct tm then, now;
	int64_t ms;
	time_t then_s, now_s = (time_t)(now_ms / 1000);
	char out[64];
	size_t n;

	if (!clock_parse(text, &ms))
		return text;
	then_s = (time_t)(ms / 1000);
	if (localtime_r(&then_s, &then) == NULL || localtime_r(&now_s, &now) == NULL)
		return text;
	n = write_down(&then, &now, out, sizeof(out));
	return arena_copy(a, str_trim((struct str){ out, n }));
}
