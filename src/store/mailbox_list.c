/* mailbox_list.c - all mailboxes of an account at once: for LIST, and to measure a subtree.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/mailbox_internal.h"

#define LIST_PAGE_BYTES (256u << 10)

struct row {
    uint32_t id;
    struct mailbox_value *v;
};
struct rows {
    struct row *row; /* by id */
    size_t count, cap;
};

static SUSPENDS enum status load(struct cell *account, struct arena *a, struct rows *out);
static SUSPENDS enum status load_once(struct cell *account, struct arena *a, struct rows *out);
static enum status add_row(struct rows *rows, const struct cell_entry *e, struct arena *a);
static const struct row *row_find(const struct rows *rows, uint32_t id);
static enum status row_path(const struct rows *rows, const struct row *r, struct arena *a,
                            struct str *out);

enum status
mailbox_list(struct cell *account, uint32_t after, size_t max, struct arena *a,
             const struct mailbox_list **out)
{
    AUTO_ARENA *scratch = arena_new(ARENA_WORK);
    struct rows rows;
    struct head_value h;
    struct str name;

    TRY(head_load(account, scratch, &h));
    TRY(load(account, scratch, &rows));
    struct mailbox_list *l = ARENA_NEW(a, struct mailbox_list);
    struct mailbox_info *info = ARENA_ARRAY(a, struct mailbox_info, MIN(max, rows.count) + 1);
    for (size_t i = 0; i < rows.count; i++) {
        const struct row *r = &rows.row[i];
        if (r->id <= after || (r->v->flags & MAILBOX_TOMBSTONE))
            continue;
        if (l->count == max) {
            l->more = true;
            break;
        }
        TRY(row_path(&rows, r, a, &name));
        mailbox_info_of(r->id, r->v, name, a, &info[l->count++]);
    }
    l->mailboxes = info;
    *out = l;
    return OK;
}

/* Would every name below still be within its limits when this mailbox gets that name? */
enum status
mailbox_subtree_fits(struct cell *account, uint32_t id, struct str name)
{
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    struct rows rows;
    size_t levels = 1;

    for (size_t i = 0; i < name.len; i++)
        levels += name.ptr[i] == '/';
    TRY(load(account, a, &rows));
    for (size_t i = 0; i < rows.count; i++) {
        const struct row *r = &rows.row[i];
        size_t depth = 0, bytes = 0;
        while (r != NULL && r->id != id && depth < CLIMB_MAX) {
            depth++;
            bytes += r->v->name.len + 1;
            r = row_find(&rows, r->v->parent);
        }
        if (r != NULL && r->id == id &&
            (levels + depth > LIMIT_MAILBOX_DEPTH || name.len + bytes > LIMIT_MAILBOX_NAME_BYTES))
            return ERR_LIMIT;
    }
    return OK;
}

static enum status
load(struct cell *account, struct arena *a, struct rows *out)
{
    enum status s;
    int tries = 0;

    do {
        *out = (struct rows){0};
        s = load_once(account, a, out);
    } while (work_again(&s, &tries));
    return s;
}

static enum status
load_once(struct cell *account, struct arena *a, struct rows *out)
{
    struct cell_walk walk = {
        .cell = cell_id_of(account), .lo = STR("B"), .hi = STR("C"), .bytes_max = LIST_PAGE_BYTES};
    const struct cell_entry *entries;
    size_t n;
    enum status s;

    do {
        s = cell_walk_page(account, &walk, a, &entries, &n);
        for (size_t i = 0; s == OK && i < n; i++)
            s = add_row(out, &entries[i], a);
    } while (s == OK && n > 0);
    cell_walk_end(account, &walk);
    return s;
}

static enum status
add_row(struct rows *rows, const struct cell_entry *e, struct arena *a)
{
    struct row r = {.v = ARENA_NEW(a, struct mailbox_value)};

    if (!key_read_u32(e->key, KEY_MAILBOX, &r.id))
        return ERR_CORRUPT;
    TRY(mailbox_read(e->value, r.v));
    if (rows->count == rows->cap) {
        size_t cap = rows->cap ? rows->cap * 2 : 16;
        struct row *more = ARENA_ARRAY(a, struct row, cap);
        mem_copy(more, rows->row, rows->count * sizeof(*more));
        rows->row = more;
        rows->cap = cap;
    }
    rows->row[rows->count++] = r;
    return OK;
}

static const struct row *
row_find(const struct rows *rows, uint32_t id)
{
    size_t low = 0, high = rows->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (rows->row[middle].id < id)
            low = middle + 1;
        else
            high = middle;
    }
    return low < rows->count && rows->row[low].id == id ? &rows->row[low] : NULL;
}

/* The path lives in a, also of a mailbox without a parent: rows live in another arena. */
static enum status
row_path(const struct rows *rows, const struct row *r, struct arena *a, struct str *out)
{
    struct str path = arena_str(a, r->v->name);
    uint32_t parent = r->v->parent;

    for (uint32_t i = 0; parent != MAILBOX_ROOT; i++) {
        const struct row *up = row_find(rows, parent);
        if (up == NULL || i == CLIMB_MAX)
            return ERR_CORRUPT;
        path = arena_printf(a, "%.*s/%.*s", STR_FMT(up->v->name), STR_FMT(path));
        parent = up->v->parent;
    }
    *out = path;
    return OK;
}
