/* map.h - a hash map from bytes to pointer, keyed by SipHash-1-3 with a random key per process.
 *
 * Owns:      copies of the keys; never the values.
 * Promises:  amortised O(1); an attacker who chooses keys cannot choose collisions.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/str.h"

struct map;
struct map *map_new(void);
void map_free(struct map **m);
size_t map_count(const struct map *m);
void *map_get(const struct map *m, struct str key); /* NULL when absent */
/* the value replaced, or NULL; value is not NULL */
void *map_put(struct map *m, struct str key, void *value);
void *map_del(struct map *m, struct str key); /* the value removed, or NULL */
/* Walks in no order: start with *cursor = 0; meanwhile the map may lose visited entries, but gain none. */
bool map_next(const struct map *m, size_t *cursor, struct str *key_out, void **value_out);

#endif
