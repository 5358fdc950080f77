/*
 * names - which value a template's name means, found in the shapes (build time only)
 *
 * A frame is what a name may belong to: the document, the page, and each section's item. It
 * collects the members that the template uses, so that rendering reads each item once.
 *
 * Ownership: frames live in the arena.
 * Errors:    one sentence in `why`.
 * Threads:   pure.
 */
#ifndef CATCHMENT_TPL_NAMES_H
#define CATCHMENT_TPL_NAMES_H

#include "lib/tpl/source.h"

#define FRAME_DOC  0
#define FRAME_PAGE 1

struct tpl_type {
	enum shape_kind kind; /* SHAPE_ANY: nobody knows */
	const struct shape *of;
	enum shape_kind item;
	bool secret;
	bool entry; /* key and value of a map; `of` and `item` are the value's */
};

struct tpl_frame {
	struct tpl_type type;
	struct str *names;
	size_t count, room;
	unsigned base; /* its first slot, once all names are known */
};

struct tpl_names {
	struct arena *arena;
	size_t frames; /* all that were ever opened */
	struct tpl_frame frame[TPL_SLOTS_MAX];
	size_t depth; /* open ones: indices into frame, the document and the page first */
	size_t open[TPL_DEPTH_MAX + 2];
	bool once; /* the name that is looked for may be a secret's */
	char why[200];
};

/* A name found: member `index` - 1 of the frame, or the frame's own value for 0, and below. */
struct tpl_place {
	size_t frame, index;
	const struct str *path;
	size_t path_count;
	struct tpl_type type;
};

struct tpl_names *tpl_names_new(struct arena *, const struct shape *doc);
MUST_CHECK bool tpl_names_find(struct tpl_names *, struct str name, struct tpl_place *);
/* Opens the frame of a section over a value of that type; what there is no room for is a `why`. */
MUST_CHECK bool tpl_names_open(struct tpl_names *, struct tpl_type, size_t *frame);
void tpl_names_close(struct tpl_names *);
/* Gives each frame its slots; false when there are more than TPL_SLOTS_MAX. */
MUST_CHECK bool tpl_names_number(struct tpl_names *, unsigned *slots);
unsigned tpl_names_slot(const struct tpl_names *, size_t frame, size_t index);

#endif
