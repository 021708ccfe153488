/* srs.c - envelope senders of mail that is sent on.  See srs.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/srs.h"

#include "mail/address.h"

enum { TAG_CHARS = 4 /* "SRS0" */, STAMP_CHARS = 2, STAMP_DAYS = 1024, MAC_BYTES_USED = 5 };
static const char base32[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

static bool has_tag(struct str local, struct str tag);
static enum status read_first(struct str rest, struct srs *out);
static enum status read_second(struct str rest, struct srs *out);
static void hash_write(struct str mac, struct buf *b);
static void stamp_write(int64_t day, char *stamp);
static bool stamp_read(struct str stamp, int *out);
static int base32_value(char c);

bool
srs_is(struct str address)
{
    ssize_t at = str_rfind(address, '@');
    struct str local = at < 0 ? STR("") : str_sub(address, 0, (size_t)at);

    if (local.len > 0 && local.ptr[0] == '"')
        local = str_skip(local, 1);
    return has_tag(local, STR("SRS0")) || has_tag(local, STR("SRS1"));
}

enum status
srs_read(struct str address, struct arena *a, struct srs *out)
{
    struct path p;

    if (!srs_is(address))
        return ERR_NOT_FOUND;
    TRY(mailbox_parse(address, PATH_UTF8, a, &p));
    struct str rest = str_skip(p.local, TAG_CHARS + 1);
    if (has_tag(p.local, STR("SRS0")))
        return read_first(rest, out);
    return has_tag(p.local, STR("SRS1")) ? read_second(rest, out) : ERR_SYNTAX;
}

/* Another forwarder's address is not wrapped whole, or every hop would make it longer: of its SRS0 the host is noted,
 * and of an SRS1 the forwarder in the middle is left out. */
enum status
srs_wrap(struct str sender, int64_t day, struct arena *a, struct srs *out)
{
    char *stamp = arena_alloc(a, STAMP_CHARS);
    struct srs other;
    struct path p;

    ASSERT(day >= 0);
    if (mailbox_parse(sender, PATH_UTF8, a, &p) != OK || p.literal)
        return ERR_NOT_FOUND;
    if (has_tag(p.local, STR("SRS1")) &&
        read_second(str_skip(p.local, TAG_CHARS + 1), &other) == OK) {
        *out = (struct srs){.kind = SRS_SECOND, .host = other.host, .local = other.local};
    } else if (has_tag(p.local, STR("SRS0"))) {
        *out = (struct srs){
            .kind = SRS_SECOND, .host = p.domain, .local = str_skip(p.local, TAG_CHARS)};
    } else {
        stamp_write(day, stamp);
        *out = (struct srs){.kind = SRS_FIRST,
                            .stamp = str_from(stamp, STAMP_CHARS),
                            .host = p.domain,
                            .local = p.local};
    }
    return OK;
}

void
srs_signed(const struct srs *s, struct buf *b)
{
    const struct str parts[] = {s->stamp, s->host, s->local};

    buf_add_char(b, s->kind == SRS_FIRST ? '0' : '1');
    for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
        buf_add_char(b, '=');
        for (size_t k = 0; k < parts[i].len; k++)
            buf_add_char(b, ascii_lower(parts[i].ptr[k]));
    }
}

bool
srs_is_signed(const struct srs *s, struct str mac)
{
    AUTO_BUF hash = BUF(SRS_HASH_CHARS);

    hash_write(mac, &hash);
    return str_eq_nocase(s->hash, buf_str(&hash));
}

/* The stamp goes round in 1,024 days.  One day ahead is a clock that was set back since. */
bool
srs_is_fresh(const struct srs *s, int64_t day)
{
    int then;

    if (s->kind == SRS_SECOND)
        return true;
    if (!stamp_read(s->stamp, &then))
        return false;
    int age = (int)((day % STAMP_DAYS - then + STAMP_DAYS) % STAMP_DAYS); /* below 1,024 */
    return age <= LIMIT_SRS_DAYS || age == STAMP_DAYS - 1;
}

