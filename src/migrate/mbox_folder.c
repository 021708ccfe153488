/* mbox_folder.c - the messages of one mbox file, and their bodies.
 *
 * A message has no name in such a file, so its key is a hash of what stays the same when flags change: everything but
 * the fields that are not of it.  Of several that are alike each has a number.  A body is compared with its key when it
 * is read, for the file may have been written anew since it was listed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/map.h"
#include "base/mem.h"
#include "base/size.h"
#include "migrate/maildir.h"
#include "migrate/mbox.h"
#include "rt/disk.h"

enum {
    WINDOW_BYTES = 256 << 10, /* a longer line comes in pieces */
    FROM_LINE_BYTES = 1024,
    KEY_BYTES = 16,       /* of a SHA-256 */
    OWN_BYTES = 64 << 10, /* what a message may have more in an mbox */
};

static_assert(MIGRATE_KEYWORDS == (unsigned)LIMIT_KEYWORDS, "a mailbox has room for what is read");

/* The file, or a message in memory (fd = -1, all of it in hold). */
struct window {
    int fd;
    uint64_t at, size; /* of what comes next; of all */
    struct buf hold;   /* from pos on not yet given */
    size_t pos;
    bool in_line; /* the last piece had no line end */
};
struct piece {
    struct str text; /* with its line end */
    uint64_t at;
    bool begins; /* a line */
};
struct listing {
    struct window w;
    struct migrate_folder *f;
    struct arena *a;
    struct str format; /* of unique ids */
    struct map *alike; /* key -> size_t, how many had it */
    EVP_MD_CTX *hash;
    size_t room;
    uint32_t uid, uid_last; /* highest that was seen; what there may be */
    bool later;             /* the first message was read */
    /* the message that comes next */
    bool has_next;
    struct instant next;
    /* the message at work */
    struct mbox_head head;
    uint64_t offset, blank_at;
    size_t blanks; /* empty lines, not yet in the hash */
    bool has_text; /* something behind the header and its empty line */
};

static enum status begin(struct listing *x);
static enum status read_message(struct listing *x, bool *done_out);
static enum status read_header(struct listing *x, uint64_t stop);
static enum status read_text(struct listing *x, uint64_t stop, bool watch, uint64_t *end_out);
static enum status believe_length(struct listing *x, uint64_t *stop, bool *believed_out);
static enum status skip_separator(struct listing *x);
static void make_key(struct listing *x, char key[2 * KEY_BYTES + 1]);
static enum status add_message(struct listing *x, const struct migrate_message *m);
static uint32_t keywords_of(struct listing *x);
static int by_uid(const void *a, const void *b);

/* ---- the file ---- */

/* Whoever writes has it locked so; a lock of our own while we list it. */
static enum status
lock(int fd)
{
    struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET};

    if (fcntl(fd, F_OFD_SETLK, &l) == 0)
        return OK;
    return errno == EAGAIN || errno == EACCES ? ERR_TEMP : OK; /* a file system without locks */
}

static enum status
refill(struct window *w)
{
    uint64_t known = w->at + (w->hold.len - w->pos);

    ASSERT(w->fd >= 0 && known < w->size);
    buf_consume(&w->hold, w->pos);
    w->pos = 0;
    size_t n = (size_t)MIN((uint64_t)(WINDOW_BYTES - w->hold.len), w->size - known); /* small */
    char *tail = buf_tail(&w->hold, n);
    TRY(buf_status(&w->hold));
    enum status s = disk_read_at(w->fd, tail, n, known);
    if (s == OK)
        buf_grew(&w->hold, n);
    return s == ERR_CORRUPT ? ERR_CONFLICT : s; /* it is shorter by now */
}

/* ERR_NOT_FOUND: nothing is left before stop. */
static enum status
next_piece(struct window *w, uint64_t stop, struct piece *out)
{
    size_t n = 0;

    if (w->at >= stop)
        return ERR_NOT_FOUND;
    while (n == 0) {
        struct str left = str_skip(buf_str(&w->hold), w->pos);
        if (left.len > stop - w->at)
            left.len = (size_t)(stop - w->at); /* smaller */
        ssize_t lf = str_find(left, '\n');
        if (lf >= 0)
            n = (size_t)lf + 1; /* found: not negative */
        else if (w->at + left.len == stop)
            n = left.len;
        else if (left.len == WINDOW_BYTES)
            n = left.len - (left.ptr[left.len - 1] == '\r');
        else
            TRY(refill(w));
    }
    *out = (struct piece){str_sub(str_skip(buf_str(&w->hold), w->pos), 0, n), w->at, !w->in_line};
    w->in_line = out->text.ptr[n - 1] != '\n';
    w->pos += n;
    w->at += n;
    return OK;
}

