/*
 * form - forms made from shapes: how they are shown, read back, and changed by their own buttons
 *
 * The shape that checks a body also makes its form and reads it. An input's name is its place in the
 * body, with dots: "name", "functions.0.path". A map's members are rows "headers.+0.key" and
 * "headers.+0.value", or, where form.shape_at knows their shape, inputs like any other's. Where no
 * shape says what a text means, its name ends with :text, :flag, :number or :lines; without, JSON is
 * read as JSON and all else as a text ("250" in quotes is a text, too).
 *
 * Lists grow, shrink and change their order by buttons named _do: "add:/functions",
 * "remove:/functions/2", "up:/functions/2", "down:/functions/2", and "show:" to see the form again
 * after a choice that decides what follows. They change the form alone: nothing is checked or kept.
 * So all of it works without a script.
 *
 * What is rarely needed is folded away, and what is optional and empty: fields with SHAPE_RARE behind
 * "More settings", groups, and long items of a list behind their name. What has a problem is open.
 *
 * What is empty is left out of the body, as JSON would leave it out; of a PATCH an empty text says
 * that it is to be empty. A secret is never shown: an empty one is left out, which keeps it.
 *
 * Ownership: everything lives in the request's arena.
 * Errors:    reading: form_syntax, form_too_deep, form_too_large; the rest is the shape's to find.
 * Threads:   pure.
 */
#ifndef CATCHMENT_WEB_FORM_H
#define CATCHMENT_WEB_FORM_H

#include "lib/json/shape.h"

enum web_method { M_UNSET, M_GET, M_POST, M_PUT, M_PATCH, M_DELETE, M__MAX };

#define FORM_DEPTH_MAX  12
#define FORM_INPUTS_MAX 5000

/* What may be chosen at a place of the body; "#" in it stands for any index. */
struct form_choice {
	const char *at;        /* "/dataSourceId", "/pipelines/#/functionId" */
	const json_t *options; /* [{"value":"x","label":"X"}] */
	bool decides;          /* what follows depends on it: a button shows the form again */
	const char *none;      /* what it means to choose nothing: "All pipelines"; NULL: nothing */
};

/* A part of a long form, with a heading and an anchor of its own; see struct form. */
struct form_section {
	const char *title; /* a list or a group of this label stands in it without a frame */
	const char *help;  /* NULL: none */
	const char *const *members; /* of the shape, in this order; ends with NULL */
};

/* Lists at `at` end with an item whose `member` is `value`: a new one is put in front of it. */
struct form_last {
	const char *at; /* "#": any index */
	const char *member, *value;
};

struct form {
	const struct shape *shape;
	const json_t *values; /* an object; NULL: empty, with the shape's defaults */
	const char *action;   /* "/collectors/0190..."; NULL: the page's own path */
	enum web_method method;
	const char *submit; /* what the button says: "Save" */
	int64_t version; /* the form is refused when somebody else changed it since; 0: not asked */
	const struct form_choice *choices;
	size_t choice_count;
	/* The shape of the map or the free value at `pointer`, whose object is `parent`; NULL: free. */
	const struct shape *(*shape_at)(void *arg, const char *pointer, const json_t *parent);
	void *arg;
	const char *const *hidden; /* places that the form leaves out; ends with NULL */
	/* Texts that go along unseen: what the page was opened with, such as an invitation's token. */
	const char *const *carried;
	/* Secrets that are stored already: an object of their pointers, any values. */
	const json_t *stored;
	/* Ends with a NULL title; members that none names come in a last one. NULL: no sections. */
	const struct form_section *sections;
	const char
		*touched; /* what a button just changed: the parts around it are shown unfolded */
	const struct form_last *last; /* NULL: new items come last in every list */
};

/* The form as a document of form_doc, for part/form.html. */
extern const struct shape form_doc;
struct str form_show(struct arena *, const struct form *, const struct problems *);

struct form_sent {
	json_t *body;     /* as the shape would have it; lists and maps as they were sent */
	const char *act;  /* what _do said; NULL: the form was sent for good */
	const char *csrf; /* "" when absent */
	const char *
		once; /* names this showing of the form, so that it is done once; NULL when absent */
	const char *back; /* where the person came from; NULL when absent */
	int64_t version;  /* -1 when absent, or when any is right */
};
/* application/x-www-form-urlencoded against a shape. `keep_empty`: of a PATCH. */
MUST_CHECK bool form_read(struct arena *, const struct shape *, struct str text, bool keep_empty,
                          struct form_sent *, struct err *);
/* Does what a button said; what does not fit changes nothing. */
void form_act(struct arena *, json_t *body, const char *act);
/* "functionId" as "Function id". */
const char *form_label(struct arena *, const struct field *);
/* The help of the API's description; NULL where the label has said it already. */
const char *form_help(struct arena *, const struct field *);
/* Says the value nothing but defaults? Then it was left alone. */
bool form_untouched(const struct field *, const json_t *value);

#endif
