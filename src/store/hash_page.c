/* hash_page.c - see hash_page.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/hash_page.h"

#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"

enum { VERSION = 1, ENTRY_BYTES = 10 };
#define DAY_US INT64_C(86400000000)

static struct hash_seen *find(struct hash_page *p, uint64_t hash);
static struct hash_seen *oldest(struct hash_page *p);
static uint16_t day_of(struct instant now);

bool
hash_page_has(const struct hash_page *p, uint64_t hash)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->at[i].hash == hash)
            return true;
    return false;
}

bool
hash_page_add(struct hash_page *p, uint64_t hash, struct instant now)
{
    struct hash_seen *c = find(p, hash);
    uint16_t day = day_of(now);

    if (c != NULL && day < c->day + HASH_PAGE_FRESH_DAYS)
        return false;
    if (c == NULL)
        c = p->count < HASH_PAGE_MAX ? &p->at[p->count++] : oldest(p);
    *c = (struct hash_seen){hash, day};
    return true;
}

bool
hash_page_del(struct hash_page *p, uint64_t hash)
{
    struct hash_seen *c = find(p, hash);

    if (c == NULL)
        return false;
    *c = p->at[--p->count];
    return true;
}

/* value = version(u8), of each: hash(u64) day(u16) */
void
hash_page_write(const struct hash_page *p, struct buf *b)
{
    char entry[ENTRY_BYTES];

    buf_add_char(b, VERSION);
    for (size_t i = 0; i < p->count; i++) {
        be64_put(entry, p->at[i].hash);
        be16_put(entry + 8, p->at[i].day);
        buf_add(b, str_from(entry, sizeof(entry)));
    }
}

enum status
hash_page_read(struct str value, struct hash_page *out)
{
    struct hash_page p = {.count = 0};
    struct scan s = scan_of(value);
    struct str entry;
    uint8_t version;

    if (value.ptr == NULL) {
        *out = p;
        return OK;
    }
    if (!scan_u8(&s, &version) || version != VERSION)
        return ERR_CORRUPT;
    while (p.count < HASH_PAGE_MAX && scan_take(&s, ENTRY_BYTES, &entry))
        p.at[p.count++] =
            (struct hash_seen){.hash = be64_get(entry.ptr), .day = be16_get(entry.ptr + 8)};
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    *out = p;
    return OK;
}

static struct hash_seen *
find(struct hash_page *p, uint64_t hash)
{
    for (size_t i = 0; i < p->count; i++)
        if (p->at[i].hash == hash)
            return &p->at[i];
    return NULL;
}

/* Of a page that has some. */
static struct hash_seen *
oldest(struct hash_page *p)
{
    struct hash_seen *c = &p->at[0];

    for (size_t i = 1; i < p->count; i++)
        if (p->at[i].day < c->day)
            c = &p->at[i];
    return c;
}

static uint16_t
day_of(struct instant now)
{
    int64_t day = now.us / DAY_US;

    return day < 0 ? 0 : (uint16_t)MIN(day, UINT16_MAX); /* in the year 2149 */
}
