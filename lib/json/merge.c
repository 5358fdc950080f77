/* merge: RFC 7396, section 2. Depth is bounded by that of the documents (JSON_DEPTH_MAX). */
#include "config.h"

#include "lib/json/json.h"
#include "lib/base/poison.h"

static json_t *merged(const json_t *target, const json_t *patch)
{
	json_t *out, *value;
	const char *name;

	if (!json_is_object(patch))
		return json_incref((json_t *)patch);
	/* a shallow copy: members that the patch does not name are shared, never written to */
	out = json_is_object(target) ? json_copy((json_t *)target) : json_object();
	json_object_foreach((json_t *)patch, name, value)
	{
		if (json_is_null(value))
			json_object_del(out, name);
		else
			json_object_set_new(out, name,
			                    merged(json_object_get(target, name), value));
	}
	return out;
}

static void release(void *value)
{
	json_decref(value);
}

json_t *json_merge_patch(struct arena *a, const json_t *target, const json_t *patch)
{
	json_t *out = merged(target, patch);

	arena_defer(a, release, out);
	return out;
}
