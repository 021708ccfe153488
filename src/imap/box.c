/* box.c - open mailboxes: their arrays, and how they follow the store.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "imap/box.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/size.h"
#include "imap/commands.h"
#include "imap/user.h"
#include "ipc/store_ipc.h"

#define PAGE_ARENA   (3u << 20)   /* one reply of view or changes */
#define PAGE_ENTRIES 43690u       /* 1 MiB of them */
#define NEWS_BYTES   (768u << 20) /* 32 million messages */

/* Everything that is new, before any of it is put into the arrays. */
struct news {
    struct buf entries;  /* struct box_entry, ascending by uid once sorted */
    struct buf vanished; /* struct store_range, ascending and disjoint once sorted */
    uint64_t modseq;
    bool full; /* entries are the whole mailbox */
};

static SUSPENDS enum status load_news(struct box *b, struct imap_session *s, struct news *n);
static SUSPENDS enum status load_view(struct box *b, struct imap_session *s, struct news *n);
static void news_sort(struct news *n);
static void take_news(struct box *b, const struct news *n);

static void
news_release(struct news *n)
{
    buf_release(&n->entries);
    buf_release(&n->vanished);
}

/* ---- arrays ---- */

static struct box_array *
array_new(struct box *b, size_t cap)
{
    struct box_array *a = MEM_NEW(struct box_array);

    a->refs = 1;
    a->cap = cap;
    a->at = cap == 0 ? NULL : MEM_ARRAY(struct box_entry, cap);
    list_push(&b->arrays, &a->node);
    return a;
}

struct box_array *
box_array_ref(struct box_array *a)
{
    a->refs++;
    return a;
}

void
box_array_unref(struct box_array **a)
{
    struct box_array *array = *a;

    *a = NULL;
    if (array == NULL)
        return;
    ASSERT(array->refs > 0);
    if (--array->refs > 0)
        return;
    list_remove(&array->node);
    mem_free(array->at);
    mem_free(array);
}

