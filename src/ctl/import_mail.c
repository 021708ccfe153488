/* import_mail.c - see import_mail.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ctl/import_mail.h"

#include "base/map.h"
#include "base/size.h"

enum {
    BATCH_BYTES = 1536 << 10, /* of bodies in one call; a frame and its arena hold 4 MiB */
    PIECE_BYTES = 1 << 20,
    FLAGS_STEP = ADMIN_IMPORT_FLAGS_FLAGS_MAX,
    REMOVE_STEP = ADMIN_IMPORT_REMOVE_UIDS_MAX,
    WORDS_MAX = MIGRATE_KEYWORDS,
    REPLY_ARENA = 8 << 20,
    TRIES = 5,
    PAUSE_MS = 1000,
};
#define FOLDER_ARENA ((size_t)8 << 30) /* of what a folder's list takes; bodies are not in it */

struct known { /* a message that was imported before */
    uint32_t uid, source, flags;
    bool seen;
};
struct work { /* on one folder */
    struct import_mail *im;
    const struct import_account *acc;
    struct migrate_folder *f;
    struct arena *a;
    struct admin_mail_box box;
    uint32_t last; /* store/import.h */
    struct map *known;
    size_t known_here; /* of this source */
    struct import_counts n;
    const char *wrong; /* NULL: the status says it */
    size_t done;       /* messages dealt with in this try */
    /* the batch */
    struct arena *ba;
    struct admin_import_message *messages;
    size_t count, bytes;
    /* flags that changed */
    struct admin_import_flag_item *flags;
    size_t flag_count;
};

static SUSPENDS enum status read_list(struct work *w);
static void leave_out(struct work *w, const struct migrate_message *m, const char *why);
static SUSPENDS enum status run_anew(struct work *w);
static SUSPENDS enum status run(struct work *w);
static SUSPENDS enum status open_box(struct work *w, uint32_t uidnext);
static SUSPENDS enum status load_known(struct work *w);
static SUSPENDS enum status look_at(struct work *w, const struct migrate_message *m);
static SUSPENDS enum status add(struct work *w, const struct migrate_message *m);
static SUSPENDS enum status put_body(struct work *w, struct admin_import_message *to,
                                     struct str body);
static SUSPENDS enum status send_batch(struct work *w);
static SUSPENDS enum status change_flags(struct work *w, const struct known *k,
                                         const struct migrate_message *m);
static SUSPENDS enum status send_flags(struct work *w);
static SUSPENDS enum status remove_gone(struct work *w);
static SUSPENDS enum status look_again(struct work *w);
static size_t words_of(const struct work *w, const struct migrate_message *m, struct str *out);
static uint8_t special_of(const struct import_account *acc, const struct migrate_folder *f);

/* In words, where the reader has none. */
static const char *
list_wrong(const struct work *w, enum status s)
{
    if (w->wrong != NULL)
        return w->wrong;
    switch (s) {
    case ERR_DENIED: return w->acc->reader->link;
    case ERR_TEMP: return "another program has locked it";
    case ERR_SYNTAX: return w->acc->reader->nothing;
    case ERR_LIMIT: return "it has more messages than a folder may have, or too large a list";
    default: return "the folder cannot be read";
    }
}

void
import_mail_folder(struct import_mail *im, const struct import_account *acc,
                   struct migrate_folder *f)
{
    struct work w = {.im = im, .acc = acc, .f = f, .a = arena_new(FOLDER_ARENA)};

