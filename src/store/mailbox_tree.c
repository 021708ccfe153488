/* mailbox_tree.c - names: checked, found, made, moved; subscribed names without a mailbox.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/encode.h"
#include "base/hash.h"
#include "store/mailbox_internal.h"

static enum status level_check(struct str level);
static struct key wish_key(struct str name);
static SUSPENDS enum status make_parent(struct work *w, uint32_t parent, struct str level,
                                        uint32_t *id_out);

/* Levels are non-empty UTF-8 without control characters (RFC 9051 section 5.1). */
enum status
mailbox_name_check(struct str name, struct arena *a, struct str *name_out)
{
    struct str rest = name, level;
    uint32_t depth = 0;

    if (name.len == 0 || !utf8_valid(name) || name.ptr[name.len - 1] == '/')
        return ERR_SYNTAX;
    if (name.len > LIMIT_MAILBOX_NAME_BYTES)
        return ERR_LIMIT;
    while (str_split(&rest, '/', &level)) {
        TRY(level_check(level));
        if (++depth > LIMIT_MAILBOX_DEPTH)
            return ERR_LIMIT;
    }
    struct str copy = arena_str(a, name);
    rest = copy;
    if (str_split(&rest, '/', &level) && name_is_inbox(level))
        copy = arena_printf(a, "INBOX%.*s", STR_FMT(str_skip(copy, level.len)));
    *name_out = copy;
    return OK;
}

bool
name_is_inbox(struct str level)
{
    return str_eq_nocase(level, STR("INBOX"));
}

