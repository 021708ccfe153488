/* directory_values.c - writers and readers of directory values.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/directory_values.h"

#include "base/scan.h"
#include "store/directory_app.h"

/* An account with attributes is of version 2: fields after the fixed ones, each tag and bytes, in rising order of their
 * tags, none of them empty of meaning: what an account does not have is not written. */
enum { VERSION = 1, VERSION_ATTRIBUTES = 2, FLAG_DISABLED = 1 };
enum { APP_BYTES_MAX = 160, PROTOCOLS_MAX = 15 };
#define SECOND_US   INT64_C(1000000)
#define SECONDS_MAX (UINT64_C(1) << 40)
enum attribute {
    ATTRIBUTE_SUSPENDED = 1, /* empty */
    ATTRIBUTE_FORWARD = 2,   /* keep (0 or 1), then a list of targets */
    ATTRIBUTE_SEND_AS = 3,   /* a list of addresses */
    ATTRIBUTE_APP_PASSWORDS = 4,
    ATTRIBUTE_INVITATION = 5, /* expires (varint, in seconds), then the hash */
};

struct address_list { /* never empty */
    const struct str *at;
    size_t count;
};

static void write_account(const struct directory_entry *e, struct buf *b);
static void write_attribute(enum attribute tag, struct str value, struct buf *b);
static bool has_attributes(const struct directory_entry *e);
static bool read_account(struct scan *s, struct directory_entry *e);
static void write_app_passwords(const struct directory_entry *e, struct buf *b);
static void write_invitation(const struct directory_invitation *i, struct buf *b);
static void write_forward(const struct directory_forward *f, struct buf *b);
static void write_send_as(const struct directory_entry *e, struct buf *b);
static bool read_attributes(struct scan *s, struct arena *a, struct directory_entry *e);
static bool read_attribute(uint8_t tag, struct str value, struct arena *a,
                           struct directory_entry *e);
static bool read_forward(struct str value, struct arena *a, struct directory_forward *out);
static bool read_send_as(struct str value, struct arena *a, struct directory_entry *e);
static bool read_invitation(struct str value, struct directory_invitation *out);
static void write_addresses(const struct str *list, size_t n, struct buf *b);
static bool read_addresses(struct scan *s, size_t max, struct arena *a, struct address_list *out);
static bool read_app_passwords(struct str value, struct arena *a, struct directory_entry *e);

void
directory_entry_write(const struct directory_entry *e, struct buf *b)
{
    buf_add_char(b, has_attributes(e) ? VERSION_ATTRIBUTES : VERSION);
    buf_add_char(b, (char)e->kind);
    if (e->kind == DIRECTORY_ACCOUNT) {
        write_account(e, b);
        return;
    }
    ASSERT(e->target_count > 0 && e->target_count <= LIMIT_ALIAS_TARGETS);
    write_addresses(e->targets, e->target_count, b);
}

enum status
directory_entry_read(struct str value, struct arena *a, struct directory_entry *out)
{
    struct scan s = scan_of(value);
    struct directory_entry e = {0};
    uint8_t version, kind;

    if (!scan_u8(&s, &version) || !scan_u8(&s, &kind) || version == 0 ||
        version > (kind == DIRECTORY_ACCOUNT ? VERSION_ATTRIBUTES : VERSION))
        return ERR_CORRUPT;
    if (kind == DIRECTORY_ACCOUNT) {
        e.kind = DIRECTORY_ACCOUNT;
        if (!read_account(&s, &e) ||
            (version == VERSION_ATTRIBUTES && (scan_at_end(&s) || !read_attributes(&s, a, &e))))
            return ERR_CORRUPT;
    } else if (kind == DIRECTORY_ALIAS) {
        struct address_list targets;
        if (!read_addresses(&s, LIMIT_ALIAS_TARGETS, a, &targets))
            return ERR_CORRUPT;
        e.kind = DIRECTORY_ALIAS;
        e.targets = targets.at;
        e.target_count = targets.count;
    } else {
        return ERR_CORRUPT;
    }
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    *out = e;
    return OK;
}

void
directory_domain_write(const struct directory_domain_value *v, struct buf *b)
{
    buf_add_char(b, VERSION);
    buf_add_varint(b, v->tenant);
    buf_add_bytes(b, v->selector);
    buf_add_bytes(b, v->dkim_record);
}

enum status
directory_domain_read(struct str value, struct directory_domain_value *out)
{
    struct scan s = scan_of(value);
    struct directory_domain_value v = {0};
    uint8_t version;
    uint64_t tenant;

    if (!scan_u8(&s, &version) || version != VERSION || !scan_varint(&s, UINT32_MAX, &tenant) ||
        !scan_bytes(&s, 64, &v.selector) || !scan_bytes(&s, 1024, &v.dkim_record) ||
        !scan_at_end(&s))
        return ERR_CORRUPT;
    v.tenant = (uint32_t)tenant; /* bounded above */
    *out = v;
    return OK;
}