    w.ba = arena_new((size_t)64 << 20);
    w.messages = ARENA_ARRAY(w.a, struct admin_import_message, ADMIN_IMPORT_ADD_MESSAGES_MAX);
    w.flags = ARENA_ARRAY(w.a, struct admin_import_flag_item, FLAGS_STEP);
    enum status s = read_list(&w);
    const char *wrong = s != OK ? list_wrong(&w, s) : NULL;
    if (s == OK) {
        s = run_anew(&w);
        const char *said = ipc_problem()->text;
        if (s == ERR_EXISTS)
            wrong = "another import is at work on this mailbox";
        else if (s == ERR_CONFLICT)
            wrong = "it changed again and again while it was read";
        else if (s != OK && w.wrong != NULL)
            wrong = w.wrong;
        else if (s != OK)
            wrong = said[0] != '\0' ? said : status_name(s);
    }
    if (s == ERR_CLOSED || s == ERR_NO_SPACE)
        im->broken = s;
    im->folders++;
    im->failed += s != OK;
    import_mail_tell(im, acc, f->name, &w.n, wrong);
    map_free(&w.known);
    arena_free(&w.ba);
    arena_free(&w.a);
}

static enum status
read_list(struct work *w)
{
    const struct import_reader *reader = w->acc->reader;
    struct str uidl = str_eq(w->f->name, STR("INBOX")) ? w->acc->uidl : STR_NONE;

    enum status s = reader->folder(w->f, uidl, w->a);
    w->wrong = s != OK && reader->wrong != NULL ? reader->wrong(w->f) : NULL;
    w->n.lost_words = w->f->words_lost;
    w->n.lost_uidls = w->f->uidls_lost;
    return s;
}

/* The last batch of an import that was killed may still be at work: then what is known is asked for once more.  What
 * was written anew while we read it (an mbox) is listed once more. */
static enum status
run_anew(struct work *w)
{
    enum status s = ERR_EXISTS;

    for (int tries = 0; (s == ERR_EXISTS || s == ERR_CONFLICT) && tries < TRIES; tries++) {
        if (tries > 0)
            TRY(fiber_sleep(PAUSE_MS));
        if (s == ERR_CONFLICT)
            TRY(read_list(w));
        map_free(&w->known);
        w->known = map_new();
        arena_reset(w->ba);
        w->count = w->bytes = w->flag_count = w->done = w->known_here = 0;
        w->im->all.found += w->f->count - w->n.found;
        w->n.found = w->f->count;
        s = run(w);
        if (s == ERR_EXISTS || s == ERR_CONFLICT)
            w->im->done -= w->done;
    }
    return s;
}

static enum status
run(struct work *w)
{
    TRY(open_box(w, 0));
    TRY(load_known(w));
    if (w->f->missing && w->known_here > 0) {
        w->wrong = "cur or new is not there, and messages of it were imported before";
        return ERR_NOT_FOUND;
    }
    for (size_t i = 0; i < w->f->count; i++)
        w->f->messages[i].wanted = map_get(w->known, w->f->messages[i].key) == NULL;
    for (size_t i = 0; i < w->f->count; i++) {
        TRY(look_at(w, &w->f->messages[i]));
        w->im->done++;
        w->done++;
    }
    TRY(send_batch(w));
    TRY(send_flags(w));
    TRY(remove_gone(w));
    return w->f->uidnext > 0 ? open_box(w, w->f->uidnext) : OK;
}

/* ---- the mailbox ---- */

/* uidnext: not before the messages are in, which are below it. */
static enum status
open_box(struct work *w, uint32_t uidnext)
{
    const struct import_account *acc = w->acc;
    bool subscribed = false;

    for (size_t i = 0; i < acc->tree.subscribed_count; i++)
        subscribed |= str_eq(acc->tree.subscribed[i], w->f->name);
    const struct admin_import_open req = {.account = acc->id,
                                          .name = w->f->name,
                                          .special = special_of(acc, w->f),
                                          .uidvalidity = w->f->uidvalidity,
                                          .uidnext = uidnext,
                                          .subscribed = subscribed};
    struct admin_import_open_reply rep;

    TRY(admin_import_open_call(w->im->c->store, &req, w->a, &rep));
    w->box = rep.box;
    w->last = rep.last;
    return OK;
}

