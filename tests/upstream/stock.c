/* stock - the shop's records in order; see stock.h */
#include "config.h"

#include "tests/upstream/stock.h"
#include "lib/base/poison.h"

#define SIZE_MAX_RECORDS INT64_C(10000000)

static int64_t clamp(int64_t v, int64_t min, int64_t max)
{
	return v < min ? min : v > max ? max : v;
}

void stock_open(struct stock *s, const struct ask *k, enum noun noun, int64_t requests)
{
	static const int64_t sizes[NOUN__MAX] = {
		[NOUN_PRODUCTS] = 1250,
		[NOUN_ORDERS] = 523,
		[NOUN_CUSTOMERS] = 300,
	};

	*s = (struct stock){ .noun = noun };
	s->seed = (uint64_t)ask_setting_int(k, "seed", 1);
	s->size = clamp(ask_setting_int(k, noun_names[noun], sizes[noun]), 0, SIZE_MAX_RECORDS);
	s->gone = clamp(ask_setting_int(k, "gone", 0), 0, s->size);
	s->touched = clamp(ask_setting_int(k, "touched", 0), 0, s->size - s->gone);
	s->ties = clamp(ask_setting_int(k, "ties", 1), 1, SIZE_MAX_RECORDS);
	s->newest = ask_setting(k, "newest") != NULL;
	s->step_ms = clamp(ask_setting_int(k, "step_s", 60), 0, 86400) * 1000;
	s->moved = clamp(ask_setting_int(k, "shift", 0), -1000, 1000) * requests;
}

static int64_t stock_size(const struct stock *s)
{
	return clamp(s->size - s->gone + s->moved, 0, SIZE_MAX_RECORDS);
}

static struct item item_at(const struct stock *s, int64_t position)
{
	int64_t kept = s->size - s->gone, order = position - s->moved;
	struct item i = { .noun = s->noun, .seed = s->seed };

	if (order <
	    0) { /* added at the front while the client was reading; the newest comes first */
		i.index = s->size - 1 - order;
		order = i.index;
	} else {
		order += s->touched;
		i.touched = order >= kept;
		i.index = s->gone + (i.touched ? order - kept : order);
		order += s->gone;
	}
	i.updated_ms = ITEM_EPOCH_MS + order / s->ties * s->step_ms;
	return i;
}

static bool passes(const struct sieve *v, const struct item *i)
{
	if (v->status && strcmp(v->status, item_order_status(i)) != 0)
		return false;
	if (v->has_before && i->updated_ms > v->before_ms)
		return false;
	if (!v->has_since)
		return true;
	return v->exclusive ? i->updated_ms > v->since_ms : i->updated_ms >= v->since_ms;
}

static bool lets_all_pass(const struct sieve *v)
{
	return !v->status && !v->has_since && !v->has_before;
}

int64_t stock_list(const struct stock *s, const struct sieve *v, int64_t start, int64_t limit,
                   struct item *out)
{
	int64_t size = stock_size(s), n = 0, seen = 0;

	/* Positions are records when nothing is filtered: no need to walk up to the first. */
	for (int64_t p = lets_all_pass(v) ? start : 0; p < size && n < limit; p++) {
		struct item i = item_at(s, s->newest ? size - 1 - p : p);
		if (lets_all_pass(v) || (passes(v, &i) && seen++ >= start))
			out[n++] = i;
	}
	return n;
}

int64_t stock_newest_ms(const struct stock *s)
{
	int64_t size = stock_size(s);

	return size > 0 ? item_at(s, size - 1).updated_ms : ITEM_EPOCH_MS;
}

int64_t stock_count(const struct stock *s, const struct sieve *v)
{
	int64_t size = stock_size(s), n = 0;

	if (lets_all_pass(v))
		return size;
	for (int64_t p = 0; p < size; p++) {
		struct item i = item_at(s, p);
		n += passes(v, &i);
	}
	return n;
}

bool stock_find(const struct stock *s, int64_t id, struct item *out)
{
	int64_t index = item_index_of(s->noun, s->seed, id), kept = s->size - s->gone;

	if (index < s->gone || index >= s->size)
		return false;
	int64_t order = index - s->gone;
	bool touched = order < s->touched;
	*out = item_at(s, (touched ? order + kept : order) - s->touched + s->moved);
	return true;
}