enum status
mailbox_child(struct work *w, uint32_t parent, struct str level, uint32_t *id_out)
{
    struct name_key k = key_name(parent, level);
    struct str value;
    uint64_t id;

    TRY(tx_peek(w->tx, name_key_str(&k), &value));
    if (value.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(number_read(value, UINT32_MAX, &id));
    *id_out = (uint32_t)id;
    return OK;
}

enum status
mailbox_parents(struct work *w, struct str name, uint32_t not_below, uint32_t *parent_out,
                struct str *level_out)
{
    struct str rest = name, level = STR_NONE;
    uint32_t parent = MAILBOX_ROOT;

    ASSERT(name.len > 0);
    while (str_split(&rest, '/', &level) && rest.len > 0) {
        TRY(make_parent(w, parent, level, &parent));
        if (parent == not_below)
            return ERR_DENIED;
    }
    *parent_out = parent;
    *level_out = level;
    return OK;
}

enum status
mailbox_make(struct work *w, const struct new_mailbox *n, uint32_t *id_out)
{
    struct work_box *parent;

    if (w->head.mailboxes >= LIMIT_MAILBOXES || w->head.next_mailbox == UINT32_MAX ||
        w->head.next_uidvalidity == UINT32_MAX)
        return ERR_LIMIT;
    struct work_box *b = work_box_new(w, w->head.next_mailbox++);
    b->v.uidvalidity = w->head.next_uidvalidity++;
    b->v.created_modseq = w->modseq;
    b->v.vanish_floor = w->modseq;
    b->v.flags = n->subscribed ? MAILBOX_SUBSCRIBED : 0;
    w->head.mailboxes++;
    mailbox_set_parent(w, b, n->parent, n->level);
    if (n->parent != MAILBOX_ROOT) {
        TRY(work_box(w, n->parent, &parent));
        parent->v.children++;
        parent->dirty = true;
    }
    TRY(mailbox_take_special(w, b, n->special));
    mailbox_log(w, b);
    *id_out = b->id;
    return OK;
}

void
mailbox_set_parent(struct work *w, struct work_box *b, uint32_t parent, struct str level)
{
    struct name_key k = key_name(parent, level);
    char number[NUMBER_BYTES];

    b->v.parent = parent;
    b->v.name = arena_str(w->a, level);
    tx_put(w->tx, name_key_str(&k), number_write(b->id, number));
}

/* A use belongs to one mailbox: whoever had it loses it. */
enum status
mailbox_take_special(struct work *w, struct work_box *b, enum mailbox_special special)
{
    struct work_box *before;

    if (b->v.special != SPECIAL_NONE)
        w->head.special[b->v.special] = 0;
    w->head_dirty = true;
    b->v.special = special;
    if (special == SPECIAL_NONE)
        return OK;
    uint32_t holder = w->head.special[special];
    w->head.special[special] = b->id;
    if (holder == 0 || holder == b->id)
        return OK;
    enum status s = work_box(w, holder, &before);
    if (s == ERR_NOT_FOUND)
        return OK;
    TRY(s);
    before->v.special = SPECIAL_NONE;
    mailbox_log(w, before);
    return OK;
}

void
mailbox_log(struct work *w, struct work_box *b)
{
    struct log_change c = {.op = LOG_MAILBOX, .mailbox = b->id};

    work_box_touch(w, b);
    work_log(w, &c);
}

enum status
mailbox_path(struct work *w, const struct work_box *b, struct str *out)
{
    struct str path = b->v.name;
    uint32_t parent = b->v.parent;

    for (uint32_t i = 0; parent != MAILBOX_ROOT; i++) {
        struct work_box *up;
        if (i == CLIMB_MAX)
            return ERR_CORRUPT;
        TRY(work_box(w, parent, &up));
        path = arena_printf(w->a, "%.*s/%.*s", STR_FMT(up->v.name), STR_FMT(path));
        parent = up->v.parent;
    }
    *out = path;
    return OK;
}

enum status
wish_find(struct work *w, struct str name, struct work_box **out)
{
    struct key k = wish_key(name);
    struct work_box *b;
    struct str value;
    uint64_t id;

    TRY(work_peek(w, &k, &value));
    if (value.ptr == NULL)
        return ERR_NOT_FOUND;
    TRY(number_read(value, UINT32_MAX, &id));
    TRY(work_box(w, (uint32_t)id, &b));
    if (!str_eq(b->v.name, name)) /* another name of the same hash */
        return ERR_NOT_FOUND;
    *out = b;
    return OK;
}

enum status
wish_make(struct work *w, struct str name)
{
    struct key k = wish_key(name);
    char number[NUMBER_BYTES];

    if (w->head.mailboxes >= LIMIT_MAILBOXES || w->head.next_mailbox == UINT32_MAX)
        return OK; /* a wish is not worth a failure */
    struct work_box *b = work_box_new(w, w->head.next_mailbox++);
    b->v.flags = MAILBOX_WISH | MAILBOX_SUBSCRIBED;
    b->v.name = arena_str(w->a, name);
    w->head.mailboxes++;
    work_put(w, &k, number_write(b->id, number));
    mailbox_log(w, b);
    return OK;
}

void
wish_remove(struct work *w, struct work_box *wish)
{
    struct key k = wish_key(wish->v.name);

    mailbox_log(w, wish);
    work_put(w, &k, STR_NONE);
    wish->gone = true;
    w->head.mailboxes -= w->head.mailboxes > 0;
    w->head_dirty = true;
}

static enum status
level_check(struct str level)
{
    if (level.len == 0)
        return ERR_SYNTAX;
    for (size_t i = 0; i < level.len; i++) {
        unsigned char c = (unsigned char)level.ptr[i];
        if (c < 0x20 || c == 0x7f)
            return ERR_SYNTAX;
    }
    return level.len > KEY_NAME_MAX ? ERR_LIMIT : OK;
}

static struct key
wish_key(struct str name)
{
    return key_u64(KEY_WISH, hash_stable(name));
}

static enum status
make_parent(struct work *w, uint32_t parent, struct str level, uint32_t *id_out)
{
    struct new_mailbox n = {.parent = parent, .level = level};
    enum status s = mailbox_child(w, parent, level, id_out);

    return s == ERR_NOT_FOUND ? mailbox_make(w, &n, id_out) : s;
}