size_t
box_array_find(const struct box_array *a, size_t count, uint32_t uid)
{
    size_t lo = 0, hi = count;

    ASSERT(count <= a->count);
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (a->at[mid].uid < uid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void
array_push(struct box_array *a, const struct box_entry *e)
{
    if (a->count == a->cap) {
        size_t cap = a->cap + MAX(a->cap / 8, 8);
        a->at = mem_resize(a->at, a->cap * sizeof(*e), cap * sizeof(*e));
        a->cap = cap;
    }
    a->at[a->count++] = *e;
}

/* ---- opening ---- */

struct box *
box_find(uint64_t account, uint32_t mailbox)
{
    struct imap_user *u = imap_user_find(account);

    if (u == NULL)
        return NULL;
    list_each (node, &u->boxes) {
        struct box *b = LIST_ENTRY(node, struct box, node);
        if (b->mailbox == mailbox && !b->gone)
            return b;
    }
    return NULL;
}

static struct box *
box_new(uint64_t account, const struct store_mailbox *mailbox)
{
    struct box *b = MEM_NEW(struct box);

    b->account = account;
    b->mailbox = mailbox->id;
    b->uidvalidity = mailbox->uidvalidity;
    b->uidnext = mailbox->uidnext;
    b->stale = true;
    list_init(&b->arrays);
    b->array = array_new(b, 0);
    fiber_lock_init(&b->refreshing);
    list_push(&imap_user_take(account)->boxes, &b->node);
    return b;
}

enum status
box_open(struct imap_session *s, const struct store_mailbox *mailbox, struct box **out)
{
    struct box *b = box_find(s->account, mailbox->id);

    if (b != NULL && b->uidvalidity != mailbox->uidvalidity) {
        b->gone = true;
        b = NULL;
    }
    if (b == NULL)
        b = box_new(s->account, mailbox);
    b->refs++;
    b->uidnext = MAX(b->uidnext, mailbox->uidnext);
    if (mailbox->modseq > b->modseq)
        b->stale = true;
    if (b->keyword_count == 0)
        box_keywords(b, mailbox->keywords, mailbox->keywords_count);
    enum status e = box_refresh(b, s, false);
    if (e != OK) {
        box_close(&b);
        return e;
    }
    *out = b;
    return OK;
}

void
box_close(struct box **out)
{
    struct box *b = *out;

    *out = NULL;
    if (b == NULL)
        return;
    ASSERT(b->refs > 0);
    if (--b->refs > 0)
        return;
    struct imap_user *u = imap_user_find(b->account);
    list_remove(&b->node);
    if (u != NULL)
        imap_user_drop(u);
    box_array_unref(&b->array);
    ASSERT(list_empty(&b->arrays)); /* a session lets go of its array before its box */
    for (size_t i = 0; i < b->keyword_count; i++)
        mem_str_free(&b->keywords[i]);
    mem_free(b);
}

void
box_keywords(struct box *b, const struct str *keywords, size_t n)
{
    ASSERT(n <= LIMIT_KEYWORDS);
    bool same = n == b->keyword_count;
    for (size_t i = 0; same && i < n; i++)
        same = str_eq(keywords[i], b->keywords[i]);
    if (same)
        return;
    for (size_t i = 0; i < b->keyword_count; i++)
        mem_str_free(&b->keywords[i]);
    for (size_t i = 0; i < n; i++)
        b->keywords[i] = mem_str(keywords[i]);
    b->keyword_count = n;
    b->keyword_round++;
}

/* ---- becoming stale ---- */

static bool
is_among(uint32_t id, const uint32_t *ids, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (ids[i] == id)
            return true;
    return n == 0;
}

void
box_mark_stale(uint64_t account, uint64_t modseq, const uint32_t *mailboxes, size_t n)
{
    struct imap_user *u = imap_user_find(account);

    if (u == NULL)
        return;
    list_each (node, &u->boxes) {
        struct box *b = LIST_ENTRY(node, struct box, node);
        if (is_among(b->mailbox, mailboxes, n) && (modseq == 0 || modseq > b->modseq))
            b->stale = true;
    }
}

void
box_mark_all_stale(void)
{
    size_t cursor = 0;
    struct imap_user *u;

    while ((u = imap_user_next(&cursor)) != NULL)
        box_mark_stale(u->account, 0, NULL, 0);
}

/* ---- following the store ---- */

static SUSPENDS enum status
refresh_locked(struct box *b, struct imap_session *s)
{
    AUTO(news_release)
    struct news n = {.entries = BUF(NEWS_BYTES), .vanished = BUF(NEWS_BYTES), .modseq = b->modseq};

    b->refresh_round++;
    b->stale = false; /* a note that comes meanwhile sets it again */
    enum status e = b->loaded ? load_news(b, s, &n) : load_view(b, s, &n);
    if (e == OK && n.full && b->loaded)
        e = load_view(b, s, &n);
    if (e != OK) {
        b->stale = true;
        b->gone = b->gone || e == ERR_NOT_FOUND;
        return e;
    }
    news_sort(&n);
    take_news(b, &n);
    return OK;
}

/* *needed_out: the store must be asked, and was; else somebody else did it for us. */
static SUSPENDS enum status
refresh_once(struct box *b, struct imap_session *s, const uint32_t *forced, bool *needed_out)
{
    TRY(fiber_lock_take(&b->refreshing));
    /* Whoever began to ask after we came asked for us too. */
    bool needed = !b->gone && (b->stale || (forced != NULL && b->refresh_round == *forced));
    enum status e = b->gone ? ERR_NOT_FOUND : needed ? refresh_locked(b, s) : OK;
    fiber_lock_give(&b->refreshing);
    *needed_out = needed;
    return e;
}

enum status
box_refresh(struct box *b, struct imap_session *s, bool force)
{
    uint32_t asked = b->refresh_round;
    struct ipc_peer *store;
    bool needed = false;
    enum status e;

    if (b->gone)
        return ERR_NOT_FOUND;
    /* While somebody asks, it is not stale any more and not up to date yet. */
    if (!force && !b->stale && b->refreshing.owner == NULL)
        return OK;
    /* All wait for a store that is away side by side, and hold no lock meanwhile. */
    do {
        TRY(imap_store(s, &store));
        e = refresh_once(b, s, force ? &asked : NULL, &needed);
    } while (needed && hold_read_again(&s->hold, e));
    return e;
}

static SUSPENDS enum status
load_news(struct box *b, struct imap_session *s, struct news *n)
{
    bool more = true;

    while (more && !n->full) {
        AUTO_ARENA *a = arena_new(PAGE_ARENA);
        struct store_changes req = {.session = s->id, .mailbox = b->mailbox, .since = n->modseq};
        struct store_changes_reply rep;

        TRY(store_changes_call(hold_store_now(&s->hold, &imap_world->store), &req, a, &rep));
        if (rep.entries.len % sizeof(struct box_entry) != 0 ||
            (rep.more && rep.modseq <= n->modseq))
            return ERR_CORRUPT;
        buf_add(&n->entries, rep.entries);
        buf_add(&n->vanished,
                str_from((const char *)rep.vanished, rep.vanished_count * sizeof(rep.vanished[0])));
        n->modseq = rep.modseq;
        n->full = rep.full;
        more = rep.more;
        if (!rep.full || rep.keywords_count > 0)
            box_keywords(b, rep.keywords, rep.keywords_count);
    }
    TRY(buf_status(&n->entries));
    return buf_status(&n->vanished);
}

/* The whole mailbox, page by page.  The first page's modseq is what we have then; changes since are asked for next. */
static SUSPENDS enum status
load_view(struct box *b, struct imap_session *s, struct news *n)
{
    uint32_t from = 1;
    bool more = true;

    buf_reset(&n->entries);
    buf_reset(&n->vanished);
    n->full = true;
    while (more) {
        AUTO_ARENA *a = arena_new(PAGE_ARENA);
        struct store_view req = {
            .session = s->id, .mailbox = b->mailbox, .from_uid = from, .max = PAGE_ENTRIES};
        struct store_view_reply rep;

        TRY(store_view_call(hold_store_now(&s->hold, &imap_world->store), &req, a, &rep));
        size_t count = rep.entries.len / sizeof(struct box_entry);
        if (rep.entries.len % sizeof(struct box_entry) != 0 || (rep.more && count == 0))
            return ERR_CORRUPT;
        buf_add(&n->entries, rep.entries);
        if (from == 1)
            n->modseq = rep.modseq;
        else if (rep.modseq != n->modseq)
            b->stale = true;
        if (count > 0) {
            struct box_entry last;
            mem_copy(&last, rep.entries.ptr + (count - 1) * sizeof(last), sizeof(last));
            if (last.uid < from)
                return ERR_CORRUPT;
            from = last.uid + 1;
            more = rep.more && last.uid < UINT32_MAX;
        } else {
            more = false;
        }
    }
    return buf_status(&n->entries);
}

static struct box_entry *
news_entries(const struct news *n, size_t *count_out)
{
    *count_out = n->entries.len / sizeof(struct box_entry);
    return (struct box_entry *)(void *)n->entries.ptr;
}

static int
compare_entries(const void *x, const void *y)
{
    const struct box_entry *a = x, *b = y;

    if (a->uid != b->uid)
        return a->uid < b->uid ? -1 : 1;
    return a->modseq < b->modseq ? -1 : a->modseq > b->modseq;
}

static int
compare_ranges(const void *x, const void *y)
{
    const struct store_range *a = x, *b = y;

    return a->first < b->first ? -1 : a->first > b->first;
}

/* Makes ranges disjoint, so that vanished() may look at one only. */
static void
join_ranges(struct buf *ranges)
{
    struct store_range *r = (struct store_range *)(void *)ranges->ptr;
    size_t n = ranges->len / sizeof(*r), kept = 0;

    for (size_t i = 0; i < n; i++) {
        if (kept > 0 && r[i].first <= r[kept - 1].last)
            r[kept - 1].last = MAX(r[kept - 1].last, r[i].last);
        else
            r[kept++] = r[i];
    }
    ranges->len = kept * sizeof(*r);
}

/* Several pages may name a message twice: the later state counts. */
static void
news_sort(struct news *n)
{
    size_t count, kept = 0;
    struct box_entry *e = news_entries(n, &count);
    bool sorted = true;

    for (size_t i = 1; sorted && i < count; i++)
        sorted = e[i - 1].uid < e[i].uid;
    if (!sorted) {
        qsort(e, count, sizeof(*e), compare_entries);
        for (size_t i = 0; i < count; i++)
            if (i + 1 == count || e[i + 1].uid != e[i].uid)
                e[kept++] = e[i];
        n->entries.len = kept * sizeof(*e);
    }
    if (n->vanished.len > 0) {
        qsort(n->vanished.ptr, n->vanished.len / sizeof(struct store_range),
              sizeof(struct store_range), compare_ranges);
        join_ranges(&n->vanished);
    }
}

/* Flags in place: sessions that still number by an older array see them too. */
static void
change_in_place(struct box_array *a, const struct box_entry *e, size_t count)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        /* Few changes in a large mailbox: search; many: walk. */
        if (at < a->count && a->at[at].uid < e[i].uid)
            at = count > a->count / 16 ? at + 1 : box_array_find(a, a->count, e[i].uid);
        while (at < a->count && a->at[at].uid < e[i].uid)
            at++;
        if (at == a->count)
            return;
        if (a->at[at].uid == e[i].uid)
            a->at[at] = e[i];
    }
}