/* A few bytes somewhere else. */
static enum status
peek(const struct window *w, uint64_t at, struct buf *out)
{
    size_t n = (size_t)MIN((uint64_t)FROM_LINE_BYTES, w->size - at); /* small */

    buf_reset(out);
    if (n == 0)
        return OK;
    char *tail = buf_tail(out, n);
    TRY(buf_status(out));
    enum status s = disk_read_at(w->fd, tail, n, at);
    if (s == OK)
        buf_grew(out, n);
    return s == ERR_CORRUPT ? ERR_CONFLICT : s;
}

static struct str
without_end(struct str line)
{
    if (str_ends(line, STR("\n")))
        line.len--;
    if (str_ends(line, STR("\r")))
        line.len--;
    return line;
}

/* ---- listing ---- */

static enum status
list_all(struct listing *x)
{
    bool done = false;

    TRY(begin(x));
    while (x->has_next && !done)
        TRY(read_message(x, &done));
    return OK;
}

enum status
mbox_folder_read(struct migrate_folder *f, struct str uidl, struct arena *a)
{
    struct listing x = {.f = f, .a = a, .format = uidl};
    AUTO(fd_close) int fd = -1;
    struct stat st;

    TRY(migrate_path_open(f->path, f->below, &fd));
    TRY(lock(fd));
    if (fstat(fd, &st) != 0)
        return ERR_IO;
    x.w = (struct window){.fd = fd, .size = (uint64_t)st.st_size, .hold = BUF(WINDOW_BYTES)};
    x.alike = map_new();
    x.hash = EVP_MD_CTX_new();
    f->count = 0;
    enum status s = list_all(&x);
    EVP_MD_CTX_free(x.hash);
    map_free(&x.alike);
    buf_release(&x.w.hold);
    mbox_head_release(&x.head);
    TRY(s);
    if (f->count > 0)
        qsort(f->messages, f->count, sizeof(f->messages[0]), by_uid);
    return OK;
}

/* The first From_ line; empty lines may stand before it. */
static enum status
begin(struct listing *x)
{
    struct piece p;
    enum status s;

    while ((s = next_piece(&x->w, x->w.size, &p)) == OK)
        if (!mbox_is_blank(p.text))
            break;
    if (s == ERR_NOT_FOUND)
        return OK;
    TRY(s);
    if (!p.begins || !mbox_from_read(without_end(p.text), &x->next))
        return ERR_SYNTAX;
    x->has_next = true;
    return OK;
}

static void
begin_message(struct listing *x)
{
    mbox_head_release(&x->head);
    x->head = (struct mbox_head){0};
    x->offset = x->w.at;
    x->blanks = 0;
    x->has_text = false;
    x->w.in_line = false; /* the From_ line may be the last, without an end */
    if (EVP_DigestInit_ex(x->hash, EVP_sha256(), NULL) != 1)
        UNREACHABLE();
}

/* done: the file has no other. */
static enum status
read_message(struct listing *x, bool *done_out)
{
    struct migrate_message m = {.received = x->next};
    uint64_t stop = x->w.size, end;
    char key[2 * KEY_BYTES + 1];

    begin_message(x);
    x->has_next = false;
    TRY(read_header(x, stop));
    TRY(believe_length(x, &stop, &m.verbatim));
    TRY(read_text(x, stop, !m.verbatim, &end));
    if (m.verbatim)
        TRY(skip_separator(x));
    make_key(x, key);
    if (!x->later) {
        x->f->uidvalidity = x->head.uidvalidity;
        x->f->uidnext = x->head.uidvalidity != 0 ? x->head.uid_last + 1 : 0;
        x->uid_last = x->head.uid_last;
    }
    x->later = true;
    m.offset = x->offset;
    m.size = end - x->offset;
    m.key = str_of(key);
    if (!x->head.pseudo && !x->head.expunged)
        TRY(add_message(x, &m));
    *done_out = !x->has_next;
    return OK;
}

static void
add_to_hash(struct listing *x, struct str s)
{
    if (s.len > 0 && EVP_DigestUpdate(x->hash, s.ptr, s.len) != 1)
        UNREACHABLE();
}

static void
hash_blanks(struct listing *x, size_t n)
{
    for (; n > 0; n--)
        add_to_hash(x, STR("\n"));
    x->blanks = 0;
}

