/* mailbox.c - mailboxes found, listed, made, deleted, renamed, subscribed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/mailbox.h"

#include "store/import_internal.h"
#include "store/mailbox_internal.h"

struct renaming {
    uint32_t id;
    struct str name;
};

static SUSPENDS enum status find_id(struct cell *account, struct str name, struct arena *a,
                                    uint32_t *id_out);
static SUSPENDS enum status path_of(struct cell *account, const struct mailbox_value *v,
                                    struct arena *a, struct str *out);
static SUSPENDS enum status create_once(struct cell *account, struct str name,
                                        enum mailbox_special special, uint32_t *id_out);
static SUSPENDS enum status revive(struct work *w, uint32_t id);
static SUSPENDS enum status delete_once(struct cell *account, uint32_t id, struct instant now);
static SUSPENDS enum status bury(struct work *w, struct work_box *b);
static SUSPENDS enum status rename_once(struct cell *account, struct renaming *r,
                                        struct instant now);
static SUSPENDS enum status rename_inbox(struct cell *account, struct str name, struct instant now);
static SUSPENDS enum status subscribe_once(struct cell *account, struct str name, bool on);

enum status
mailbox_find(struct cell *account, struct str name, struct arena *a, struct mailbox_info *out)
{
    uint32_t id;

    TRY(mailbox_name_check(name, a, &name));
    TRY(find_id(account, name, a, &id));
    return mailbox_get(account, id, a, out);
}

enum status
mailbox_get(struct cell *account, uint32_t id, struct arena *a, struct mailbox_info *out)
{
    struct mailbox_value v;
    struct head_value h;
    struct str name;

    TRY(head_load(account, a, &h));
    TRY(box_load(account, id, a, &v));
    if (v.flags & MAILBOX_TOMBSTONE)
        return ERR_NOT_FOUND;
    TRY(path_of(account, &v, a, &name));
    mailbox_info_of(id, &v, name, a, out);
    return OK;
}

enum status
mailbox_find_special(struct cell *account, enum mailbox_special use, uint32_t *id_out)
{
    struct head_value h;
    AUTO_ARENA *a = arena_new(ARENA_WORK);

    ASSERT(use > SPECIAL_NONE && use < (int)SPECIAL_COUNT);
    TRY(head_load(account, a, &h));
    if (h.special[use] == 0)
        return ERR_NOT_FOUND;
    *id_out = h.special[use];
    return OK;
}

enum status
mailbox_create(struct cell *account, struct str name, enum mailbox_special special,
               uint32_t *id_out)
{
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    enum status s;
    int tries = 0;

    ASSERT((int)special >= 0 && special < (int)SPECIAL_COUNT);
    TRY(work_may_grow(account, GROWS_A_LITTLE));
    TRY(mailbox_name_check(name, a, &name));
    do {
        s = create_once(account, name, special, id_out);
    } while (work_again(&s, &tries));
    return s;
}

enum status
mailbox_delete(struct cell *account, uint32_t id, struct instant now)
{
    enum status s;
    int tries = 0;

    if (id == MAILBOX_INBOX)
        return ERR_DENIED;
    do {
        s = delete_once(account, id, now);
    } while (work_again(&s, &tries));
    return s;
}

enum status
mailbox_rename(struct cell *account, uint32_t id, struct str name, struct instant now)
{
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    struct renaming r = {.id = id};
    enum status s;
    int tries = 0;

    TRY(work_may_grow(account, GROWS_A_LITTLE));
    TRY(mailbox_name_check(name, a, &r.name));
    if (id == MAILBOX_INBOX)
        return rename_inbox(account, r.name, now);
    TRY(mailbox_subtree_fits(account, id, r.name));
    do {
        s = rename_once(account, &r, now);
    } while (work_again(&s, &tries));
    return s;
}

enum status
mailbox_subscribe(struct cell *account, struct str name, bool on)
{
    AUTO_ARENA *a = arena_new(ARENA_WORK);
    enum status s;
    int tries = 0;

    TRY(work_may_grow(account, GROWS_A_LITTLE));
    TRY(mailbox_name_check(name, a, &name));
    do {
        s = subscribe_once(account, name, on);
    } while (work_again(&s, &tries));
    return s;
}

static enum status
find_id(struct cell *account, struct str name, struct arena *a, uint32_t *id_out)
{
    struct str level, value;
    uint64_t id = MAILBOX_ROOT;

    while (str_split(&name, '/', &level)) {
        struct name_key k = key_name((uint32_t)id, level);
        TRY(cell_get(account, name_key_str(&k), a, &value));
        if (value.ptr == NULL)
            return ERR_NOT_FOUND;
        TRY(number_read(value, UINT32_MAX, &id));
    }
    *id_out = (uint32_t)id;
    return OK;
}

static enum status
path_of(struct cell *account, const struct mailbox_value *v, struct arena *a, struct str *out)
{
    struct mailbox_value up;
    struct str path = v->name;
    uint32_t parent = v->parent;

    for (uint32_t i = 0; parent != MAILBOX_ROOT; i++) {
        if (i == CLIMB_MAX)
            return ERR_CORRUPT;
        TRY(box_load(account, parent, a, &up));
        path = arena_printf(a, "%.*s/%.*s", STR_FMT(up.name), STR_FMT(path));
        parent = up.parent;
    }
    *out = path;
    return OK;
}

void
mailbox_info_of(uint32_t id, const struct mailbox_value *v, struct str name, struct arena *a,
                struct mailbox_info *out)
{
    struct str *keywords = ARENA_ARRAY(a, struct str, v->keyword_count + 1);

    for (uint32_t i = 0; i < v->keyword_count; i++)
        keywords[i] = arena_str(a, v->keywords[i]);
    *out = (struct mailbox_info){
        .id = id,
        .name = arena_str(a, name),
        .uidvalidity = v->uidvalidity,
        .uidnext = v->uidnext,
        .modseq = v->modseq,
        .exists = v->exists,
        .unseen = v->unseen,
        .deleted = v->deleted,
        .bytes = v->bytes,
        .special = (enum mailbox_special)v->special,
        .subscribed = (v->flags & MAILBOX_SUBSCRIBED) != 0,
        .selectable = box_is_live(v),
        .has_children = v->children > 0,
        .keywords = keywords,
        .keyword_count = v->keyword_count,
    };
}

static enum status
create_once(struct cell *account, struct str name, enum mailbox_special special, uint32_t *id_out)
{
    AUTO(work_end) struct work w;
    struct new_mailbox n = {.special = special};
    struct work_box *wish;
    uint32_t id;

    TRY(work_begin(&w, account, (struct instant){0}));
    TRY(mailbox_parents(&w, name, MAILBOX_NEVER, &n.parent, &n.level));
    enum status s = mailbox_child(&w, n.parent, n.level, &id);
    if (s == OK) {
        TRY(revive(&w, id));
    } else if (s != ERR_NOT_FOUND) {
        return s;
    } else {
        s = wish_find(&w, name, &wish);
        if (s == OK) {
            wish_remove(&w, wish);
            n.subscribed = true;
        } else if (s != ERR_NOT_FOUND) {
            return s;
        }
        TRY(mailbox_make(&w, &n, &id));
    }
    TRY(work_commit(&w));
    *id_out = id;
    return OK;
}

/* A name without messages becomes a mailbox again, once its old messages are out of the way. */
static enum status
revive(struct work *w, uint32_t id)
{
    struct work_box *b;

    TRY(work_box(w, id, &b));
    if ((b->v.flags & MAILBOX_NOSELECT) == 0)
        return ERR_EXISTS;
    if (w->head.next_uidvalidity == UINT32_MAX)
        return ERR_LIMIT;
    uint32_t first;
    enum status s = work_places_first(w, id, &first);
    if (s == OK)
        return ERR_TEMP; /* the reaper is at it */
    if (s != ERR_NOT_FOUND)
        return s;
    bool left;
    TRY(import_is_left(w, id, &left));
    if (left)
        return ERR_TEMP;
    uint64_t job;
    while ((s = work_job_find(w, JOB_EMPTY, id, &job)) == OK)
        work_job_del(w, job);
    if (s != ERR_NOT_FOUND)
        return s;
    b->v.flags &= ~(uint32_t)MAILBOX_NOSELECT;
    b->v.uidvalidity = w->head.next_uidvalidity++;
    b->v.uidnext = 1;
    b->v.vanish_floor = w->modseq;
    mailbox_log(w, b);
    return OK;
}

