/* mem.c - malloc that does not fail, and memory that holds secrets.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"

#include <stdlib.h>

#include "base/size.h"
#include "base/status.h"

static void *or_die(void *p);

void *
mem_alloc(size_t size)
{
    return or_die(calloc(1, MAX(size, (size_t)1)));
}

void *
mem_array(size_t count, size_t size)
{
    size_t total = 0;

    ASSERT(size_mul(count, size, &total));
    return mem_alloc(total);
}

void *
mem_resize(void *p, size_t old_size, size_t size)
{
    char *q = mem_regrow(p, size);

    ASSERT(p != NULL || old_size == 0);
    if (size > old_size)
        memset(q + old_size, 0, size - old_size);
    return q;
}

void *
mem_regrow(void *p, size_t size)
{
    return or_die(realloc(p, MAX(size, (size_t)1)));
}

void
mem_free(const void *p)
{
    union {
        const void *borrowed;
        void *owned;
    } u = {p};

    free(u.owned);
}

struct str
mem_str(struct str s)
{
    size_t size = 0;

    ASSERT(size_add(s.len, 1, &size));
    char *copy = mem_regrow(NULL, size);
    mem_copy(copy, s.ptr, s.len);
    copy[s.len] = '\0';
    return str_from(copy, s.len);
}

void
mem_str_free(struct str *s)
{
    mem_free(s->ptr);
    *s = STR_NONE;
}

void
mem_copy(void *to, const void *from, size_t n)
{
    if (n > 0) /* memcpy() may not see null pointers even then */
        memcpy(to, from, n);
}

void
mem_move(void *to, const void *from, size_t n)
{
    if (n > 0)
        memmove(to, from, n);
}

void
mem_wipe(void *p, size_t n)
{
    if (n > 0)
        explicit_bzero(p, n);
}

bool
mem_eq_const_time(const void *a, const void *b, size_t n)
{
    const volatile unsigned char *x = a;
    const volatile unsigned char *y = b;
    unsigned int differ = 0;

    for (size_t i = 0; i < n; i++)
        differ |= (unsigned int)(x[i] ^ y[i]);
    return differ == 0;
}

void
secret_wipe(struct secret *s)
{
    mem_wipe(s, sizeof(*s));
}

bool
secret_set(struct secret *s, struct str value)
{
    if (value.len > SECRET_MAX)
        return false;
    secret_wipe(s);
    mem_copy(s->bytes, value.ptr, value.len);
    s->len = value.len;
    return true;
}

struct str
secret_str(const struct secret *s)
{
    ASSERT(s->len <= SECRET_MAX);
    return str_from((const char *)s->bytes, s->len);
}

static void *
or_die(void *p)
{
    if (p == NULL)
        assert_failed("out of memory", __FILE__, __LINE__);
    return p;
}