/* The use of a folder, as it is said or by its name, where the mailbox that has the use here is empty and, if it goes
 * by the name, no other folder there. */
static uint8_t
special_of(const struct import_account *acc, const struct migrate_folder *f)
{
    static const struct {
        const char *name;
        uint8_t special; /* of store.ipc */
    } names[] = {
        {"Drafts", 1},     {"Draft", 1},         {"Entw\xc3\xbcrfe", 1},  {"Sent", 2},
        {"Sent Items", 2}, {"Sent Messages", 2}, {"Sent Mail", 2},        {"Gesendet", 2},
        {"Junk", 3},       {"Spam", 3},          {"Junk E-mail", 3},      {"Junk Mail", 3},
        {"Trash", 4},      {"Deleted Items", 4}, {"Deleted Messages", 4}, {"Papierkorb", 4},
        {"Archive", 5},    {"Archives", 5},      {"Archiv", 5},
    };
    uint8_t special = f->special;

    for (size_t i = 0; f->special == 0 && i < COUNT_OF(names); i++)
        if (str_eq_nocase(str_of(names[i].name), f->name))
            special = names[i].special;
    for (size_t k = 0; f->special == 0 && k < acc->tree.count; k++)
        if (acc->tree.folders[k].special == special)
            special = 0;
    for (size_t i = 0; special != 0 && i < acc->box_count; i++) {
        const struct admin_mail_box *b = &acc->boxes[i];
        if (b->special != special)
            continue;
        if (b->exists > 0)
            return 0;
        for (size_t k = 0; f->special == 0 && k < acc->tree.count; k++)
            if (str_eq(acc->tree.folders[k].name, b->name))
                return 0;
    }
    return special;
}

static enum status
load_known(struct work *w)
{
    struct admin_import_known req = {.account = w->acc->id, .box = w->box.id, .from_uid = 1};
    struct admin_import_known_reply rep = {.more = w->last > 0};

    while (rep.more) {
        AUTO_ARENA *a = arena_new(REPLY_ARENA);
        TRY(admin_import_known_call(w->im->c->store, &req, a, &rep));
        for (size_t i = 0; i < rep.known_count; i++) {
            const struct admin_import_known_item *x = &rep.known[i];
            struct known *k = ARENA_NEW(w->a, struct known);
            *k = (struct known){x->uid, x->source, x->flags, false};
            map_put(w->known, x->key, k);
            w->known_here += k->source == w->acc->source;
            req.from_uid = x->uid + 1;
        }
    }
    return OK;
}

/* ---- messages ---- */

static enum status
look_at(struct work *w, const struct migrate_message *m)
{
    struct known *k = map_get(w->known, m->key);

    if (k == NULL) {
        k = ARENA_NEW(w->a, struct known);
        *k = (struct known){.seen = true};
        map_put(w->known, m->key, k);
        return add(w, m);
    }
    if (k->seen) /* twice there: a server died while it renamed */
        return OK;
    k->seen = true;
    return change_flags(w, k, m);
}

static enum status
add(struct work *w, const struct migrate_message *m)
{
    AUTO_BUF body = BUF(LIMIT_MESSAGE_BYTES);
    struct str words[WORDS_MAX];
    struct instant received;

    const struct import_reader *reader = w->acc->reader;
    enum status s = reader->body(w->f, m, &body, &received);
    if (s == ERR_NOT_FOUND) /* removed while we look */
        return OK;
    if (s != OK && s != ERR_LIMIT && s != ERR_IO && reader->wrong != NULL)
        w->wrong = reader->wrong(w->f); /* it is more than this message that cannot be read */
    if (s == ERR_CONFLICT || w->wrong != NULL)
        return s;
    if (s != OK || body.len == 0) {
        leave_out(w, m,
                  s == ERR_LIMIT ? "it is too large"
                  : s != OK      ? "it cannot be read"
                                 : "it is empty");
        return OK;
    }
    if (w->count == ADMIN_IMPORT_ADD_MESSAGES_MAX || w->bytes + body.len > BATCH_BYTES)
        TRY(send_batch(w));
    struct admin_import_message *to = &w->messages[w->count];
    size_t n = words_of(w, m, words);
    *to = (struct admin_import_message){
        .uid = m->uid,
        .source = w->acc->source,
        .key = m->key,
        .uidl = m->uidl,
        .flags = m->flags,
        .keywords = arena_dup(w->ba, words, sizeof(words)),
        .keywords_count = n,
        .received = received.us,
    };
    TRY(put_body(w, to, buf_str(&body)));
    w->count++;
    w->n.bytes += body.len;
    return OK;
}