static enum status
delete_once(struct cell *account, uint32_t id, struct instant now)
{
    AUTO(work_end) struct work w;
    struct work_box *b;
    uint64_t job;

    TRY(work_begin(&w, account, now));
    TRY(work_box(&w, id, &b));
    if (b->v.flags & (MAILBOX_TOMBSTONE | MAILBOX_WISH))
        return ERR_NOT_FOUND;
    if (b->v.children > 0 && (b->v.flags & MAILBOX_NOSELECT))
        return ERR_EXISTS;
    TRY(mailbox_take_special(&w, b, SPECIAL_NONE));
    b->v.exists = b->v.unseen = b->v.deleted = 0;
    b->v.bytes = 0;
    if (b->v.children > 0)
        b->v.flags |= MAILBOX_NOSELECT;
    else
        TRY(bury(&w, b));
    mailbox_log(&w, b);
    TRY(work_job_add(&w, &(struct job_value){.kind = JOB_EMPTY, .mailbox = id}, &job));
    return work_commit(&w);
}

/* The name goes; a subscription outlives it. */
static enum status
bury(struct work *w, struct work_box *b)
{
    struct work_box *parent;
    struct str path;
    struct name_key k = key_name(b->v.parent, b->v.name);

    TRY(mailbox_path(w, b, &path));
    tx_del(w->tx, name_key_str(&k));
    if (b->v.parent != MAILBOX_ROOT) {
        TRY(work_box(w, b->v.parent, &parent));
        parent->v.children -= parent->v.children > 0;
        parent->dirty = true;
    }
    w->head.mailboxes -= w->head.mailboxes > 0;
    if (b->v.flags & MAILBOX_SUBSCRIBED)
        TRY(wish_make(w, path));
    b->v.flags = MAILBOX_TOMBSTONE;
    return OK;
}