static void
write_account(const struct directory_entry *e, struct buf *b)
{
    ASSERT(e->account != 0 && e->verifier.len <= DIRECTORY_VERIFIER_MAX);
    buf_add_be64(b, e->account);
    buf_add_varint(b, e->epoch);
    buf_add_char(b, e->disabled ? FLAG_DISABLED : 0);
    buf_add_varint(b, e->quota_bytes);
    buf_add_zigzag(b, e->created.us);
    buf_add_bytes(b, e->verifier);
    if (e->suspended)
        write_attribute(ATTRIBUTE_SUSPENDED, STR(""), b);
    if (e->forward.count > 0)
        write_forward(&e->forward, b);
    if (e->send_as_count > 0)
        write_send_as(e, b);
    if (e->app_password_count > 0)
        write_app_passwords(e, b);
    if (e->invitation.hash.len > 0)
        write_invitation(&e->invitation, b);
}

static void
write_send_as(const struct directory_entry *e, struct buf *b)
{
    AUTO_BUF value = BUF(DIRECTORY_VALUE_MAX);

    ASSERT(e->send_as_count <= LIMIT_SEND_AS);
    write_addresses(e->send_as, e->send_as_count, &value);
    write_attribute(ATTRIBUTE_SEND_AS, buf_str(&value), b);
}

static void
write_forward(const struct directory_forward *f, struct buf *b)
{
    AUTO_BUF value = BUF(DIRECTORY_VALUE_MAX);

    ASSERT(f->count <= LIMIT_FORWARD_TARGETS);
    buf_add_char(&value, f->keep ? 1 : 0);
    write_addresses(f->targets, f->count, &value);
    write_attribute(ATTRIBUTE_FORWARD, buf_str(&value), b);
}

static void
write_attribute(enum attribute tag, struct str value, struct buf *b)
{
    buf_add_char(b, (char)tag);
    buf_add_bytes(b, value);
}

static bool
has_attributes(const struct directory_entry *e)
{
    return e->kind == DIRECTORY_ACCOUNT &&
           (e->suspended || e->forward.count > 0 || e->send_as_count > 0 ||
            e->app_password_count > 0 || e->invitation.hash.len > 0);
}

static bool
read_account(struct scan *s, struct directory_entry *e)
{
    uint8_t flags;

    if (!scan_be64(s, &e->account) || e->account == 0 || !scan_varint(s, UINT64_MAX, &e->epoch) ||
        !scan_u8(s, &flags) || flags > FLAG_DISABLED ||
        !scan_varint(s, UINT64_MAX, &e->quota_bytes) || !scan_zigzag(s, &e->created.us) ||
        !scan_bytes(s, DIRECTORY_VERIFIER_MAX, &e->verifier))
        return false;
    e->disabled = flags == FLAG_DISABLED;
    return true;
}

static bool
read_attributes(struct scan *s, struct arena *a, struct directory_entry *e)
{
    uint8_t tag, last = 0;
    struct str value;

    while (!scan_at_end(s)) {
        if (!scan_u8(s, &tag) || tag <= last || !scan_bytes(s, DIRECTORY_VALUE_MAX, &value) ||
            !read_attribute(tag, value, a, e))
            return false;
        last = tag;
    }
    return true;
}

static bool
read_attribute(uint8_t tag, struct str value, struct arena *a, struct directory_entry *e)
{
    switch (tag) {
    case ATTRIBUTE_SUSPENDED: e->suspended = true; return value.len == 0;
    case ATTRIBUTE_FORWARD: return read_forward(value, a, &e->forward);
    case ATTRIBUTE_SEND_AS: return read_send_as(value, a, e);
    case ATTRIBUTE_APP_PASSWORDS: return read_app_passwords(value, a, e);
    case ATTRIBUTE_INVITATION: return read_invitation(value, &e->invitation);
    default: return false;
    }
}