static void
leave_out(struct work *w, const struct migrate_message *m, const char *why)
{
    w->n.left_out++;
    import_mail_left(w->im, w->acc, w->f->name,
                     m->there != 0     ? arena_printf(w->a, "UID %u", m->there)
                     : m->file.len > 0 ? m->file
                                       : arena_printf(w->a, "the one at byte %llu",
                                                      (unsigned long long)m->offset),
                     why);
}

/* Small ones with the call, large ones before it, piece by piece. */
static enum status
put_body(struct work *w, struct admin_import_message *to, struct str body)
{
    struct admin_import_blob req = {.size_hint = body.len};
    struct admin_import_blob_reply rep;

    if (body.len <= BATCH_BYTES) {
        to->body = arena_str(w->ba, body);
        w->bytes += body.len;
        return OK;
    }
    while (body.len > 0) {
        req.bytes = str_sub(body, 0, PIECE_BYTES);
        TRY(admin_import_blob_call(w->im->c->store, &req, w->a, &rep));
        req.handle = rep.handle;
        body = str_skip(body, PIECE_BYTES);
    }
    to->handle = req.handle;
    return OK;
}

/* The store takes as many of the first ones as it has room for at once. */
static enum status
send_batch(struct work *w)
{
    size_t done = 0;

    while (done < w->count) {
        AUTO_ARENA *a = arena_new(REPLY_ARENA);
        const struct admin_import_add req = {.account = w->acc->id,
                                             .box = w->box.id,
                                             .uidvalidity = w->f->uidvalidity,
                                             .last = w->last,
                                             .messages = w->messages + done,
                                             .messages_count = w->count - done};
        struct admin_import_add_reply rep;
        TRY(admin_import_add_call(w->im->c->store, &req, a, &rep));
        if (rep.uids_count == 0)
            return ERR_CORRUPT;
        for (size_t i = 0; i < rep.uids_count; i++) {
            uint32_t wanted = w->messages[done + i].uid;
            w->n.added += rep.uids[i] != 0;
            w->n.left_out += rep.uids[i] == 0;
            if (rep.uids[i] == 0)
                import_mail_left(w->im, w->acc, w->f->name, w->messages[done + i].key,
                                 "the server cannot take it");
            w->n.moved_uid += rep.uids[i] != 0 && wanted != 0 && rep.uids[i] != wanted;
        }
        done += rep.uids_count;
        w->last = rep.last;
    }
    w->count = w->bytes = 0;
    arena_reset(w->ba);
    import_mail_progress(w->im);
    return OK;
}

static size_t
words_of(const struct work *w, const struct migrate_message *m, struct str *out)
{
    size_t n = 0;

    for (uint32_t i = 0; i < MIGRATE_KEYWORDS; i++)
        if ((m->keywords >> i & 1) && w->f->words[i].len > 0)
            out[n++] = w->f->words[i];
    return n;
}

/* ---- flags ---- */

