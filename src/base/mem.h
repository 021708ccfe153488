/* mem.h - the heap, for objects that outlive every arena.  The only caller of malloc and free.
 *
 * Promises:  never NULL (exhaustion aborts); memory is zeroed.
 * Secrets:   struct secret is wiped by its cleanup and has no formatter.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_MEM_H
#define BASE_MEM_H

#include "base/str.h"

void *mem_alloc(size_t size);
void *mem_array(size_t count, size_t size);
void *mem_resize(void *p, size_t old_size, size_t size); /* new bytes are zeroed */
/* As mem_resize, but new bytes hold anything: for buf and arena, which write before they read. */
void *mem_regrow(void *p, size_t size);
void mem_free(const void *p); /* NULL is fine */
/* an owned copy, NUL follows it: mem_free(s.ptr) or mem_str_free(&s) */
struct str mem_str(struct str s);
void mem_str_free(struct str *s);
void mem_copy(void *to, const void *from, size_t n); /* n may be 0; regions never overlap */
void mem_move(void *to, const void *from, size_t n);
void mem_wipe(void *p, size_t n); /* not optimised away */
bool mem_eq_const_time(const void *a, const void *b, size_t n);

#define MEM_NEW(type)      ((type *)mem_alloc(sizeof(type)))
#define MEM_ARRAY(type, n) ((type *)mem_array((n), sizeof(type)))

#define SECRET_MAX 512u
struct secret {
    size_t len;
    unsigned char bytes[SECRET_MAX];
};
void secret_wipe(struct secret *s);
/* false when longer than SECRET_MAX */
MUST_USE bool secret_set(struct secret *s, struct str value);
struct str secret_str(const struct secret *s);
#define AUTO_SECRET AUTO(secret_wipe) struct secret

#endif