enum status
srs_write(const struct srs *s, struct str mac, struct str domain, struct arena *a, struct str *out)
{
    AUTO_BUF local = BUF(LOCAL_MAX);
    AUTO_BUF whole = BUF(LIMIT_SRS_BYTES);

    buf_add_z(&local, s->kind == SRS_FIRST ? "SRS0=" : "SRS1=");
    hash_write(mac, &local);
    buf_add_char(&local, '=');
    if (s->kind == SRS_FIRST) {
        buf_add(&local, s->stamp);
        buf_add_char(&local, '=');
    }
    buf_add(&local, s->host);
    buf_add_char(&local, '=');
    buf_add(&local, s->local);
    TRY(buf_status(&local));
    const struct path p = {.kind = PATH_MAILBOX, .local = buf_str(&local), .domain = domain};
    path_write(&whole, &p);
    TRY(buf_status(&whole));
    *out = arena_str(a, buf_str(&whole));
    return OK;
}

enum status
srs_target(const struct srs *s, struct arena *a, struct str *out)
{
    AUTO_BUF local = BUF(LOCAL_MAX);
    AUTO_BUF whole = BUF(SRS_ADDRESS_MAX);

    if (s->kind == SRS_SECOND)
        buf_add_z(&local, "SRS0");
    buf_add(&local, s->local);
    TRY(buf_status(&local));
    const struct path p = {.kind = PATH_MAILBOX, .local = buf_str(&local), .domain = s->host};
    path_write(&whole, &p);
    TRY(buf_status(&whole));
    *out = arena_str(a, buf_str(&whole));
    return OK;
}

/* ---- parts ---- */

/* "=" is written; "+" and "-" are what some others write. */
static bool
has_tag(struct str local, struct str tag)
{
    return local.len > TAG_CHARS && str_starts_nocase(local, tag) &&
           str_find(STR("=+-"), local.ptr[TAG_CHARS]) >= 0;
}

/* HASH "=" TT "=" domain "=" local; only the last may hold "=" */
static enum status
read_first(struct str rest, struct srs *out)
{
    struct srs s = {.kind = SRS_FIRST};

    if (!str_split(&rest, '=', &s.hash) || !str_split(&rest, '=', &s.stamp) ||
        !str_split(&rest, '=', &s.host) || rest.len == 0 || s.hash.len == 0 ||
        s.stamp.len != STAMP_CHARS || s.host.len == 0)
        return ERR_SYNTAX;
    s.local = rest;
    *out = s;
    return OK;
}

/* HASH "=" host "=" rest; rest begins with the separator of the SRS0 that it was */
static enum status
read_second(struct str rest, struct srs *out)
{
    struct srs s = {.kind = SRS_SECOND};

    if (!str_split(&rest, '=', &s.hash) || !str_split(&rest, '=', &s.host) || s.hash.len == 0 ||
        s.host.len == 0 || rest.len < 2 || str_find(STR("=+-"), rest.ptr[0]) < 0)
        return ERR_SYNTAX;
    s.local = rest;
    *out = s;
    return OK;
}

static void
hash_write(struct str mac, struct buf *b)
{
    uint64_t bits = 0;

    ASSERT(mac.len == SRS_MAC_BYTES);
    for (size_t i = 0; i < MAC_BYTES_USED; i++)
        bits = bits << 8 | (unsigned char)mac.ptr[i];
    for (size_t i = SRS_HASH_CHARS; i-- > 0;)
        buf_add_char(b, base32[bits >> (5 * i) & 31]);
}

static void
stamp_write(int64_t day, char *stamp)
{
    stamp[0] = base32[day % STAMP_DAYS >> 5];
    stamp[1] = base32[day & 31];
}

static bool
stamp_read(struct str stamp, int *out)
{
    int high = stamp.len == STAMP_CHARS ? base32_value(stamp.ptr[0]) : -1;
    int low = high < 0 ? -1 : base32_value(stamp.ptr[1]);

    if (low < 0)
        return false;
    *out = high << 5 | low;
    return true;
}

static int
base32_value(char c)
{
    ssize_t at = str_find(STR("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"), ascii_upper(c));

    return (int)at; /* below 32, or -1 */
}
