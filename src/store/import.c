/* import.c - see import.h: entries, and adding with them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/import_internal.h"

#include "store/mailbox_internal.h"

#define FORGET_PAGES 64u

static SUSPENDS enum status open_once(struct cell *account, const struct import_mailbox *m,
                                      uint32_t *id_out);
static SUSPENDS enum status at_rest(struct work *w, uint32_t mailbox);
static SUSPENDS enum status take_validity(struct work *w, struct work_box *b,
                                          const struct import_mailbox *m);
static SUSPENDS enum status state_of(struct work *w, uint32_t mailbox, uint32_t *last_out);
static SUSPENDS enum status walk(struct cell *account, const struct import_page *p, struct arena *a,
                                 struct import_list *l);
static enum status add_page(struct import_list *l, const struct import_page *p,
                            const struct cell_entry *e, struct arena *a);

/* entry = source(varint) flags(varint) key uidl */
void
import_entry_write(const struct import_entry *e, struct buf *b)
{
    ASSERT(e->key.len > 0 && e->key.len <= LIMIT_IMPORT_KEY_BYTES &&
           e->uidl.len <= LIMIT_UIDL_BYTES);
    buf_add_varint(b, e->source);
    buf_add_varint(b, e->flags);
    buf_add_bytes(b, e->key);
    buf_add_bytes(b, e->uidl);
}

enum status
import_entry_read(struct str body, struct import_entry *out)
{
    struct scan s = scan_of(body);
    uint64_t source, flags;

    if (!scan_varint(&s, UINT32_MAX, &source) || !scan_varint(&s, UINT32_MAX, &flags) ||
        !scan_bytes(&s, LIMIT_IMPORT_KEY_BYTES, &out->key) || out->key.len == 0 ||
        !scan_bytes(&s, LIMIT_UIDL_BYTES, &out->uidl) || !scan_at_end(&s))
        return ERR_CORRUPT;
    out->source = (uint32_t)source; /* both were held to 32 bits */
    out->flags = (uint32_t)flags;
    return OK;
}

/* ---- mailboxes ---- */

enum status
import_open(struct cell *account, const struct import_mailbox *m, uint32_t *id_out)
{
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    struct import_mailbox checked = *m;
    enum status s;
    int tries = 0;

    ASSERT((int)m->special >= 0 && m->special < (int)SPECIAL_COUNT);
    if (m->uidvalidity > LIMIT_IMPORT_NUMBER || m->uidnext > LIMIT_IMPORT_NUMBER)
        return ERR_SYNTAX;
    TRY(work_may_grow(account, GROWS_A_LITTLE));
    TRY(mailbox_name_check(m->name, a, &checked.name));
    s = mailbox_create(account, checked.name, SPECIAL_NONE, id_out);
    if (s != OK && s != ERR_EXISTS)
        return s;
    do {
        s = open_once(account, &checked, id_out);
    } while (work_again(&s, &tries));
    return s;
}

static enum status
open_once(struct cell *account, const struct import_mailbox *m, uint32_t *id_out)
{
    AUTO(work_end) struct work w;
    struct str level;
    struct work_box *b;
    uint32_t parent, id;

    TRY(work_begin(&w, account, (struct instant){0}));
    TRY(mailbox_parents(&w, m->name, MAILBOX_NEVER, &parent, &level));
    TRY(mailbox_child(&w, parent, level, &id));
    TRY(work_box_live(&w, id, &b));
    if (m->special != SPECIAL_NONE && b->v.special != (uint32_t)m->special) {
        TRY(mailbox_take_special(&w, b, m->special));
        mailbox_log(&w, b);
    }
    if (m->subscribed && (b->v.flags & MAILBOX_SUBSCRIBED) == 0) {
        b->v.flags |= MAILBOX_SUBSCRIBED;
        mailbox_log(&w, b);
    }
    if (m->uidvalidity != 0)
        TRY(take_validity(&w, b, m));
    TRY(work_commit(&w));
    *id_out = id;
    return OK;
}

