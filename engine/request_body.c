/* request: the body, one JSON object; a tree, so that a parameter can stand anywhere in it. */
#include "config.h"

#include "engine/request_parts.h"
#include "engine/weave.h"
#include "lib/json/scan.h"

#include "lib/base/poison.h"

#define DEPTH_MAX 32

/* An object, or a value: a parameter's, else the template's. */
struct request_node {
	const char *name;
	const struct request_param *param;
	struct template *text;
	bool is_object;
	bool implied; /* an object that only a parameter's name asks for: not sent empty */
	struct request_node *first, *last, *next;
};

/*
 * Compiling
 */

static struct request_node *node_add(struct compile *c, struct request_node *parent,
                                     const char *name)
{
	struct request_node *node = arena_alloc(c->arena, sizeof *node);

	if (!node || !(node->name = arena_strdup(c->arena, name))) {
		compile_no_memory(c);
		return NULL;
	}
	if (parent->last)
		parent->last->next = node;
	else
		parent->first = node;
	parent->last = node;
	return node;
}

static struct request_node *node_find(const struct request_node *parent, const char *name)
{
	for (struct request_node *node = parent->first; node; node = node->next)
		if (strcmp(node->name, name) == 0)
			return node;
	return NULL;
}

static bool object_compile(struct compile *c, const json_t *object, const char *at,
                           struct request_node *parent, int depth)
{
	const char *name;
	json_t *value;
	bool good = true;

	parent->is_object = true;
	if (depth > DEPTH_MAX)
		return problem_add(c->problems, compile_at(c, at), "too_deep",
		                   "A body has at most %d objects in one another.", DEPTH_MAX);
	json_object_foreach((json_t *)object, name, value)
	{
		const char *here = json_pointer_add(c->arena, at, name);
		struct request_node *node = node_add(c, parent, name);

		if (!node)
			return false;
		if (json_is_object(value))
			good &= object_compile(c, value, here, node, depth + 1);
		else
			good &= compile_template(c, json_write(c->arena, value).p,
			                         COMPILE_REQUEST_NAMES, compile_at(c, here),
			                         &node->text);
	}
	return good;
}

/* The name up to the next dot that has no backslash before it; *rest NULL at the end. */
static const char *name_cut(struct arena *a, const char *path, const char **rest)
{
	char *name = arena_strdup(a, path);
	size_t n = 0;

	for (; name && *path && *path != '.'; path++) {
		if (path[0] == '\\' && path[1] == '.')
			path++;
		name[n++] = *path;
	}
	if (name)
		name[n] = 0;
	*rest = *path == '.' ? path + 1 : NULL;
	return name;
}

bool request_body_param(struct compile *c, struct request_plan *plan,
                        const struct request_param *param, const char *at)
{
	struct request_node *node = plan->body;
	const char *rest = param->name;

	while (rest) {
		const char *name = name_cut(c->arena, rest, &rest);
		struct request_node *child = name ? node_find(node, name) : NULL;

		if (!name)
			return compile_no_memory(c);
		if (!*name || (child && child->is_object != (rest != NULL)))
			return problem_add(c->problems, at, "body_conflict",
			                   "The body has something else where the parameter %s "
			                   "leads to.",
			                   param->name);
		if (!child && !(child = node_add(c, node, name)))
			return false;
		child->implied |= rest && !child->is_object;
		child->is_object = rest != NULL;
		node = child;
	}
	node->param = param;
	return true;
}

bool request_body_compile(struct compile *c, const struct request_source *src,
                          struct request_plan *plan)
{
	const json_t *body = json_object_get(src->function, "body");
	const char *at = json_pointer_add(c->arena, src->function_at, "body");
	const char *params_at = json_pointer_add(c->arena, src->function_at, "parameters");
	bool good = true;

	plan->body = arena_alloc(c->arena, sizeof *plan->body);
	if (!plan->body)
		return compile_no_memory(c);
	good = object_compile(c, body, at, plan->body, 1);
	plan->body->implied = body == NULL;
	for (size_t i = 0; i < plan->param_count; i++) {
		const char *here = json_pointer_index(c->arena, params_at, i);

		if (plan->params[i].place == PLACE_BODY)
			good &= request_body_param(
				c, plan, &plan->params[i],
				compile_at(c, json_pointer_add(c->arena, here, "name")));
	}
	return good;
}

