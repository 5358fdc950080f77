/* describe - a family's routes as JSON, with the schemas of the shapes that they reach */
#include "config.h"

#include "lib/json/schema.h"
#include "lib/web/describe.h"
#include "lib/web/private.h"
#include "lib/base/poison.h"

#define SHAPES_MAX 200

/* All shapes that the routes reach, each once, and whether senders have to fit them. */
struct shapes {
	const struct shape *list[SHAPES_MAX];
	bool taken[SHAPES_MAX];
	size_t count;
	bool full;
};

static void shapes_add(struct shapes *all, const struct shape *s, bool taken)
{
	size_t i = 0;

	if (!s || all->full)
		return;
	while (i < all->count && all->list[i] != s)
		i++;
	if (i < all->count && (all->taken[i] || !taken))
		return;
	if (i == SHAPES_MAX) {
		all->full = true;
		return;
	}
	if (i == all->count)
		all->count++;
	all->list[i] = s;
	all->taken[i] = taken;
	for (const struct field *f = s->fields; f->name; f++) {
		shapes_add(all, f->of, taken);
		for (const struct shape *const *form = f->forms; form && *form; form++)
			shapes_add(all, *form, taken);
	}
}

static void write_query(const struct shape *query, struct buf *b)
{
	if (!query)
		return;
	json_member(b, "query");
	buf_char(b, '[');
	for (const struct field *f = query->fields; f->name; f++) {
		json_comma(b);
		buf_char(b, '{');
		json_member_text(b, "name", f->name);
		json_member_flag(b, "required", f->flags & SHAPE_REQUIRED);
		json_member(b, "schema");
		schema_field(f, SCHEMA_TAKEN, b);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void write_flags(unsigned flags, struct buf *b)
{
	static const struct {
		unsigned flag;
		const char *name;
	} names[] = {
		{ ROUTE_SHOWS_SECRET, "showsSecret" },
		{ ROUTE_SLOW, "slow" },
		{ ROUTE_STREAM, "stream" },
		{ ROUTE_CSV, "csv" },
		{ ROUTE_BODY_OPTIONAL, "bodyOptional" },
		{ ROUTE_UNVERSIONED, "unversioned" },
		{ ROUTE_VERSIONED, "versioned" },
	};
	static const struct {
		unsigned flag;
		int status;
	} also[] = {
		{ ROUTE_ALSO_200, 200 }, { ROUTE_ALSO_202, 202 }, { ROUTE_ALSO_401, 401 },
		{ ROUTE_ALSO_403, 403 }, { ROUTE_ALSO_404, 404 },
	};

	json_member(b, "flags");
	buf_char(b, '[');
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (flags & names[i].flag) {
			json_comma(b);
			buf_json_string(b, str_of(names[i].name));
		}
	buf_text(b, "],\"also\":[");
	for (size_t i = 0; i < sizeof(also) / sizeof(also[0]); i++)
		if (flags & also[i].flag) {
			json_comma(b);
			buf_printf(b, "%d", also[i].status);
		}
	buf_char(b, ']');
}

static void write_route(const struct route *t, struct buf *b)
{
	static const char *const accesses[] = {
		[ACCESS_PUBLIC] = "public",
		[ACCESS_MEMBER] = "member",
		[ACCESS_PLATFORM] = "platform",
	};

	json_comma(b);
	buf_char(b, '{');
	json_member_text(b, "method", route_method_name(t->method));
	json_member_text(b, "path", t->path);
	json_member_text(b, "summary", t->summary);
	json_member_text(b, "access", accesses[t->access]);
	json_member_text(b, "role", t->role);
	json_member_text(b, "scope", t->scope);
	if (t->in)
		json_member_int(b, "bodyMax", (int64_t)t->body_max);
	write_query(t->query, b);
	json_member_text(b, "in", t->in ? t->in->name : NULL);
	json_member_text(b, "out", t->out ? t->out->name : NULL);
	json_member_int(b, "status", t->status);
	write_flags(t->flags, b);
	buf_char(b, '}');
}

static void write_shapes(const struct shapes *all, struct buf *b)
{
	json_member(b, "shapes");
	buf_char(b, '[');
	for (size_t i = 0; i < all->count; i++) {
		json_comma(b);
		buf_char(b, '{');
		json_member_text(b, "name", all->list[i]->name);
		json_member_flag(b, "isTaken", all->taken[i]);
		json_member(b, "taken");
		schema_shape(all->list[i], SCHEMA_TAKEN, b);
		json_member(b, "given");
		schema_shape(all->list[i], SCHEMA_GIVEN, b);
		buf_char(b, '}');
	}
	buf_char(b, ']');
}

static void write_routes(const char *name, const struct route *routes, size_t count,
                         struct shapes *all, struct buf *b)
{
	json_member(b, name);
	buf_char(b, '[');
	for (size_t i = 0; i < count; i++) {
		if (routes[i].flags & ROUTE_PAGE)
			continue;
		shapes_add(all, routes[i].in, true);
		shapes_add(all, routes[i].out, false);
		write_route(&routes[i], b);
	}
	buf_char(b, ']');
}

bool describe_family(const struct web_family *f, struct buf *b, struct err *e)
{
	struct shapes all = { .count = 0 };
	size_t health_count;
	const struct route *health = health_routes(&health_count);

	if (!route_table_check(f->routes, f->route_count, e))
		return false;
	buf_char(b, '{');
	json_member_text(b, "family", f->name);
	write_routes("routes", f->routes, f->route_count, &all, b);
	write_routes("health", health, health_count, &all, b);
	write_shapes(&all, b);
	buf_text(b, "}\n");
	return !(b->failed || all.full) ||
	       err_set(e, ERR_BUG, "description_too_large",
	               "This family has more routes or shapes than its description may hold.");
}
