/* account.c - accounts made, measured, limited, dropped.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/account.h"

#include "store/mailbox_internal.h"
#include "store/quota_internal.h"

#define INDEX_BITS_FIRST INDEX_BITS_STEP
#define DROP_PAGES       64u /* of messages, in one step */

static const struct {
    struct str name;
    enum mailbox_special special;
} first_mailboxes[] = {
    {STR("INBOX"), SPECIAL_NONE},  {STR("Drafts"), SPECIAL_DRAFTS},
    {STR("Sent"), SPECIAL_SENT},   {STR("Junk"), SPECIAL_JUNK},
    {STR("Trash"), SPECIAL_TRASH}, {STR("Archive"), SPECIAL_ARCHIVE},
};

static SUSPENDS enum status create_once(struct cell *account, const struct account_quota *quota,
                                        struct instant now);
static SUSPENDS enum status quota_once(struct cell *account, const struct account_quota *quota);
static SUSPENDS enum status refused_once(struct cell *account, struct instant now,
                                         struct instant *since_out);
static SUSPENDS enum status drop_once(struct cell *account, bool *empty_out);
static SUSPENDS enum status drop_messages(struct tx *t, struct head_value *h, bool *empty_out);
static enum status drop_page(struct tx *t, struct str page, uint64_t *dropped);

struct cell *
account_open(struct cells *c, uint64_t id)
{
    return cell_open(c, (struct cell_id){CELL_ACCOUNT, id});
}

enum status
account_create(struct cell *account, struct account_quota quota, struct instant now)
{
    enum status s;
    int tries = 0;

    TRY(work_may_grow(account, GROWS_A_LITTLE));
    do {
        s = create_once(account, &quota, now);
    } while (work_again(&s, &tries));
    /* A dropped cell refuses every commit. */
    return s == ERR_NOT_FOUND ? ERR_EXISTS : s;
}

enum status
account_info(struct cell *account, struct account_info *out)
{
    struct head_value h;
    struct quota_value q = {0};
    AUTO_ARENA *a = arena_new(ARENA_WORK);

    TRY(head_load(account, a, &h));
    if (h.quota_bytes != 0 || h.quota_messages != 0)
        TRY(quota_load(account, a, &q));
    enum quota_level level = quota_level(&h);
    *out = (struct account_info){
        .id = cell_id_of(account).id,
        .modseq = h.modseq,
        .bytes = h.bytes,
        .messages = h.messages,
        .quota = {h.quota_bytes, h.quota_messages},
        .mailboxes = h.mailboxes,
        .created = {h.created_us},
        .has_work = h.jobs > 0 || h.next_due != 0,
        .notice = level > q.told ? (uint8_t)level : QUOTA_FINE, /* a small enum */
        .full_since = {q.full_since_us},
    };
    return OK;
}

enum status
account_set_quota(struct cell *account, struct account_quota quota)
{
    enum status s;
    int tries = 0;

    do {
        s = quota_once(account, &quota);
    } while (work_again(&s, &tries));
    return s;
}

enum status
account_has_room(struct cell *account, uint64_t size)
{
    const struct quota_more more = {MAX(size, UINT64_C(1)), 1, false};
    struct head_value h;
    AUTO_ARENA *a = arena_new(ARENA_WORK);

    TRY(head_load(account, a, &h));
    TRY(work_may_grow(account, GROWS_A_BODY));
    return quota_has_room(&h, &more);
}

enum status
account_refused(struct cell *account, struct instant now, struct instant *since_out)
{
    struct quota_value q;
    enum status s;
    int tries = 0;
    AUTO_ARENA *a = arena_new(ARENA_WORK);

    TRY(quota_load(account, a, &q));
    if (q.full_since_us != 0) {
        since_out->us = q.full_since_us;
        return OK;
    }
    do {
        s = refused_once(account, now, since_out);
    } while (work_again(&s, &tries));
    return s;
}

enum status
account_drop(struct cell *account, bool *more_out)
{
    enum status s;
    int tries = 0;
    bool empty = false;

    do {
        s = drop_once(account, &empty);
    } while (work_again(&s, &tries));
    TRY(s);
    if (empty)
        s = cell_drop(account);
    if (s != OK && s != ERR_CONFLICT)
        return s;
    *more_out = !empty || s == ERR_CONFLICT;
    return OK;
}