bool request_body_uses(const struct request_node *node, unsigned names)
{
	if (node->text && template_uses(node->text, names))
		return true;
	for (const struct request_node *n = node->first; n; n = n->next)
		if (request_body_uses(n, names))
			return true;
	return false;
}

/*
 * Building
 */

static bool is_number(struct str text)
{
	struct scan_value v;

	return scan_check(text, &v, NULL) && v.type == SCAN_NUMBER && v.span.len == text.len;
}

/* What a paginator counts is a number there; a cursor is a text, unless the parameter's type says
 * otherwise. */
static enum request_rendered set_render(struct request_building *b, const struct request_set *set,
                                        const struct request_param *param, struct http_text *out)
{
	struct arena *a = b->in->scope->arena;
	struct buf quoted;
	bool good;

	if ((set->is_number || param->is_number) && is_number(set->value))
		return weave_plain(a, set->value, set->value, out, b->e) ? RENDERED : FAILED;
	buf_init(&quoted, REQUEST_BODY_MAX);
	buf_json_string(&quoted, set->value);
	good = weave_plain(a, buf_view(&quoted), buf_view(&quoted), out, b->e);
	buf_free(&quoted);
	return good ? RENDERED : FAILED;
}

static enum request_rendered text_render(struct request_building *b, const struct template *text,
                                         struct http_text *out)
{
	struct err e = { 0 };

	if (template_render(text, b->in->scope, TEMPLATE_JSON, out, &e))
		return RENDERED;
	if (strcmp(e.slug, "value_missing") == 0)
		return LEFT_OUT;
	err_set(b->e, e.code, e.slug, "%s", e.msg);
	return FAILED;
}

static enum request_rendered leaf_render(struct request_building *b,
                                         const struct request_node *node, struct http_text *out)
{
	const struct request_param *param = node->param;
	const struct request_set *set = param ? request_set_find(b->in, param->name) : NULL;

	if (set)
		return set_render(b, set, param, out);
	if (param && request_is_left_out(b, param))
		return LEFT_OUT;
	if (param && param->count > 0)
		return request_value_render(b, param, 0, TEMPLATE_JSON, out);
	return node->text && !b->in->only_sets ? text_render(b, node->text, out) : LEFT_OUT;
}

static enum request_rendered
object_render(struct request_building *b, const struct request_node *object, struct http_text *out);

static enum request_rendered member_weave(struct request_building *b, struct weave *w,
                                          const struct request_node *node)
{
	struct http_text value;
	struct buf name;
	enum request_rendered r =
		node->is_object ? object_render(b, node, &value) : leaf_render(b, node, &value);

	if (r != RENDERED)
		return r;
	buf_init(&name, REQUEST_BODY_MAX);
	buf_json_string(&name, str_of(node->name));
	weave_text(w, w->wire.len > 1 ? "," : "");
	weave_str(w, buf_view(&name));
	weave_text(w, ":");
	weave_both(w, value);
	buf_free(&name);
	return RENDERED;
}

static enum request_rendered object_render(struct request_building *b,
                                           const struct request_node *object, struct http_text *out)
{
	struct weave w;
	bool any = false;

	weave_init(&w, REQUEST_BODY_MAX);
	weave_text(&w, "{");
	for (const struct request_node *node = object->first; node; node = node->next) {
		enum request_rendered r = member_weave(b, &w, node);

		any |= r == RENDERED;
		if (r == FAILED) {
			weave_drop(&w);
			return FAILED;
		}
	}
	if (!any && (object->implied || b->in->only_sets)) {
		weave_drop(&w);
		return LEFT_OUT;
	}
	weave_text(&w, "}");
	return weave_end(&w, b->in->scope->arena, out, b->e) ? RENDERED : FAILED;
}

/* Nothing to say is no body there, and an empty object elsewhere. */
static bool takes_no_body(enum http_method method)
{
	return method == HTTP_GET || method == HTTP_HEAD || method == HTTP_DELETE;
}

bool request_body_build(struct request_building *b)
{
	const struct request_node *root = b->plan->body;
	enum request_rendered r;

	if (!root || (!root->first && root->implied))
		return true;
	r = object_render(b, root, &b->out->body);
	if (r == LEFT_OUT && !takes_no_body(b->plan->method))
		return weave_plain(b->in->scope->arena, STR("{}"), STR("{}"), &b->out->body, b->e);
	return r != FAILED;
}
