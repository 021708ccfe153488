/* str.c - comparing, finding and splitting borrowed bytes.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/str.h"

#include "base/size.h"
#include "base/status.h"

static bool bytes_eq_nocase(const char *a, const char *b, size_t n);
static bool is_trimmed(char c);

bool
str_eq_nocase(struct str a, struct str b)
{
    return a.len == b.len && bytes_eq_nocase(a.ptr, b.ptr, a.len);
}

int
str_cmp(struct str a, struct str b)
{
    size_t common = MIN(a.len, b.len);
    int order = common > 0 ? memcmp(a.ptr, b.ptr, common) : 0;

    if (order != 0)
        return order < 0 ? -1 : 1;
    return a.len < b.len ? -1 : a.len > b.len;
}

int
str_cmp_nocase(struct str a, struct str b)
{
    size_t common = MIN(a.len, b.len);

    for (size_t i = 0; i < common; i++) {
        unsigned char x = (unsigned char)ascii_lower(a.ptr[i]);
        unsigned char y = (unsigned char)ascii_lower(b.ptr[i]);
        if (x != y)
            return x < y ? -1 : 1;
    }
    return a.len < b.len ? -1 : a.len > b.len;
}

bool
str_starts(struct str s, struct str prefix)
{
    return prefix.len <= s.len && str_eq(str_from(s.ptr, prefix.len), prefix);
}

bool
str_starts_nocase(struct str s, struct str prefix)
{
    return prefix.len <= s.len && bytes_eq_nocase(s.ptr, prefix.ptr, prefix.len);
}

bool
str_ends(struct str s, struct str suffix)
{
    return suffix.len <= s.len && str_eq(str_skip(s, s.len - suffix.len), suffix);
}

bool
str_ends_nocase(struct str s, struct str suffix)
{
    return suffix.len <= s.len && str_eq_nocase(str_skip(s, s.len - suffix.len), suffix);
}

ssize_t
str_find(struct str s, char c)
{
    const char *at = s.len > 0 ? memchr(s.ptr, c, s.len) : NULL;

    return at != NULL ? at - s.ptr : -1;
}

ssize_t
str_rfind(struct str s, char c)
{
    const char *at = s.len > 0 ? memrchr(s.ptr, c, s.len) : NULL;

    return at != NULL ? at - s.ptr : -1;
}

ssize_t
str_find_str(struct str s, struct str needle)
{
    if (needle.len == 0)
        return 0;
    if (needle.len > s.len)
        return -1;
    const char *at = memmem(s.ptr, s.len, needle.ptr, needle.len);
    return at != NULL ? at - s.ptr : -1;
}

ssize_t
str_find_nocase(struct str s, struct str needle)
{
    if (needle.len == 0)
        return 0;
    if (needle.len > s.len)
        return -1;
    size_t last = s.len - needle.len;
    char first = ascii_lower(needle.ptr[0]);
    for (size_t i = 0; i <= last; i++) {
        if (ascii_lower(s.ptr[i]) == first &&
            bytes_eq_nocase(s.ptr + i + 1, needle.ptr + 1, needle.len - 1))
            return (ssize_t)i;
    }
    return -1;
}

struct str
str_sub(struct str s, size_t from, size_t n)
{
    struct str rest = str_skip(s, from);

    return str_from(rest.ptr, MIN(n, rest.len));
}

struct str
str_skip(struct str s, size_t n)
{
    size_t skip = MIN(n, s.len);

    /* No arithmetic on the null pointer of an empty string. */
    return skip > 0 ? str_from(s.ptr + skip, s.len - skip) : s;
}

struct str
str_trim(struct str s)
{
    while (s.len > 0 && is_trimmed(s.ptr[0]))
        s = str_skip(s, 1);
    while (s.len > 0 && is_trimmed(s.ptr[s.len - 1]))
        s.len--;
    return s;
}

bool
str_split(struct str *s, char c, struct str *head_out)
{
    if (s->ptr == NULL)
        return false;
    ssize_t at = str_find(*s, c);
    if (at < 0) {
        *head_out = *s;
        *s = STR_NONE;
    } else {
        *head_out = str_from(s->ptr, (size_t)at);
        *s = str_skip(*s, (size_t)at + 1);
    }
    return true;
}

bool
str_to_z(struct str s, char *z, size_t size)
{
    if (s.len >= size || str_find(s, '\0') >= 0)
        return false;
    if (s.len > 0)
        memcpy(z, s.ptr, s.len);
    z[s.len] = '\0';
    return true;
}

static bool
bytes_eq_nocase(const char *a, const char *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != b[i] && ascii_lower(a[i]) != ascii_lower(b[i]))
            return false;
    }
    return true;
}

static bool
is_trimmed(char c)
{
    return ascii_is_space(c) || c == '\r' || c == '\n';
}