/* Without regard to which line ends there are.  Empty lines wait: the last one may be none of the message. */
static void
take(struct listing *x, const struct piece *p)
{
    struct str text = p->text;

    if (p->begins && mbox_is_blank(text)) {
        x->blanks++;
        x->blank_at = p->at;
        return;
    }
    hash_blanks(x, x->blanks);
    if (!str_ends(text, STR("\n"))) {
        add_to_hash(x, text);
        return;
    }
    add_to_hash(x, without_end(text));
    add_to_hash(x, STR("\n"));
}

static enum status
read_header(struct listing *x, uint64_t stop)
{
    struct piece p;
    enum status s;

    while ((s = next_piece(&x->w, stop, &p)) == OK) {
        if (p.begins && mbox_is_blank(p.text)) {
            take(x, &p);
            break;
        }
        if (mbox_head_line(&x->head, p.text, p.begins))
            take(x, &p);
    }
    mbox_head_end(&x->head);
    return s == ERR_NOT_FOUND ? OK : s;
}

/* watch: for the next From_ line; else everything up to stop is of the message. */
static enum status
read_text(struct listing *x, uint64_t stop, bool watch, uint64_t *end_out)
{
    struct piece p = {0};
    enum status s;

    while ((s = next_piece(&x->w, stop, &p)) == OK) {
        if (watch && p.begins && x->blanks > 0 && mbox_from_read(without_end(p.text), &x->next)) {
            x->has_next = true;
            break;
        }
        x->has_text = true;
        take(x, &p);
    }
    if (s != OK && s != ERR_NOT_FOUND)
        return s;
    if (x->w.in_line && !x->has_next)
        add_to_hash(x,
                    STR("\n")); /* as if the last line had an end, which it gets when more comes */
    uint64_t at = x->has_next ? p.at : x->w.at;
    /* The empty line before a From_ line is none of the message, unless it is also the one that ends the header. */
    bool drop = watch && x->blanks > 0 && (x->has_text || x->head.own);
    *end_out = drop ? x->blank_at : at;
    hash_blanks(x, x->blanks - (drop ? 1 : 0));
    return OK;
}

/* A From_ line or the end, behind an empty line. */
static enum status
leads_on(const struct window *w, uint64_t at, bool *out)
{
    AUTO_BUF b = BUF(FROM_LINE_BYTES);
    struct instant t;

    TRY(peek(w, at - 3, &b));
    struct str rest = buf_str(&b), line;
    bool blank = str_starts(str_skip(rest, 1), STR("\n\n")) || str_starts(rest, STR("\n\r\n"));
    rest = str_skip(rest, 3);
    if (str_starts(rest, STR("\n")) || str_starts(rest, STR("\r\n"))) {
        rest = str_skip(rest, rest.ptr[0] == '\r' ? 2 : 1);
        blank = true;
    }
    *out = rest.len == 0 ||
           (blank && str_split(&rest, '\n', &line) && mbox_from_read(without_end(line), &t));
    return OK;
}

/* Not in Godwit's own, where it is the message's. */
static enum status
believe_length(struct listing *x, uint64_t *stop, bool *believed_out)
{
    const struct mbox_head *h = &x->head;

    if (h->own || !h->has_length || h->length > x->w.size - x->w.at)
        return OK;
    TRY(leads_on(&x->w, x->w.at + h->length, believed_out));
    if (*believed_out)
        *stop = x->w.at + h->length;
    return OK;
}

static enum status
skip_separator(struct listing *x)
{
    struct piece p = {0};
    enum status s = next_piece(&x->w, x->w.size, &p);

    while (s == OK && mbox_is_blank(p.text))
        s = next_piece(&x->w, x->w.size, &p);
    if (s == ERR_NOT_FOUND)
        return OK;
    TRY(s);
    x->has_next = mbox_from_read(without_end(p.text), &x->next);
    return x->has_next ? OK : ERR_CONFLICT; /* it was there a moment ago */
}

static void
make_key(struct listing *x, char key[2 * KEY_BYTES + 1])
{
    static const char digits[] = "0123456789abcdef";
    unsigned char sum[EVP_MAX_MD_SIZE];

    if (EVP_DigestFinal_ex(x->hash, sum, NULL) != 1)
        UNREACHABLE();
    for (size_t i = 0; i < KEY_BYTES; i++) {
        key[2 * i] = digits[sum[i] >> 4];
        key[2 * i + 1] = digits[sum[i] & 15];
    }
    key[2 * KEY_BYTES] = '\0';
}

static struct str
own_key(struct listing *x, struct str key)
{
    size_t *n = map_get(x->alike, key);

    if (n == NULL) {
        n = ARENA_NEW(x->a, size_t);
        map_put(x->alike, key, n);
    }
    return ++*n == 1 ? arena_str(x->a, key) : arena_printf(x->a, "%.*s.%zu", STR_FMT(key), *n);
}