/* Keywords are bits of the mailbox's table; one that is not in it is a change while the table has room. */
static bool
is_changed(const struct work *w, const struct known *k, const struct migrate_message *m)
{
    struct str words[WORDS_MAX];
    size_t n = words_of(w, m, words);
    uint32_t bits = m->flags;

    for (size_t i = 0; i < n; i++) {
        size_t at = 0;
        while (at < w->box.keywords_count && !str_eq_nocase(w->box.keywords[at], words[i]))
            at++;
        if (at < w->box.keywords_count)
            bits |= 1u << (5 + at); /* store.ipc */
        else if (w->box.keywords_count < LIMIT_KEYWORDS)
            return true;
    }
    return bits != k->flags;
}

static enum status
change_flags(struct work *w, const struct known *k, const struct migrate_message *m)
{
    struct str words[WORDS_MAX];

    if (!is_changed(w, k, m))
        return OK;
    size_t n = words_of(w, m, words);
    w->flags[w->flag_count++] =
        (struct admin_import_flag_item){.uid = k->uid,
                                        .flags = m->flags,
                                        .keywords = arena_dup(w->a, words, sizeof(words)),
                                        .keywords_count = n};
    return w->flag_count == FLAGS_STEP ? send_flags(w) : OK;
}

static enum status
send_flags(struct work *w)
{
    AUTO_ARENA *a = arena_new(REPLY_ARENA);
    const struct admin_import_flags req = {
        .account = w->acc->id, .box = w->box.id, .flags = w->flags, .flags_count = w->flag_count};
    struct admin_import_flags_reply rep;

    if (w->flag_count == 0)
        return OK;
    TRY(admin_import_flags_call(w->im->c->store, &req, a, &rep));
    w->n.flags += w->flag_count;
    w->flag_count = 0;
    return OK;
}

/* ---- what is gone ---- */

static SUSPENDS enum status
send_removed(struct work *w, const uint32_t *uids, size_t n)
{
    AUTO_ARENA *a = arena_new(REPLY_ARENA);
    const struct admin_import_remove req = {
        .account = w->acc->id, .box = w->box.id, .uids = uids, .uids_count = n};
    struct admin_import_remove_reply rep;

    if (n == 0)
        return OK;
    TRY(admin_import_remove_call(w->im->c->store, &req, a, &rep));
    w->n.removed += n;
    return OK;
}

static bool
is_gone(const struct work *w, const struct known *k)
{
    return !k->seen && k->source == w->acc->source && !import_mail_typed.no_delete;
}

static enum status
remove_gone(struct work *w)
{
    uint32_t *uids = ARENA_ARRAY(w->a, uint32_t, REMOVE_STEP);
    size_t cursor = 0, n = 0;
    bool any = false;
    struct str key;
    void *value;

    while (map_next(w->known, &cursor, &key, &value)) {
        const struct known *k = value;
        any |= is_gone(w, k);
        w->n.elsewhere += !k->seen && k->source != w->acc->source;
    }
    if (any)
        TRY(look_again(w));
    cursor = 0;
    while (any && map_next(w->known, &cursor, &key, &value)) {
        const struct known *k = value;
        if (!is_gone(w, k))
            continue;
        uids[n++] = k->uid;
        if (n == REMOVE_STEP) {
            TRY(send_removed(w, uids, n));
            n = 0;
        }
    }
    return send_removed(w, uids, n);
}

/* A list of a folder in use may lack a message that was renamed meanwhile: only what two of them lack is gone. */
static enum status
look_again(struct work *w)
{
    if (w->acc->reader->whole)
        return OK;
    struct migrate_folder again = {.name = w->f->name, .path = w->f->path, .below = w->f->below};

    enum status s = w->acc->reader->folder(&again, STR_NONE, w->a);
    if (s == OK && again.missing)
        s = ERR_NOT_FOUND;
    if (s != OK)
        w->wrong = "the folder cannot be read again, so nothing was removed";
    for (size_t i = 0; s == OK && i < again.count; i++) {
        struct known *k = map_get(w->known, again.messages[i].key);
        if (k != NULL)
            k->seen = true;
    }
    return s;
}
