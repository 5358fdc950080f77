/*
 * schema - shapes as JSON Schema (draft 2020-12)
 *
 * A shape is written as it is taken, with every bound that shape_check holds, the defaults too; or
 * as it is given, with those bounds alone that the table states: answers repeat what others wrote.
 * Objects refer to "#/components/schemas/<name>", where OpenAPI keeps them.
 *
 * Also here: the few moves by which a JSON text is written into a buf member by member.
 *
 * Ownership: the buffer is the caller's.
 * Errors:    the buffer's `failed`.
 * Threads:   pure.
 */
#ifndef CATCHMENT_JSON_SCHEMA_H
#define CATCHMENT_JSON_SCHEMA_H

#include "lib/base/buf.h"
#include "lib/json/shape.h"

enum schema_way { SCHEMA_TAKEN, SCHEMA_GIVEN };

void schema_field(const struct field *, enum schema_way, struct buf *);
void schema_shape(const struct shape *, enum schema_way, struct buf *);

void json_comma(struct buf *);                    /* unless the buffer's list or object is new */
void json_member(struct buf *, const char *name); /* comma, name and colon */
void json_member_text(struct buf *, const char *name, const char *value); /* NULL: left out */
void json_member_int(struct buf *, const char *name, int64_t value);
void json_member_flag(struct buf *, const char *name, bool value);

#endif
