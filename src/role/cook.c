/* cook.c - reads messages for the store, which never does.
 *
 * May touch:  memory, and channels to the store.  No files, no network, nothing from one message to the next.
 * After LIMIT_COOK_MESSAGES the store closes the channel when nothing is under way; then the process ends, and
 * boss starts a fresh one: whatever a message did to it does not last, and no answer is lost with it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "cook/facts.h"
#include "cook/spam.h"
#include "cook/verdict.h"
#include "ipc/cook_serve.h"
#include "mail/charset.h"
#include "mail/fold.h"
#include "policy/arc_seal.h"
#include "policy/homograph.h"
#include "policy/suffixes.h"
#include "role/role.h"
#include "rt/clock.h"
#include "rt/disk.h"

enum {
    STREAMS_MAX = 64, /* messages that come piece by piece */
    POTS_MAX = STREAMS_MAX + LIMIT_COOK_KEPT,
    FIELD_ROOM = COOK_JUDGE_REPLY_FIELD_MAX, /* in front of a message */
};

/* A message on its way in, or one that waits for the answers of DNS. */
struct pot {
    uint32_t handle;
    uint64_t incarnation; /* of the store that fills it */
    bool want_dkim;
    struct buf bytes;          /* FIELD_ROOM, then the message */
    struct verdict_look *look; /* it waits */
};
static struct pot pots[POTS_MAX];
static uint32_t streams, kept;
static uint64_t kept_bytes;
static uint32_t handles_made;
static uint32_t cooked;
static struct psl_ctx_st *newer_list; /* than that of libpsl; NULL: none */

/* Before the jail.  Where there is none, or no good one, the list that libpsl brings is there. */
static void
read_suffixes(void)
{
    static const char path[] = "/usr/share/publicsuffix/public_suffix_list.dafsa";
    AUTO(fd_close) int fd = -1;
    struct stat st;

    if (disk_open(path, O_RDONLY, 0, &fd) != OK || fstat(fd, &st) != 0 || st.st_size <= 0 ||
        st.st_size > (off_t)LIMIT_SUFFIX_LIST_BYTES)
        return;
    size_t size = (size_t)st.st_size; /* positive */
    char *text = mem_alloc(size);
    if (disk_read_at(fd, text, size, 0) != OK ||
        suffixes_read(str_from(text, size), &newer_list) != OK)
        newer_list = NULL;
    mem_free(text);
}

static enum status
prepare(const struct role_start *s, struct problem *why)
{
    (void)s, (void)why;
    charset_preload();
    fold_preload();
    read_suffixes();
    bool looks = homograph_open(); /* without its tables nothing looks like anything */
    (void)looks;
    return OK;
}

static FIBER_ENTRY enum status
begin(const struct role_start *s, struct problem *why)
{
    (void)s, (void)why;
    return OK;
}

static struct cook_dkim_facts
copy_dkim(const struct cook_dkim_facts *d, struct arena *a)
{
    if (d->body_hash.len == 0)
        return (struct cook_dkim_facts){
            .headers = STR(""), .header_names = STR(""), .body_hash = STR("")};
    return (struct cook_dkim_facts){.headers = arena_str(a, d->headers),
                                    .header_names = arena_str(a, d->header_names),
                                    .body_hash = arena_str(a, d->body_hash)};
}

static struct str
copy(struct str s, struct arena *a)
{
    return s.len == 0 ? STR("") : arena_str(a, s);
}

static const uint64_t *
copy_hashes(const uint64_t *hashes, size_t n, struct arena *a)
{
    return n == 0 ? NULL : arena_dup(a, hashes, n * sizeof(hashes[0]));
}

/* The parsing has an arena of its own: what it takes must not count against the reply. */
static void
cook(struct str message, bool want_dkim, struct arena *a, struct cook_facts *out)
{
    AUTO_ARENA *own = arena_new(FACTS_ARENA_MAX);
    struct cook_facts f;

    facts_find(message, want_dkim, clock_now(), own, &f);
    *out = f;
    out->record = copy(f.record, a);
    out->sort = copy(f.sort, a);
    out->from_domain = copy(f.from_domain, a);
    out->message_id = copy(f.message_id, a);
    out->dkim = copy_dkim(&f.dkim, a);
    out->reference_hashes = copy_hashes(f.reference_hashes, f.reference_hashes_count, a);
    out->forward_marks = copy_hashes(f.forward_marks, f.forward_marks_count, a);
}