/* The counter goes above, so that no name made anew here repeats it. */
static enum status
take_validity(struct work *w, struct work_box *b, const struct import_mailbox *m)
{
    uint32_t last;

    TRY(state_of(w, b->id, &last));
    if (b->v.uidvalidity != m->uidvalidity && b->v.exists == 0 && last == 0) {
        TRY(at_rest(w, b->id));
        b->v.uidvalidity = m->uidvalidity;
        b->v.uidnext = 1;
        mailbox_log(w, b);
        if (w->head.next_uidvalidity <= m->uidvalidity) {
            w->head.next_uidvalidity = m->uidvalidity + 1;
            w->head_dirty = true;
        }
    }
    if (b->v.uidvalidity != m->uidvalidity || m->uidnext <= b->v.uidnext)
        return OK;
    TRY(import_raise(w, b, m->uidnext));
    work_box_touch(w, b);
    return OK;
}

/* Old messages of it may still be on their way out, or others on their way in. */
static enum status
at_rest(struct work *w, uint32_t mailbox)
{
    uint64_t job;

    for (int kind = JOB_EMPTY; kind <= JOB_LEFT && w->head.jobs > 0; kind++) {
        enum status s = work_job_find(w, (enum job_kind)kind, mailbox, &job);
        if (s != ERR_NOT_FOUND)
            return s == OK ? ERR_TEMP : s;
    }
    return OK;
}

/* ---- adding, for message.c ---- */

enum status
import_begin(struct work *w, struct work_box *box, const struct import_batch *b)
{
    uint32_t last;

    TRY(state_of(w, box->id, &last));
    return last == b->last ? OK : ERR_EXISTS;
}

enum status
import_uid(struct work *w, struct work_box *box, const struct import_batch *b, size_t i)
{
    uint32_t uid = b->origins[i].uid;

    if (b->uidvalidity != box->v.uidvalidity || uid <= box->v.uidnext || uid > LIMIT_IMPORT_NUMBER)
        return OK;
    return import_raise(w, box, uid);
}

/* What a large copy has laid out above UIDNEXT must not come to light before its end. */
enum status
import_raise(struct work *w, struct work_box *box, uint32_t uidnext)
{
    uint64_t job;

    if (w->head.jobs > 0) {
        enum status s = work_job_find(w, JOB_STAGED, box->id, &job);
        if (s != ERR_NOT_FOUND)
            return s == OK ? ERR_TEMP : s;
    }
    box->v.uidnext = uidnext;
    return OK;
}

enum status
import_note(struct work *w, const struct work_box *box, const struct import_origin *o,
            const struct import_done *done)
{
    struct key page = key_imports(box->id, done->uid >> PAGE_BITS);
    struct key state = key_u32(KEY_IMPORTED, box->id);
    const struct import_entry e = {
        .source = o->source, .flags = done->flags, .key = o->key, .uidl = o->uidl};
    char number[NUMBER_BYTES];

    buf_reset(&w->entry);
    import_entry_write(&e, &w->entry);
    TRY(work_entry_put(w, &page, false, done->uid % PAGE_ENTRIES, buf_str(&w->entry)));
    work_put(w, &state, number_write(done->uid, number));
    return OK;
}

enum status
import_forget(struct work *w, uint32_t mailbox, bool *did_out)
{
    struct key lo = key_u32(KEY_IMPORTED, mailbox), hi = key_imports(mailbox, UINT32_MAX);
    const struct cell_entry *e;
    size_t n;

    TRY(tx_range(w->tx, (struct tx_span){key_str(&lo), key_str(&hi), FORGET_PAGES}, &e, &n));
    for (size_t i = 0; i < n; i++)
        tx_del(w->tx, e[i].key);
    *did_out = n > 0;
    return OK;
}

