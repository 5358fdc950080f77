/*
 * record_step - what the files of the record steps share; nobody else includes this
 *
 * A kind of step is one row: how its config is read and how it is applied to a record. A reader
 * adds problems; an applier answers whether the next step shall see the record.
 *
 * Ownership: compiled steps belong to the arena of problems; what is applied, to the scope's.
 * Threads:   compiled steps are constant.
 */
#ifndef CATCHMENT_ENGINE_RECORD_STEP_H
#define CATCHMENT_ENGINE_RECORD_STEP_H

#include "engine/record.h"
#include "lib/base/buf.h"

/* The names that conditions and texts of record steps may use. */
#define RECORD_STEP_NAMES (SCOPE_RECORD | SCOPE_CONFIG | SCOPE_CURSOR | SCOPE_CLOCK | SCOPE_STEPS)

struct record_work {
	struct scope *scope;
	struct record_seen *seen;
	struct scan_path *const *identity;
	size_t step;             /* its index, so that two deduplicate steps do not mix */
	struct scan_value value; /* the record as it stands */
	struct record *out;
};

struct record_kind {
	const char *type;
	/* config: an object, empty when there is none; at: its pointer. NULL with problems added. */
	void *(*compile)(const json_t *config, const char *at, struct problems *);
	bool (*apply)(const void *compiled, struct record_work *);
};

/* Where records of one page are written, one after the other; NULL: seen has none. */
struct buf *record_scratch(struct record_seen *);
/* Between two operations a record may be larger than what is stored in the end. */
#define RECORD_WORK_MAX (64 * (size_t)RECORD_BYTES_MAX)

void *record_transform_compile(const json_t *config, const char *at, struct problems *);
bool record_transform_apply(const void *compiled, struct record_work *);

/* Ends the work on a record: quarantined, with a formatted sentence. Always false. */
bool record_refuse(struct record_work *, const char *slug, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* transform's flatten; NULL with a problem. `out` is scratch. */
struct record_flatten;
struct record_flatten *record_flatten_compile(const json_t *setting, const char *at,
                                              struct problems *);
bool record_flatten_apply(const struct record_flatten *, struct record_work *, struct buf *out);

/* A problem from an err, whose slug does not outlive it. Always false. */
bool record_problem(struct problems *, const char *at, const struct err *);
/* Readers of configs; each adds its problem and answers false. */
bool record_path_read(const char *text, const char *at, struct problems *, struct scan_path **);
bool record_members_known(const json_t *config, const struct shape *, const char *at,
                          struct problems *);

/* What a step of that type takes, for forms and for the check of names; NULL: no record step. */
const struct shape *record_step_shape(const char *type);
extern const struct shape RECORD_FLATTEN_SHAPE;
extern const struct shape RECORD_FLATTENING_SHAPE; /* the same, with its default shown */

#endif
