/* arena.h - zeroed memory that lives as long as a command, a transaction or a session.
 *
 * Owns:      every byte it hands out; arena_free() or arena_reset() ends them all.
 * Promises:  never NULL.  Callers bound what a peer can ask for, so passing the budget is our own bug
 *            and aborts, as does exhaustion of memory: the supervisor restarts the role.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/str.h"

struct arena;
#define AUTO_ARENA AUTO(arena_free) struct arena

struct arena *arena_new(size_t budget); /* first block is small (1 KiB) and grows */
void arena_free(struct arena **a);
void arena_reset(struct arena *a); /* empties, keeps one block */
size_t arena_used(const struct arena *a);
size_t arena_left(const struct arena *a);        /* of the budget */
void *arena_alloc(struct arena *a, size_t size); /* any size up to arena_left() fits */
void *arena_array(struct arena *a, size_t count, size_t size); /* checked product */
void *arena_dup(struct arena *a, const void *p, size_t size);
struct str arena_str(struct arena *a, struct str s); /* a copy, NUL follows it */
char *arena_z(struct arena *a, struct str s);
struct str arena_printf(struct arena *a, const char *format, ...) PRINTF(2, 3);

#define ARENA_NEW(a, type)      ((type *)arena_alloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, n) ((type *)arena_array((a), (n), sizeof(type)))

#endif
