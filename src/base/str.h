/* str.h - a borrowed run of bytes, by value.
 *
 * Owns:      nothing.  The bytes belong to whoever made them and are not NUL-terminated.
 * Promises:  every function accepts the empty string; nocase means ASCII only.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "base/attr.h"

struct str {
    const char *ptr;
    size_t len;
};

#define STR(literal) ((struct str){(literal), sizeof(literal) - 1})
#define STR_NONE     ((struct str){NULL, 0})
/* For printf: printf("%.*s", STR_FMT(s)). */
#define STR_FMT(s) ((int)(s).len), ((s).ptr != NULL ? (s).ptr : "")

/* of a NUL-terminated string */
static inline struct str
str_of(const char *z)
{
    return (struct str){z, strlen(z)};
}

static inline struct str
str_from(const char *p, size_t n)
{
    return (struct str){p, n};
}

static inline bool
str_eq(struct str a, struct str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool str_eq_nocase(struct str a, struct str b);
int str_cmp(struct str a, struct str b); /* as unsigned bytes; a prefix sorts first */
int str_cmp_nocase(struct str a, struct str b);
bool str_starts(struct str s, struct str prefix);
bool str_starts_nocase(struct str s, struct str prefix);
bool str_ends(struct str s, struct str suffix);
bool str_ends_nocase(struct str s, struct str suffix);
ssize_t str_find(struct str s, char c);  /* first index or -1 */
ssize_t str_rfind(struct str s, char c); /* last index or -1 */
/* An empty needle is found at 0.  The nocase one takes s.len * needle.len steps at worst: bound the needle. */
ssize_t str_find_str(struct str s, struct str needle);
ssize_t str_find_nocase(struct str s, struct str needle);
struct str str_sub(struct str s, size_t from, size_t n); /* clamped to s */
struct str str_skip(struct str s, size_t n);             /* without the first n bytes, clamped */
struct str str_trim(struct str s);                       /* without SP, TAB, CR, LF at both ends */
/* Splits at the first c: head gets what stands before, *s what follows.  After the last piece *s is
 * STR_NONE, for which the answer is false.  So "a," has the pieces "a" and "", and "" has one. */
bool str_split(struct str *s, char c, struct str *head_out);
/* Copies into a NUL-terminated array for a system call; false when it does not fit or holds NUL. */
MUST_USE bool str_to_z(struct str s, char *z, size_t size);

static inline bool
ascii_is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static inline bool
ascii_is_alpha(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static inline bool
ascii_is_alnum(char c)
{
    return ascii_is_alpha(c) || ascii_is_digit(c);
}

/* SP or TAB */
static inline bool
ascii_is_space(char c)
{
    return c == ' ' || c == '\t';
}

static inline char
ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

static inline char
ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c & ~0x20) : c;
}

#endif
