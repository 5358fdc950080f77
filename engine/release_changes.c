/* release_changes - what differs between two release documents, part by part */
#include "config.h"

#include "engine/release_parts.h"
#include "lib/base/poison.h"

enum change { ADDED, CHANGED, REMOVED };

/* Lists whose items have a name of their own. */
static const struct part {
	const char *holder, *list; /* document[holder][list] */
	const char *id, *label;    /* members of an item */
	const char *word;          /* in the sentence */
	const char *codes[3];      /* by enum change */
} parts[] = {
	{ "collector",
	  "pipelines",
	  "id",
	  "name",
	  "pipeline",
	  { "pipeline_added", "pipeline_changed", "pipeline_removed" } },
	{ "dataSource",
	  "functions",
	  "id",
	  "name",
	  "function",
	  { "function_added", "function_changed", "function_removed" } },
	{ "dataSource",
	  "configFields",
	  "name",
	  "label",
	  "config field",
	  { "config_field_added", "config_field_changed", "config_field_removed" } },
};

/* Members that are compared as a whole. */
static const struct whole {
	const char *holder, *member, *sentence;
} wholes[] = {
	{ "collector", "name", "The collector has another name." },
	{ "collector", "description", "The collector has another description." },
	{ "dataSource", "name", "The data source has another name." },
	{ "dataSource", "description", "The data source has another description." },
	{ "dataSource", "protocol", "The data source speaks another protocol." },
	{ "dataSource", "baseUrl", "Requests go to another address." },
	{ "dataSource", "authConfig", "Requests are authenticated in another way." },
	{ "dataSource", "headers", "Requests carry other headers." },
	{ "dataSource", "rateLimitConfig", "The limits of requests are others." },
	{ "dataSource", "cacheConfig", "Answers are reused for another time." },
	{ "dataSource", "category", "The category is another." },
	{ "dataSource", "tags", "The tags are others." },
};

/* Functions may do without an id: then their name is it. */
static const char *id_member(const struct part *p, const json_t *item)
{
	return json_object_get(item, p->id) ? p->id : p->label;
}

static void item_add(struct arena *a, const struct part *p, const json_t *item, enum change change,
                     json_t *out)
{
	static const char *const words[] = { "is new", "has changed", "is gone" };
	const char *id = json_text(item, id_member(p, item), "");

	release_list_add(out, p->codes[change], id,
	                 arena_printf(a, "The %s \"%s\" %s.", p->word,
	                              json_text(item, p->label, id), words[change]));
}

static const json_t *twin_of(const struct part *p, const json_t *item, const json_t *list)
{
	const char *member = id_member(p, item);
	const json_t *twin = release_item_find(list, member, json_text(item, member, ""));

	if (twin != NULL || member != p->id)
		return twin;
	twin = release_item_find(list, p->label, json_text(item, p->label, ""));
	return json_object_get(twin, p->id) ? NULL : twin;
}

static void part_compare(struct arena *a, const struct part *p, const json_t *old,
                         const json_t *new, json_t *out)
{
	const json_t *before = json_object_get(json_object_get(old, p->holder), p->list);
	const json_t *after = json_object_get(json_object_get(new, p->holder), p->list);
	const json_t *item, *twin;
	size_t i;

	json_array_foreach(after, i, item)
	{
		twin = twin_of(p, item, before);
		if (twin == NULL || !json_equal(twin, item))
			item_add(a, p, item, twin ? CHANGED : ADDED, out);
	}
	json_array_foreach(before, i, item)
	{
		if (twin_of(p, item, after) == NULL)
			item_add(a, p, item, REMOVED, out);
	}
}

static bool members_equal(const json_t *a, const json_t *b)
{
	if (a == NULL || b == NULL)
		return (a == NULL || json_is_null(a)) && (b == NULL || json_is_null(b));
	return json_equal(a, b);
}

json_t *release_changes(struct arena *a, const json_t *old, const json_t *new)
{
	json_t *out = release_list_new(a);

	for (size_t i = 0; i < sizeof(wholes) / sizeof(wholes[0]); i++) {
		const struct whole *w = &wholes[i];

		if (!members_equal(json_object_get(json_object_get(old, w->holder), w->member),
		                   json_object_get(json_object_get(new, w->holder), w->member)))
			release_list_add(out, "member_changed",
			                 arena_printf(a, "%s.%s", w->holder, w->member),
			                 w->sentence);
	}
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		part_compare(a, &parts[i], old, new, out);
	return out;
}