enum status
cook_serve_whole(struct ipc_peer *from, const struct cook_whole *req, struct arena *a,
                 struct cook_whole_reply *rep)
{
    (void)from;
    cook(req->body, req->want_dkim, a, &rep->facts);
    cooked++;
    return OK;
}

/* ---- pots ---- */

static struct pot *
find(const struct ipc_peer *from, uint32_t handle, bool waits)
{
    for (size_t i = 0; handle != 0 && i < POTS_MAX; i++)
        if (pots[i].handle == handle && pots[i].incarnation == ipc_incarnation(from))
            return (pots[i].look != NULL) == waits ? &pots[i] : NULL;
    return NULL;
}

/* There is one as long as the counts are within their bounds. */
static struct pot *
fill(const struct ipc_peer *from, uint64_t max)
{
    struct pot *p = pots;

    while (p->handle != 0)
        p++;
    ASSERT(p < pots + POTS_MAX);
    handles_made += handles_made == UINT32_MAX ? 2 : 1;
    *p = (struct pot){.handle = handles_made,
                      .incarnation = ipc_incarnation(from),
                      .bytes = BUF((size_t)max + FIELD_ROOM)};
    return p;
}

/* Nobody reads what stands there before it is written. */
static void
make_room(struct pot *p)
{
    if (buf_tail(&p->bytes, FIELD_ROOM) != NULL)
        buf_grew(&p->bytes, FIELD_ROOM);
}

static struct str
message_of(const struct pot *p)
{
    return str_skip(buf_str(&p->bytes), FIELD_ROOM);
}

static void
empty(struct pot *p)
{
    if (p->look != NULL) {
        kept--;
        kept_bytes -= p->bytes.len;
    } else {
        streams--;
    }
    verdict_look_free(&p->look);
    buf_release(&p->bytes);
    *p = (struct pot){0};
}

/* ---- piece by piece ---- */

enum status
cook_serve_begin(struct ipc_peer *from, const struct cook_begin *req, struct arena *a,
                 struct cook_begin_reply *rep)
{
    uint64_t max = role_self()->config->message_bytes_max + LIMIT_HEADER_BYTES;

    (void)a;
    if (streams == STREAMS_MAX)
        return ERR_LIMIT;
    streams++;
    struct pot *p = fill(from, max);
    p->want_dkim = req->want_dkim;
    if (req->size_hint <= max)
        buf_reserve(&p->bytes, FIELD_ROOM + (size_t)req->size_hint);
    make_room(p);
    rep->handle = p->handle;
    return OK;
}

enum status
cook_serve_add(struct ipc_peer *from, const struct cook_add *req, struct arena *a,
               struct cook_add_reply *rep)
{
    struct pot *p = find(from, req->handle, false);

    (void)a, (void)rep;
    if (p == NULL)
        return ERR_NOT_FOUND;
    buf_add(&p->bytes, req->body);
    return buf_status(&p->bytes);
}

enum status
cook_serve_end(struct ipc_peer *from, const struct cook_end *req, struct arena *a,
               struct cook_end_reply *rep)
{
    struct pot *p = find(from, req->handle, false);

    if (p == NULL)
        return ERR_NOT_FOUND;
    enum status e = buf_status(&p->bytes);
    if (e == OK)
        cook(message_of(p), p->want_dkim, a, &rep->facts);
    empty(p);
    cooked++;
    return e;
}

enum status
cook_serve_seal(struct ipc_peer *from, const struct cook_seal *req, struct arena *a,
                struct cook_seal_reply *rep)
{
    AUTO_ARENA *own = arena_new(ARC_TO_SEAL_ARENA);
    struct pot *p = find(from, req->handle, false);
    struct arc_to_seal f = {0};

