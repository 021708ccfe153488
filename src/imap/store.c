/* store.c - STORE and UID STORE.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "imap/commands.h"
#include "ipc/store_ipc.h"

#define STORE_ARENA (3u << 20)
#define KNOWN_MAX   (1u << 30)

struct change {
    enum { CHANGE_SET, CHANGE_ADD, CHANGE_REMOVE } op; /* as store.ipc */
    bool silent;
    struct imap_flags flags;
};

/* store-att-flags = (["+" / "-"] "FLAGS" [".SILENT"]) SP (flag-list / (flag *(SP flag))) */
static bool
scan_change(struct scan *s, struct arena *a, struct change *out)
{
    struct change ch = {.op = CHANGE_SET};

    if (scan_char(s, '+'))
        ch.op = CHANGE_ADD;
    else if (scan_char(s, '-'))
        ch.op = CHANGE_REMOVE;
    if (!scan_str_nocase(s, STR("FLAGS")))
        return false;
    ch.silent = scan_str_nocase(s, STR(".SILENT"));
    if (!imap_scan_sp(s) || !imap_scan_flags(s, a, &ch.flags) || !imap_scan_end(s))
        return false;
    *out = ch;
    return true;
}

/* The messages meant, with the flags that the client knows them to have. */
static void
remember(const struct imap_session *s, const struct store_range *uids, size_t n, struct buf *out)
{
    for (size_t i = 0; i < n; i++) {
        size_t at = box_array_find(s->array, s->count, uids[i].first);
        for (; at < s->count && s->array->at[at].uid <= uids[i].last; at++) {
            struct imap_known k = {.index = at, .flags = s->array->at[at].flags};
            buf_add(out, str_from((const char *)&k, sizeof(k)));
        }
    }
}

static uint32_t
mask_of(const struct box *b, const struct imap_flags *f)
{
    uint32_t mask = f->system;

    for (size_t i = 0; i < f->keyword_count; i++)
        for (size_t k = 0; k < b->keyword_count; k++)
            if (str_eq_nocase(f->keywords[i], b->keywords[k]))
                mask |= 1u << (IMAP_KEYWORD_SHIFT + k);
    return mask;
}

static SUSPENDS enum status
change_flags(struct imap_session *s, const struct change *ch, const struct store_range *uids,
             size_t n)
{
    AUTO_ARENA *a = arena_new(STORE_ARENA);
    struct store_flags req = {.session = s->id,
                              .mailbox = s->box->mailbox,
                              .uids = uids,
                              .uids_count = n,
                              .op = (uint8_t)ch->op,
                              .flags = ch->flags.system,
                              .keywords = ch->flags.keywords,
                              .keywords_count = ch->flags.keyword_count,
                              .unchanged_since = UINT64_MAX};
    struct store_flags_reply rep;
    struct ipc_peer *store;
    enum status e;

    do {
        TRY(imap_store(s, &store));
        e = store_flags_call(store, &req, a, &rep);
    } while (hold_write_again(&s->hold, e));
    TRY(e);
    box_keywords(s->box, rep.keywords, rep.keywords_count);
    imap_changed(s->account, rep.modseq, &req.mailbox, 1);
    return OK;
}

static SUSPENDS enum status
serve_change(struct imap_cmd *c, const struct change *ch, const struct store_range *uids, size_t n)
{
    AUTO_BUF known = BUF(KNOWN_MAX);
    struct imap_session *s = c->s;

    remember(s, uids, n, &known);
    if (buf_status(&known) != OK)
        return imap_failed(c, ERR_LIMIT);
    enum status e = change_flags(s, ch, uids, n);
    if (e == ERR_LIMIT)
        return imap_no(c, "LIMIT", "The mailbox has too many keywords");
    if (e != OK)
        return imap_write_failed(c, e);
    struct imap_told told = {.messages = (const struct imap_known *)(const void *)known.ptr,
                             .count = known.len / sizeof(struct imap_known),
                             .silent = ch->silent,
                             .uid = c->uid,
                             .op = ch->op,
                             .mask = mask_of(s->box, &ch->flags)};
    TRY(imap_sync_stored(s, &told));
    return imap_ok(c, NULL, "Changed");
}

SUSPENDS enum status
imap_cmd_store(struct imap_cmd *c)
{
    const struct store_range *uids;
    struct imap_set set;
    struct change ch;
    size_t n;

    if (!imap_scan_sp(&c->in) || !imap_scan_set(&c->in, c->arena, &set) || !imap_scan_sp(&c->in) ||
        !scan_change(&c->in, c->arena, &ch))
        return imap_bad(c, "Expected a set of messages, FLAGS, +FLAGS or -FLAGS, and flags");
    if (!imap_uids(c, &set, &uids, &n))
        return imap_bad(c, "There is no message of such a number");
    if (c->s->read_only)
        return imap_no(c, "READ-ONLY", "The mailbox was opened to look only");
    if (n == 0)
        return imap_ok(c, NULL, "There was no such message");
    return serve_change(c, &ch, uids, n);
}
