/* form_act: what the buttons of a form's lists do. */
#include "config.h"

#include <string.h>

#include "lib/web/form.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

/* The value at a JSON Pointer, up to its last token; NULL, and no token, when the way there does not
 * exist. With `make`, objects and lists on the way that are absent are made. */
static json_t *parent_find(struct arena *a, json_t *body, struct str pointer, bool make,
                           const char **last)
{
	json_t *at = body;
	struct str token, rest = str_after(pointer, 1);

	while (str_cut(rest, '/', &token, &rest)) {
		const char *key = arena_text(a, token);
		json_t *below = json_object_get(at, key);
		int64_t n;

		if (json_is_array(at))
			below = str_int(token, 0, INT32_MAX, &n) ? json_array_get(at, (size_t)n)
			                                         : NULL;
		else if (!below && make && json_is_object(at)) {
			json_object_set_new(at, key, json_object());
			below = json_object_get(at, key);
		}
		if (!below)
			return NULL;
		at = below;
	}
	*last = arena_text(a, rest);
	return at;
}

static void item_add(struct arena *a, json_t *body, struct str pointer)
{
	const char *last;
	json_t *parent = parent_find(a, body, pointer, true, &last), *list;

	if (!json_is_object(parent))
		return;
	list = json_object_get(parent, last);
	if (!json_is_array(list)) {
		json_object_set_new(parent, last, json_array());
		list = json_object_get(parent, last);
	}
	json_array_append_new(list, json_object());
}

static void item_remove(json_t *list, size_t n)
{
	json_array_remove(list, n);
}

static void item_swap(json_t *list, size_t a, size_t b)
{
	json_t *first = json_incref(json_array_get(list, a));

	json_array_set(list, a, json_array_get(list, b));
	json_array_set_new(list, b, first);
}

static void item_insert(json_t *list, size_t n)
{
	json_array_insert_new(list, n, json_object());
}

static void item_up(json_t *list, size_t n)
{
	if (n > 0)
		item_swap(list, n - 1, n);
}

static void item_down(json_t *list, size_t n)
{
	if (n + 1 < json_array_size(list))
		item_swap(list, n, n + 1);
}

static const struct {
	const char *word;
	void (*change)(json_t *list, size_t n);
} changes[] = { { "insert", item_insert },
	        { "remove", item_remove },
	        { "up", item_up },
	        { "down", item_down } };

void form_act(struct arena *a, json_t *body, const char *act)
{
	struct str word, pointer;
	json_t *list;
	const char *last;
	int64_t n;

	if (!str_cut(str_of(act), ':', &word, &pointer) || !str_starts(pointer, "/"))
		return;
	if (str_eq_text(word, "add")) {
		item_add(a, body, pointer);
		return;
	}
	list = parent_find(a, body, pointer, false, &last);
	if (!json_is_array(list) ||
	    !str_int(str_of(last), 0, (int64_t)json_array_size(list) - 1, &n))
		return;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++)
		if (str_eq_text(word, changes[i].word))
			changes[i].change(list, (size_t)n);
}
