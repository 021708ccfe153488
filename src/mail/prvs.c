/* prvs.c - see prvs.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/prvs.h"

#include "base/limits.h"
#include "base/size.h"

enum { KEY_DAY_CHARS = 4, MAC_CHARS = 6, DAYS = 1000 };
static const struct str prefix = STR("prvs=");
static_assert(KEY_DAY_CHARS + MAC_CHARS == PRVS_TAG_CHARS, "the parts of a tag");

static void mac_write(struct str mac, char *out);

bool
prvs_is(struct str address)
{
    return str_starts_nocase(address, prefix);
}

enum status
prvs_read(struct str address, struct arena *a, struct prvs *out)
{
    struct str rest = str_skip(address, prefix.len);

    if (!prvs_is(address))
        return ERR_NOT_FOUND;
    if (rest.len < PRVS_TAG_CHARS + 2 || rest.ptr[PRVS_TAG_CHARS] != '=' ||
        str_find(rest, '@') <= (ssize_t)PRVS_TAG_CHARS + 1)
        return ERR_SYNTAX;
    for (size_t i = 0; i < KEY_DAY_CHARS; i++)
        if (rest.ptr[i] < '0' || rest.ptr[i] > '9')
            return ERR_SYNTAX;
    *out = (struct prvs){.tag = arena_str(a, str_sub(rest, 0, PRVS_TAG_CHARS)),
                         .address = arena_str(a, str_skip(rest, PRVS_TAG_CHARS + 1))};
    return OK;
}

void
prvs_signed(const struct prvs *p, struct buf *b)
{
    buf_add(b, str_sub(p->tag, 0, KEY_DAY_CHARS));
    for (size_t i = 0; i < p->address.len; i++)
        buf_add_char(b, ascii_lower(p->address.ptr[i]));
}

bool
prvs_is_signed(const struct prvs *p, struct str mac)
{
    char want[MAC_CHARS];

    mac_write(mac, want);
    return str_eq_nocase(str_skip(p->tag, KEY_DAY_CHARS), str_from(want, sizeof(want)));
}

bool
prvs_is_fresh(const struct prvs *p, int64_t day)
{
    int until = 0;

    for (size_t i = 1; i < KEY_DAY_CHARS; i++)
        until = until * 10 + (p->tag.ptr[i] - '0');
    int64_t left = (until - day % DAYS + DAYS) % DAYS;
    return p->tag.ptr[0] == '0' && left <= LIMIT_PRVS_DAYS;
}

enum status
prvs_wrap(struct str address, int64_t day, struct arena *a, struct prvs *out)
{
    ASSERT(day >= 0);
    if (prvs_is(address) || address.len == 0 || address.ptr[0] == '"' ||
        str_find(address, '@') <= 0 ||
        address.len + prefix.len + PRVS_TAG_CHARS + 1 > LIMIT_SRS_BYTES)
        return ERR_NOT_FOUND;
    *out = (struct prvs){
        .tag = arena_printf(a, "0%03d", (int)((day + LIMIT_PRVS_DAYS) % DAYS)),
        .address = address,
    };
    return OK;
}

struct str
prvs_write(const struct prvs *p, struct str mac, struct arena *a)
{
    AUTO_BUF b = BUF(LIMIT_SRS_BYTES + PRVS_TAG_CHARS);
    char hash[MAC_CHARS];

    mac_write(mac, hash);
    buf_add(&b, prefix);
    buf_add(&b, str_sub(p->tag, 0, KEY_DAY_CHARS));
    buf_add(&b, str_from(hash, sizeof(hash)));
    buf_add_char(&b, '=');
    buf_add(&b, p->address);
    ASSERT(buf_status(&b) == OK); /* prvs_wrap() bounds it */
    return arena_str(a, buf_str(&b));
}

static void
mac_write(struct str mac, char *out)
{
    static const char digits[] = "0123456789abcdef";

    ASSERT(mac.len >= MAC_CHARS / 2);
    for (size_t i = 0; i < MAC_CHARS; i++) {
        unsigned byte = (unsigned char)mac.ptr[i / 2];
        out[i] = digits[i % 2 == 0 ? byte >> 4 : byte & 15];
    }
}