    if (p == NULL)
        return ERR_NOT_FOUND;
    enum status e = buf_status(&p->bytes);
    if (e == OK)
        arc_to_seal(message_of(p), req->authserv_id, own, &f);
    rep->arc = (struct cook_arc_facts){.instance = f.instance,
                                       .chain = (uint8_t)f.chain, /* a small enum */
                                       .results = copy(f.results, a),
                                       .headers = copy(f.headers, a),
                                       .header_names = copy(f.names, a),
                                       .body_hash = copy(f.body_hash, a),
                                       .sets = copy(f.sets, a)};
    empty(p);
    cooked++;
    return e;
}

enum status
cook_serve_learn(struct ipc_peer *from, const struct cook_learn *req, struct arena *a,
                 struct cook_learn_reply *rep)
{
    struct pot *p = find(from, req->handle, false);

    if (p == NULL)
        return ERR_NOT_FOUND;
    enum status e = buf_status(&p->bytes);
    if (e == OK)
        spam_read(message_of(p), a, rep);
    empty(p);
    cooked++;
    return e;
}

void
cook_serve_drop(struct ipc_peer *from, const struct cook_drop *req, struct arena *a)
{
    struct pot *p = find(from, req->handle, false);

    (void)a;
    if (p == NULL)
        p = find(from, req->handle, true);
    if (p != NULL)
        empty(p);
}

/* ---- of strangers, in two steps ---- */

/* The pot of the message of a look; NULL: there is no room for it, or it is not there. */
static struct pot *
take_in(struct ipc_peer *from, const struct cook_look *req)
{
    if (req->handle != 0)
        return find(from, req->handle, false);
    if (kept == LIMIT_COOK_KEPT || streams == STREAMS_MAX)
        return NULL;
    streams++;
    struct pot *p = fill(from, req->body.len);
    make_room(p);
    buf_add(&p->bytes, req->body);
    return p;
}

enum status
cook_serve_look(struct ipc_peer *from, const struct cook_look *req, struct arena *a,
                struct cook_look_reply *rep)
{
    struct pot *p = take_in(from, req);

    (void)a;
    if (p == NULL)
        return ERR_LIMIT;
    if (buf_status(&p->bytes) != OK || kept == LIMIT_COOK_KEPT ||
        p->bytes.len > LIMIT_COOK_KEPT_BYTES - kept_bytes) {
        empty(p);
        return ERR_LIMIT;
    }
    const struct psl_ctx_st *list = newer_list != NULL ? newer_list : suffixes_built_in();
    p->look = verdict_look(message_of(p), &req->stranger, list, rep);
    rep->handle = p->handle;
    streams--;
    kept++;
    kept_bytes += p->bytes.len;
    return OK;
}

/* The fields go where they stand in the end: in front of the message. */
static struct str
join(const struct pot *p, struct str field)
{
    char *to = p->bytes.ptr + FIELD_ROOM - field.len;

    mem_copy(to, field.ptr, field.len);
    return str_from(to, field.len + message_of(p).len);
}

enum status
cook_serve_judge(struct ipc_peer *from, const struct cook_judge *req, struct arena *a,
                 struct cook_judge_reply *rep)
{
    struct pot *p = find(from, req->handle, true);
    const struct verdict_host host = {.name = role_self()->config->host,
                                      .now_s = clock_now().us / 1000000};

    if (p == NULL)
        return ERR_NOT_FOUND;
    verdict_judge(p->look, req, &host, a, rep);
    if (req->spam)
        spam_judge(message_of(p), a, rep);
    cook(join(p, rep->field), false, a, &rep->facts);
    empty(p);
    cooked++;
    return OK;
}

static void
peer_gone(struct ipc_peer *p)
{
    for (size_t i = 0; i < POTS_MAX; i++)
        if (pots[i].handle != 0 && pots[i].incarnation == ipc_incarnation(p))
            empty(&pots[i]);
    if (cooked >= LIMIT_COOK_MESSAGES)
        role_stopped();
}

static const struct ipc_service *const serves[] = {&cook_service};

const struct role_verbs role_cook = {
    .serves = serves,
    .serve_count = COUNT_OF(serves),
    .prepare = prepare,
    .begin = begin,
    .peer_gone = peer_gone,
};