enum status
import_is_left(struct work *w, uint32_t mailbox, bool *out)
{
    struct key lo = key_u32(KEY_IMPORTED, mailbox), hi = key_imports(mailbox, UINT32_MAX);
    const struct cell_entry *e;
    size_t n;

    TRY(tx_range(w->tx, (struct tx_span){key_str(&lo), key_str(&hi), 1}, &e, &n));
    *out = n > 0;
    return OK;
}

/* ---- reading ---- */

static enum status
state_of(struct work *w, uint32_t mailbox, uint32_t *last_out)
{
    struct key k = key_u32(KEY_IMPORTED, mailbox);
    struct str value;
    uint64_t last = 0;

    TRY(work_peek(w, &k, &value));
    if (value.ptr != NULL)
        TRY(number_read(value, UINT32_MAX, &last));
    *last_out = (uint32_t)last; /* held to that */
    return OK;
}

enum status
import_state(struct cell *account, uint32_t mailbox, uint32_t *last_out)
{
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    struct key k = key_u32(KEY_IMPORTED, mailbox);
    struct head_value h;
    struct str value;
    uint64_t last = 0;

    TRY(head_load(account, a, &h));
    TRY(cell_get(account, key_str(&k), a, &value));
    if (value.ptr != NULL)
        TRY(number_read(value, UINT32_MAX, &last));
    *last_out = (uint32_t)last; /* held to that */
    return OK;
}

enum status
import_list(struct cell *account, const struct import_page *p, struct arena *a,
            struct import_list *out)
{
    AUTO_ARENA *scratch = arena_new(ARENA_WORK);
    struct mailbox_value box;
    struct head_value h;
    enum status s;
    int tries = 0;

    TRY(head_load(account, scratch, &h));
    TRY(box_load(account, p->mailbox, scratch, &box));
    if (!box_is_live(&box))
        return ERR_NOT_FOUND;
    struct import_list l = {.entries = ARENA_ARRAY(a, struct import_entry, p->max + 1)};
    do {
        l.count = 0;
        s = walk(account, p, a, &l);
    } while (work_again(&s, &tries));
    TRY(s);
    *out = l;
    return OK;
}

static enum status
walk(struct cell *account, const struct import_page *p, struct arena *a, struct import_list *l)
{
    struct key lo = key_imports(p->mailbox, p->from_uid >> PAGE_BITS);
    struct key hi = key_imports(p->mailbox, UINT32_MAX);
    struct cell_walk w = {.cell = cell_id_of(account),
                          .lo = key_str(&lo),
                          .hi = key_str(&hi),
                          .bytes_max = 256u << 10};
    AUTO_ARENA *scratch = arena_new(ARENA_WORK);
    const struct cell_entry *page;
    enum status s;
    size_t n;

    do {
        arena_reset(scratch);
        s = cell_walk_page(account, &w, scratch, &page, &n);
        for (size_t i = 0; s == OK && i < n && !l->more; i++)
            s = add_page(l, p, &page[i], a);
    } while (s == OK && n > 0 && !l->more);
    cell_walk_end(account, &w);
    return s;
}

static enum status
add_page(struct import_list *l, const struct import_page *p, const struct cell_entry *e,
         struct arena *a)
{
    uint32_t mailbox, page;
    struct page_entry pe;
    struct scan s;
    enum status st;

    if (!key_read_u32_u32(e->key, KEY_IMPORTED, &mailbox, &page))
        return ERR_CORRUPT;
    TRY(page_scan(e->value, &s));
    while ((st = page_next(&s, &pe)) == OK) {
        struct import_entry *to = &l->entries[l->count];
        uint32_t uid = (page << PAGE_BITS) + pe.low;
        if (uid < p->from_uid)
            continue;
        if (l->count == p->max) {
            l->more = true;
            return OK;
        }
        TRY(import_entry_read(pe.body, to));
        to->uid = uid;
        to->key = arena_str(a, to->key);
        to->uidl = arena_str(a, to->uidl);
        l->count++;
    }
    return st == ERR_NOT_FOUND ? OK : st;
}