static bool
vanished(const struct news *n, uint32_t uid)
{
    const struct store_range *r = (const struct store_range *)(const void *)n->vanished.ptr;
    size_t lo = 0, hi = n->vanished.len / sizeof(*r);

    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (r[mid].first <= uid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo > 0 && r[lo - 1].last >= uid;
}

static bool
any_vanished(const struct box *b, const struct news *n)
{
    const struct store_range *r = (const struct store_range *)(const void *)n->vanished.ptr;
    size_t count = n->vanished.len / sizeof(*r);

    for (size_t i = 0; i < count; i++) {
        size_t at = box_array_find(b->array, b->array->count, r[i].first);
        if (at < b->array->count && b->array->at[at].uid <= r[i].last)
            return true;
    }
    return false;
}

/* Puts a new array in the place of the latest. */
static void
replace_array(struct box *b, struct box_array *a)
{
    struct box_array *old = b->array;

    b->array = a;
    box_array_unref(&old);
}

static void
take_full(struct box *b, const struct box_entry *e, size_t count)
{
    struct box_array *a = array_new(b, count);

    if (count > 0)
        mem_copy(a->at, e, count * sizeof(*e));
    a->count = count;
    replace_array(b, a);
}

/* Survivors, then what is new. */
static void
take_changes(struct box *b, const struct news *n)
{
    size_t count;
    const struct box_entry *e = news_entries(n, &count);
    struct box_array *a = b->array;
    uint32_t last = a->count == 0 ? 0 : a->at[a->count - 1].uid;
    size_t first_new = count;

    while (first_new > 0 && e[first_new - 1].uid > last)
        first_new--;
    if (any_vanished(b, n)) {
        struct box_array *old = a;
        a = array_new(b, old->count + (count - first_new));
        ASSERT(a->at != NULL); /* one that vanished was there */
        for (size_t i = 0; i < old->count; i++)
            if (!vanished(n, old->at[i].uid))
                a->at[a->count++] = old->at[i];
        replace_array(b, a);
    }
    for (size_t i = first_new; i < count; i++)
        if (!vanished(n, e[i].uid))
            array_push(a, &e[i]);
}

static void
take_news(struct box *b, const struct news *n)
{
    size_t count;
    const struct box_entry *e = news_entries(n, &count);

    list_each (node, &b->arrays)
        change_in_place(LIST_ENTRY(node, struct box_array, node), e, count);
    if (n->full)
        take_full(b, e, count);
    else
        take_changes(b, n);
    b->modseq = n->modseq;
    b->loaded = true;
    if (b->array->count > 0) {
        uint32_t last = b->array->at[b->array->count - 1].uid;
        if (last >= b->uidnext && last < UINT32_MAX)
            b->uidnext = last + 1;
    }
}