static struct str
uidl_of(struct listing *x, uint32_t uid)
{
    AUTO_BUF b = BUF(4096);
    const struct uidl_facts facts = {uid, x->f->uidvalidity, STR("")};

    if (x->head.uidl.len > 0)
        return arena_str(x->a, buf_str(&x->head.uidl));
    if (uid == 0 || x->format.len == 0 || !uidl_format(x->format, &facts, &b))
        return STR_NONE;
    return arena_str(x->a, buf_str(&b));
}

/* A UID above what the file says there is, or below one before it, was written by whoever sent the message. */
static enum status
add_message(struct listing *x, const struct migrate_message *m)
{
    struct migrate_folder *f = x->f;
    uint32_t uid = x->head.uid;

    if (f->count == LIMIT_IMPORT_MESSAGES)
        return ERR_LIMIT;
    if (f->count == x->room) {
        size_t room = MAX(x->room * 2, 64);
        struct migrate_message *more = ARENA_ARRAY(x->a, struct migrate_message, room);
        if (f->count > 0)
            mem_copy(more, f->messages, f->count * sizeof(*more));
        f->messages = more;
        x->room = room;
    }
    if (f->uidvalidity == 0 || uid > x->uid_last || uid <= x->uid)
        uid = 0;
    struct migrate_message *to = &f->messages[f->count++];
    *to = *m;
    to->uid = uid;
    to->flags = x->head.flags;
    to->keywords = keywords_of(x);
    to->key = own_key(x, m->key);
    to->uidl = uidl_of(x, uid);
    x->uid = uid != 0 ? uid : x->uid;
    return OK;
}

/* Those for which the table has no room are left out: a mailbox has no more either. */
static uint32_t
keywords_of(struct listing *x)
{
    struct str words = buf_str(&x->head.words), word;
    struct str *table = x->f->words;
    uint32_t bits = 0;

    while (mbox_keyword_next(&words, &word)) {
        size_t i = 0;
        while (i < MIGRATE_KEYWORDS && table[i].len > 0 && !str_eq_nocase(table[i], word))
            i++;
        if (i == MIGRATE_KEYWORDS)
            continue;
        if (table[i].len == 0)
            table[i] = arena_str(x->a, word);
        bits |= 1u << i;
    }
    return bits;
}

/* Those without a UID last, as they stand in the file. */
static int
by_uid(const void *a, const void *b)
{
    const struct migrate_message *x = a, *y = b;
    uint32_t p = x->uid - 1, q = y->uid - 1; /* 0 becomes the highest */

    if (p != q)
        return p < q ? -1 : 1;
    return x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* ---- bodies ---- */

/* Is it the message that was listed? */
static enum status
compare(const struct buf *raw, struct str key)
{
    struct listing x = {.w = {.fd = -1, .size = raw->len}};
    char now[2 * KEY_BYTES + 1];
    uint64_t end;

    x.w.hold = *raw;
    x.hash = EVP_MD_CTX_new();
    begin_message(&x);
    enum status s = read_header(&x, x.w.size);
    if (s == OK)
        s = read_text(&x, x.w.size, false, &end);
    if (s == OK)
        make_key(&x, now);
    EVP_MD_CTX_free(x.hash);
    mbox_head_release(&x.head);
    TRY(s);
    return str_starts(key, str_of(now)) ? OK : ERR_CONFLICT;
}

enum status
mbox_body_read(const struct migrate_folder *f, const struct migrate_message *m, struct buf *out,
               struct instant *received_out)
{
    AUTO(fd_close) int fd = -1;
    AUTO_BUF raw = BUF(LIMIT_MESSAGE_BYTES + OWN_BYTES);

    if (m->size > raw.max)
        return ERR_LIMIT;
    TRY(migrate_path_open(f->path, f->below, &fd));
    size_t size = (size_t)m->size; /* held to that */
    if (size > 0) {
        char *at = buf_tail(&raw, size);
        TRY(buf_status(&raw));
        enum status s = disk_read_at(fd, at, size, m->offset);
        if (s != OK)
            return s == ERR_CORRUPT ? ERR_CONFLICT : s;
        buf_grew(&raw, size);
    }
    TRY(compare(&raw, m->key));
    const struct mbox_text t = {buf_str(&raw), m->verbatim ? MIGRATE_UNQUOTED : f->quoting};
    *received_out = m->received;
    return mbox_text_read(&t, out);
}