/* 1*(id(be64) name protocols(varint) created(varint) expires(varint) used_day(varint) hash(32)), times in seconds */
static void
write_app_passwords(const struct directory_entry *e, struct buf *b)
{
    AUTO_BUF value = BUF(LIMIT_APP_PASSWORDS * APP_BYTES_MAX);

    ASSERT(e->app_password_count <= LIMIT_APP_PASSWORDS);
    for (size_t i = 0; i < e->app_password_count; i++) {
        const struct directory_app_password *p = &e->app_passwords[i];
        ASSERT(p->id != 0 && p->hash.len == DIRECTORY_APP_HASH);
        buf_add_be64(&value, p->id);
        buf_add_bytes(&value, p->name);
        buf_add_varint(&value, p->protocols);
        buf_add_varint(&value, (uint64_t)(p->created.us / SECOND_US)); /* after 1970 */
        buf_add_varint(&value, (uint64_t)(p->expires.us / SECOND_US));
        buf_add_varint(&value, p->used_day);
        buf_add(&value, p->hash);
    }
    ASSERT(buf_status(&value) == OK);
    write_attribute(ATTRIBUTE_APP_PASSWORDS, buf_str(&value), b);
}

static bool
read_app_password(struct scan *s, struct directory_app_password *p)
{
    uint64_t protocols, created, expires, day;

    if (!scan_be64(s, &p->id) || p->id == 0 || !scan_bytes(s, DIRECTORY_APP_NAME_MAX, &p->name) ||
        p->name.len == 0 || !scan_varint(s, PROTOCOLS_MAX, &protocols) ||
        !scan_varint(s, SECONDS_MAX, &created) || !scan_varint(s, SECONDS_MAX, &expires) ||
        !scan_varint(s, SECONDS_MAX / 86400, &day) || !scan_take(s, DIRECTORY_APP_HASH, &p->hash))
        return false;
    p->protocols = (uint32_t)protocols; /* bounded above, like the rest */
    p->created.us = (int64_t)created * SECOND_US;
    p->expires.us = (int64_t)expires * SECOND_US;
    p->used_day = (uint32_t)day;
    return true;
}

static bool
read_app_passwords(struct str value, struct arena *a, struct directory_entry *e)
{
    struct directory_app_password *list =
        ARENA_ARRAY(a, struct directory_app_password, LIMIT_APP_PASSWORDS);
    struct scan s = scan_of(value);
    size_t n = 0;

    while (!scan_at_end(&s)) {
        if (n == LIMIT_APP_PASSWORDS || !read_app_password(&s, &list[n++]))
            return false;
    }
    e->app_passwords = list;
    e->app_password_count = n;
    return n > 0;
}

static void
write_invitation(const struct directory_invitation *i, struct buf *b)
{
    AUTO_BUF value = BUF(DIRECTORY_INVITATION_HASH + 16);

    ASSERT(i->hash.len == DIRECTORY_INVITATION_HASH && i->expires.us > 0);
    buf_add_varint(&value, (uint64_t)(i->expires.us / SECOND_US)); /* after 1970 */
    buf_add(&value, i->hash);
    ASSERT(buf_status(&value) == OK);
    write_attribute(ATTRIBUTE_INVITATION, buf_str(&value), b);
}

static bool
read_invitation(struct str value, struct directory_invitation *out)
{
    struct scan s = scan_of(value);
    uint64_t expires;

    if (!scan_varint(&s, SECONDS_MAX, &expires) || expires == 0 ||
        !scan_take(&s, DIRECTORY_INVITATION_HASH, &out->hash) || !scan_at_end(&s))
        return false;
    out->expires.us = (int64_t)expires * SECOND_US; /* bounded above */
    return true;
}

static bool
read_forward(struct str value, struct arena *a, struct directory_forward *out)
{
    struct scan s = scan_of(value);
    struct address_list targets;
    uint8_t keep;

    if (!scan_u8(&s, &keep) || keep > 1 ||
        !read_addresses(&s, LIMIT_FORWARD_TARGETS, a, &targets) || !scan_at_end(&s))
        return false;
    *out = (struct directory_forward){targets.at, targets.count, keep == 1};
    return true;
}

static bool
read_send_as(struct str value, struct arena *a, struct directory_entry *e)
{
    struct scan s = scan_of(value);
    struct address_list list;

    if (!read_addresses(&s, LIMIT_SEND_AS, a, &list) || !scan_at_end(&s))
        return false;
    e->send_as = list.at;
    e->send_as_count = list.count;
    return true;
}

static void
write_addresses(const struct str *list, size_t n, struct buf *b)
{
    buf_add_varint(b, n);
    for (size_t i = 0; i < n; i++)
        buf_add_bytes(b, list[i]);
}

static bool
read_addresses(struct scan *s, size_t max, struct arena *a, struct address_list *out)
{
    uint64_t n;

    if (!scan_varint(s, max, &n) || n == 0)
        return false;
    struct str *list = ARENA_ARRAY(a, struct str, (size_t)n); /* <= max */
    for (size_t i = 0; i < n; i++) {
        if (!scan_bytes(s, DIRECTORY_ADDRESS_MAX, &list[i]) || list[i].len == 0)
            return false;
    }
    *out = (struct address_list){list, (size_t)n}; /* as above */
    return true;
}
