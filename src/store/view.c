/* view.c - the entries of a mailbox, page by page.
 *
 * The modseq of a reply is read before its entries: what changes in between is in the reply or in the changes since
 * that modseq, perhaps in both, never in neither.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/work.h"

#define WALK_PAGE_BYTES (256u << 10)

struct viewing {
    const struct view_request *r;
    uint32_t uidnext;
    uint32_t from; /* next UID to look for */
    struct buf *entries;
    uint32_t count;
    bool full; /* no room for more */
};

static SUSPENDS enum status walk(struct cell *account, struct viewing *v);
static enum status add_page(struct viewing *v, const struct cell_entry *e);

enum status
message_view(struct cell *account, const struct view_request *r, struct buf *entries,
             struct view_reply *out)
{
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    struct mailbox_value box;
    struct head_value h;
    enum status s;
    int tries = 0;

    TRY(head_load(account, a, &h));
    TRY(box_load(account, r->mailbox, a, &box));
    if (!box_is_live(&box))
        return ERR_NOT_FOUND;
    struct viewing v = {r, box.uidnext, MAX(r->from_uid, 1), entries, 0, false};
    do {
        s = walk(account, &v);
    } while (work_again(&s, &tries));
    TRY(s);
    *out = (struct view_reply){h.modseq, v.count, v.full};
    return OK;
}

void
view_entry_write(const struct place *p, char bytes_out[VIEW_ENTRY_BYTES])
{
    const uint64_t words[3] = {p->uid | (uint64_t)p->flags << 32, p->modseq, p->mid};

    for (size_t i = 0; i < VIEW_ENTRY_BYTES; i++)
        bytes_out[i] = (char)(words[i / 8] >> (i % 8 * 8));
}

/* A walk that lost its version is begun again where it stands: each page is good by itself. */
static enum status
walk(struct cell *account, struct viewing *v)
{
    struct key lo = key_places(v->r->mailbox, v->from >> PAGE_BITS);
    struct key hi = key_places(v->r->mailbox, UINT32_MAX);
    struct cell_walk w = {.cell = cell_id_of(account),
                          .lo = key_str(&lo),
                          .hi = key_str(&hi),
                          .bytes_max = WALK_PAGE_BYTES};
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    const struct cell_entry *page;
    enum status s;
    size_t n;

    do {
        arena_reset(a);
        s = cell_walk_page(account, &w, a, &page, &n);
        for (size_t i = 0; s == OK && i < n && !v->full; i++)
            s = add_page(v, &page[i]);
    } while (s == OK && n > 0 && !v->full);
    cell_walk_end(account, &w);
    return s;
}

static enum status
add_page(struct viewing *v, const struct cell_entry *e)
{
    uint32_t mailbox, page, count;

    if (!key_read_u32_u32(e->key, KEY_PLACES, &mailbox, &page))
        return ERR_CORRUPT;
    TRY(places_check(e->value, &count));
    for (uint32_t i = 0; i < count; i++) {
        struct place p = place_read(page << PAGE_BITS, e->value.ptr + 1 + i * PLACE_BYTES);
        if (p.uid < v->from || p.uid >= v->uidnext)
            continue;
        char *at = v->count < v->r->max ? buf_tail(v->entries, VIEW_ENTRY_BYTES) : NULL;
        if (at == NULL) {
            v->full = true;
            v->entries->over = false;
            return OK;
        }
        view_entry_write(&p, at);
        buf_grew(v->entries, VIEW_ENTRY_BYTES);
        v->count++;
        v->from = p.uid + 1;
    }
    return OK;
}