static enum status
rename_once(struct cell *account, struct renaming *r, struct instant now)
{
    AUTO(work_end) struct work w;
    struct work_box *b, *up, *wish;
    uint32_t parent, other;
    struct str level;

    TRY(work_begin(&w, account, now));
    TRY(work_box(&w, r->id, &b));
    if (b->v.flags & (MAILBOX_TOMBSTONE | MAILBOX_WISH))
        return ERR_NOT_FOUND;
    TRY(mailbox_parents(&w, r->name, r->id, &parent, &level));
    enum status s = mailbox_child(&w, parent, level, &other);
    if (s != ERR_NOT_FOUND)
        return s == OK ? ERR_EXISTS : s;
    s = wish_find(&w, r->name, &wish);
    if (s == OK) {
        wish_remove(&w, wish);
        b->v.flags |= MAILBOX_SUBSCRIBED;
    } else if (s != ERR_NOT_FOUND) {
        return s;
    }
    struct name_key k = key_name(b->v.parent, b->v.name);
    tx_del(w.tx, name_key_str(&k));
    if (b->v.parent != MAILBOX_ROOT) {
        TRY(work_box(&w, b->v.parent, &up));
        up->v.children -= up->v.children > 0;
        up->dirty = true;
    }
    if (parent != MAILBOX_ROOT) {
        TRY(work_box(&w, parent, &up));
        up->v.children++;
        up->dirty = true;
    }
    mailbox_set_parent(&w, b, parent, level);
    mailbox_log(&w, b);
    return work_commit(&w);
}

/* INBOX stays, and is empty afterwards. */
static enum status
rename_inbox(struct cell *account, struct str name, struct instant now)
{
    const struct uid_range all = {1, UINT32_MAX};
    struct copy_request r = {.mailbox = MAILBOX_INBOX, .uids = {&all, 1}, .move = true};
    struct copy_reply reply;
    AUTO_ARENA *a = arena_new(ARENA_WORK);

    TRY(mailbox_create(account, name, SPECIAL_NONE, &r.to));
    return message_copy(account, &r, now, a, &reply);
}

static enum status
subscribe_once(struct cell *account, struct str name, bool on)
{
    AUTO(work_end) struct work w;
    struct work_box *b;
    uint32_t id = MAILBOX_ROOT;
    struct str rest = name, level;
    enum status s = OK;

    TRY(work_begin(&w, account, (struct instant){0}));
    while (s == OK && str_split(&rest, '/', &level))
        s = mailbox_child(&w, id, level, &id);
    if (s == ERR_NOT_FOUND) {
        TRY(wish_find(&w, name, &b));
        if (!on)
            wish_remove(&w, b);
        return work_commit(&w);
    }
    TRY(s);
    TRY(work_box(&w, id, &b));
    uint32_t flags = (b->v.flags & ~(uint32_t)MAILBOX_SUBSCRIBED) | (on ? MAILBOX_SUBSCRIBED : 0);
    if (flags != b->v.flags) {
        b->v.flags = flags;
        mailbox_log(&w, b);
    }
    return work_commit(&w);
}
