/* quota.c - GETQUOTA and GETQUOTAROOT (RFC 9208), and what an EXPUNGE would free.
 *
 * An account has one quota root, "", for all of its mailboxes.  Who may set quotas is the godwit command alone:
 * QUOTASET is not offered.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "imap/commands.h"
#include "imap/mailbox.h"

#define QUOTA_ARENA  65536u
#define PAGE_ENTRIES 8192u /* mids of one call of sizes() */
#define PAGE_ARENA   (2u << 20)
#define STORAGE_UNIT 1024u /* RFC 9208 section 5.1 */

static SUSPENDS enum status get_use(struct imap_session *s, struct arena *a,
                                    struct store_account_reply *out);
static SUSPENDS enum status send_quota(struct imap_cmd *c, const struct store_account_reply *use);
static SUSPENDS enum status get_page(struct imap_session *s, uint32_t mailbox, uint32_t from,
                                     struct arena *a, struct store_view_reply *out);
static SUSPENDS enum status add_sizes(struct imap_session *s, struct str entries, struct arena *a,
                                      uint64_t *total);
static enum status next_page(const struct store_view_reply *page, uint32_t *from);

/* "GETQUOTA" SP quota-root-name */
SUSPENDS enum status
imap_cmd_getquota(struct imap_cmd *c)
{
    AUTO_ARENA *a = arena_new(QUOTA_ARENA);
    struct store_account_reply use;
    struct str root;

    if (!imap_scan_sp(&c->in) || !imap_scan_astring(&c->in, c->arena, &root) ||
        !imap_scan_end(&c->in))
        return imap_bad(c, "Expected GETQUOTA root");
    if (root.len > 0)
        return imap_no(c, "NONEXISTENT", "There is one quota root, and its name is \"\"");
    enum status e = get_use(c->s, a, &use);
    if (e != OK)
        return imap_failed(c, e);
    TRY(send_quota(c, &use));
    return imap_ok(c, NULL, "That is the quota");
}

/* "GETQUOTAROOT" SP mailbox: whether there is one of this name does not matter, RFC 9208 section 4.1.2. */
SUSPENDS enum status
imap_cmd_getquotaroot(struct imap_cmd *c)
{
    AUTO_ARENA *a = arena_new(QUOTA_ARENA);
    AUTO_BUF b = BUF(16 * LIMIT_MAILBOX_NAME_BYTES);
    struct store_account_reply use;
    struct str name;

    if (!imap_scan_sp(&c->in) || !imap_scan_mailbox(&c->in, c->arena, &name) ||
        !imap_scan_end(&c->in))
        return imap_bad(c, "Expected GETQUOTAROOT mailbox");
    enum status e = get_use(c->s, a, &use);
    if (e != OK)
        return imap_failed(c, e);
    buf_add(&b, STR("* QUOTAROOT "));
    imap_add_mailbox(&b, name);
    buf_add(&b, STR(" \"\"\r\n"));
    if (buf_status(&b) != OK)
        return imap_no(c, "LIMIT", "The name is too long");
    TRY(conn_write(c->s->conn, buf_str(&b)));
    TRY(send_quota(c, &use));
    return imap_ok(c, NULL, "That is the quota");
}

enum status
imap_deleted_bytes(struct imap_session *s, const struct store_mailbox *m, uint64_t *out)
{
    uint64_t total = 0;
    uint32_t from = m->deleted > 0 ? 1 : 0;

    while (from != 0) {
        AUTO_ARENA *a = arena_new(PAGE_ARENA);
        struct store_view_reply page;
        TRY(get_page(s, m->id, from, a, &page));
        TRY(add_sizes(s, page.entries, a, &total));
        TRY(next_page(&page, &from));
    }
    *out = total;
    return OK;
}

static SUSPENDS enum status
get_use(struct imap_session *s, struct arena *a, struct store_account_reply *out)
{
    const struct store_account req = {.session = s->id};
    struct ipc_peer *store;
    enum status e;

    do {
        TRY(imap_store(s, &store));
        e = store_account_call(store, &req, a, out);
    } while (hold_read_again(&s->hold, e));
    return e;
}

/* A resource without a limit is not named, RFC 9208 section 4.2.1.  Half a unit in use counts as one; half a unit of
 * room as none. */
static SUSPENDS enum status
send_quota(struct imap_cmd *c, const struct store_account_reply *use)
{
    AUTO_BUF b = BUF(256);
    const char *before = "";

    buf_add(&b, STR("* QUOTA \"\" ("));
    if (use->quota_bytes != 0) {
        uint64_t used = use->bytes / STORAGE_UNIT + (use->bytes % STORAGE_UNIT != 0);
        buf_addf(&b, "STORAGE %llu %llu", (unsigned long long)used,
                 (unsigned long long)(use->quota_bytes / STORAGE_UNIT));
        before = " ";
    }
    if (use->quota_messages != 0)
        buf_addf(&b, "%sMESSAGE %llu %llu", before, (unsigned long long)use->messages,
                 (unsigned long long)use->quota_messages);
    buf_add(&b, STR(")\r\n"));
    return conn_write(c->s->conn, buf_str(&b));
}

static SUSPENDS enum status
get_page(struct imap_session *s, uint32_t mailbox, uint32_t from, struct arena *a,
         struct store_view_reply *out)
{
    const struct store_view req = {
        .session = s->id, .mailbox = mailbox, .from_uid = from, .max = PAGE_ENTRIES};
    struct ipc_peer *store;
    enum status e;

    do {
        TRY(imap_store(s, &store));
        e = store_view_call(store, &req, a, out);
    } while (hold_read_again(&s->hold, e));
    if (e == OK && out->entries.len > PAGE_ENTRIES * sizeof(struct box_entry))
        return ERR_CORRUPT;
    return e;
}

/* The exact sizes of those that have \Deleted. */
static SUSPENDS enum status
add_sizes(struct imap_session *s, struct str entries, struct arena *a, uint64_t *total)
{
    size_t count = entries.len / sizeof(struct box_entry);
    uint64_t *mids = ARENA_ARRAY(a, uint64_t, count + 1);
    struct store_sizes req = {.session = s->id, .mids = mids};
    struct store_sizes_reply rep;
    struct ipc_peer *store;
    enum status e;

    for (size_t i = 0; i < count; i++) {
        struct box_entry entry;
        mem_copy(&entry, entries.ptr + i * sizeof(entry), sizeof(entry));
        if ((entry.flags & IMAP_DELETED) != 0)
            mids[req.mids_count++] = entry.mid;
    }
    if (req.mids_count == 0)
        return OK;
    do {
        TRY(imap_store(s, &store));
        e = store_sizes_call(store, &req, a, &rep);
    } while (hold_read_again(&s->hold, e));
    TRY(e);
    for (size_t i = 0; i < rep.sizes_count; i++)
        *total += rep.sizes[i];
    return OK;
}

/* *from becomes where the next page begins; 0: there is none. */
static enum status
next_page(const struct store_view_reply *page, uint32_t *from)
{
    struct box_entry last;

    if (page->entries.len % sizeof(last) != 0 || (page->more && page->entries.len == 0))
        return ERR_CORRUPT;
    if (!page->more) {
        *from = 0;
        return OK;
    }
    mem_copy(&last, page->entries.ptr + page->entries.len - sizeof(last), sizeof(last));
    if (last.uid < *from)
        return ERR_CORRUPT;
    *from = last.uid + 1; /* 0 after the last that there can be */
    return OK;
}