enum status
account_left(struct cell *account, uint64_t *messages_out)
{
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    struct key k = key_head();
    struct head_value h;
    struct str value;

    TRY(cell_get(account, key_str(&k), a, &value));
    if (value.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(head_read(value, &h));
    *messages_out = h.messages;
    return OK;
}

/* The head does not exist yet, so work_begin() has nothing to read: the first change is made by hand. */
static enum status
create_once(struct cell *account, const struct account_quota *quota, struct instant now)
{
    AUTO(work_end)
    struct work w = {.account = account, .now = now, .log = BUF(1u << 16), .entry = BUF(1u << 16)};
    struct key k = key_head();
    struct str value;
    uint32_t id;

    TRY(tx_begin(account, &w.tx));
    w.a = tx_arena(w.tx);
    TRY(tx_peek(w.tx, key_str(&k), &value));
    if (value.ptr != NULL || !tx_is_new(w.tx))
        return ERR_EXISTS;
    w.modseq = 1;
    w.head = (struct head_value){
        .next_mid = 1,
        .next_tid = 1,
        .next_job = 1,
        .quota_bytes = quota->bytes,
        .quota_messages = quota->messages,
        .created_us = now.us,
        .next_uidvalidity = (uint32_t)MAX(now.us / 1000000, 1),
        .next_mailbox = MAILBOX_INBOX,
        .index_bits = INDEX_BITS_FIRST,
    };
    for (size_t i = 0; i < COUNT_OF(first_mailboxes); i++) {
        struct new_mailbox n = {MAILBOX_ROOT, first_mailboxes[i].name, first_mailboxes[i].special,
                                true};
        TRY(mailbox_make(&w, &n, &id));
        ASSERT(i > 0 || id == MAILBOX_INBOX);
    }
    return work_commit(&w);
}

static enum status
quota_once(struct cell *account, const struct account_quota *quota)
{
    AUTO(work_end) struct work w;

    TRY(work_begin(&w, account, (struct instant){0}));
    w.head.quota_bytes = quota->bytes;
    w.head.quota_messages = quota->messages;
    w.head_dirty = true;
    return work_commit(&w);
}

static enum status
refused_once(struct cell *account, struct instant now, struct instant *since_out)
{
    AUTO(work_end) struct work w;
    struct instant since;

    TRY(work_begin(&w, account, now));
    TRY(quota_refused(&w, &since));
    TRY(work_commit(&w));
    *since_out = since;
    return OK;
}

/* The first step marks the head: from then on the account is not found.  Later ones give its bodies back. */
static enum status
drop_once(struct cell *account, bool *empty_out)
{
    AUTO(tx_abort) struct tx *t = NULL;
    struct head_value h;
    struct key k = key_head();
    char head[HEAD_BYTES];
    struct str value;
    bool empty = false;

    TRY(tx_begin(account, &t));
    TRY(tx_peek(t, key_str(&k), &value));
    if (value.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(head_read(value, &h));
    if (!h.dropped)
        h.dropped = 1;
    else
        TRY(drop_messages(t, &h, &empty));
    head_write(&h, head);
    tx_put(t, key_str(&k), str_from(head, sizeof(head)));
    TRY(tx_commit(&t));
    *empty_out = empty;
    return OK;
}

static enum status
drop_messages(struct tx *t, struct head_value *h, bool *empty_out)
{
    const struct cell_entry *pages;
    uint64_t dropped = 0;
    size_t n;

    TRY(tx_range(t, (struct tx_span){STR("R"), STR("S"), DROP_PAGES}, &pages, &n));
    for (size_t i = 0; i < n; i++) {
        TRY(drop_page(t, pages[i].value, &dropped));
        tx_del(t, pages[i].key);
    }
    h->messages -= MIN(dropped, h->messages);
    *empty_out = n == 0;
    return OK;
}

static enum status
drop_page(struct tx *t, struct str page, uint64_t *dropped)
{
    struct message_value m;
    struct page_entry e;
    struct scan s;
    enum status st;

    TRY(page_scan(page, &s));
    while ((st = page_next(&s, &e)) == OK) {
        TRY(message_entry_read(e.body, &m));
        tx_ref_drop(t, m.blob);
        *dropped += m.count > 0;
    }
    return st == ERR_NOT_FOUND ? OK : st;
}
