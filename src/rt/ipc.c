/* ipc.c - the life of a channel and its bytes: attach, hello, frames in, frames out, end.
 *
 * Input is parsed as far as it goes on each wake-up; output of a whole turn leaves in one send.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/ipc.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"
#include "rt/disk.h"
#include "rt/ipc_internal.h"

enum { KEEP_ENDED = 32, OUT_KEEP = 256 * 1024, NAME_MAX_BYTES = 31 };

static _Thread_local struct list ended_peers; /* oldest first */
static _Thread_local size_t ended_count;

static struct ipc_peer *peer_new(const struct ipc_options *o, int fd);
static void say_hello(struct ipc_peer *p);
static bool on_hello(struct ipc_peer *p, struct scan s);
static void on_ready(struct watch *w, uint32_t events);
static void on_turn_end(struct deferred *d);
static void read_input(struct ipc_peer *p);
static void parse(struct ipc_peer *p);
static bool dispatch(struct ipc_peer *p, const struct ipc_frame *f, const char *payload);
static void write_output(struct ipc_peer *p);
static void end(struct ipc_peer *p);
static void rewatch(struct ipc_peer *p);
static void trim_ended(size_t keep);

const char *
role_name(enum role r)
{
    static const char *const names[ROLE_COUNT] = {"boss", "mx",  "user", "keys", "auth", "store",
                                                  "cook", "out", "ask",  "api",  "admin"};

    ASSERT(r < ROLE_COUNT);
    return names[r];
}

MUST_USE enum status
ipc_pair(size_t ring_bytes, struct ipc_channel_end ends_out[2])
{
    AUTO(fd_close) int ring = -1;
    AUTO(fd_close) int ring_too = -1;
    int fds[2];

    if (ring_bytes > 0) {
        TRY(ring_memfd(ring_bytes, &ring));
        ring_too = fcntl(ring, F_DUPFD_CLOEXEC, 0);
        if (ring_too < 0)
            return ERR_IO;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, fds) != 0)
        return ERR_IO;
    ends_out[0] = (struct ipc_channel_end){.fd = fds[0], .ring_fd = ring, .first = true};
    ends_out[1] = (struct ipc_channel_end){.fd = fds[1], .ring_fd = ring_too};
    ring = ring_too = -1;
    return OK;
}

MUST_USE enum status
ipc_attach(const struct ipc_channel_end *e, const struct ipc_options *o, struct ipc_peer **out)
{
    AUTO(fd_close) int fd = e->fd;
    AUTO(fd_close) int ring_fd = e->ring_fd;
    struct ring_pair rings = {0};

    ASSERT(o->serve_count <= IPC_SERVICES_MAX && o->own_role < ROLE_COUNT &&
           o->peer_role < ROLE_COUNT);
    /* Most jails have no F_SETFL, and the sockets of ipc_pair() do not need it. */
    int flags = fcntl(fd, F_GETFL);
    if (flags < 0 || ((flags & O_NONBLOCK) == 0 && fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0))
        return ERR_IO;
    if (ring_fd >= 0)
        TRY(ring_map(ring_fd, e->first, &rings));
    struct ipc_peer *p = peer_new(o, fd);
    p->rings = rings;
    if (watch_start(&p->watch, EPOLLIN) != OK) {
        ring_unmap(&p->rings);
        mem_free(p);
        return ERR_IO;
    }
    fd = -1;
    say_hello(p);
    *out = p;
    return OK;
}

static struct ipc_peer *
peer_new(const struct ipc_options *o, int fd)
{
    struct ipc_peer *p = MEM_NEW(struct ipc_peer);

    p->watch = (struct watch){.fd = fd, .ready = on_ready};
    p->turn_end.run = on_turn_end;
    p->retry.fire = ipc_start_backlog;
    p->o = *o;
    p->arena_budget = 1;
    p->watched = EPOLLIN;
    for (size_t i = 0; i < o->serve_count; i++) {
        p->serves[i] = o->serves[i];
        p->arena_budget = MAX(p->arena_budget, o->serves[i]->arena_budget);
    }
    p->open = true;
    buf_init(&p->in, 2 * (LIMIT_IPC_FRAME_BYTES + IPC_READ_BYTES));
    buf_init(&p->out, IPC_OUT_MAX);
    fiber_queue_init(&p->room);
    list_init(&p->spare);
    list_init(&p->backlog);
    return p;
}

void
ipc_close(struct ipc_peer *p)
{
    if (!p->open)
        return;
    p->open = false;
    ipc_fail_callers(p);
    loop_defer(&p->turn_end);
}

void
ipc_break(struct ipc_peer *p, const char *violation)
{
    if (!p->open)
        return;
    p->violation = violation;
    buf_reset(&p->out);
    p->out_sent = 0;
    ipc_close(p);
}

void *
ipc_state(const struct ipc_peer *p)
{
    return p->o.state;
}

void
ipc_set_state(struct ipc_peer *p, void *state)
{
    p->o.state = state;
}

enum role
ipc_role(const struct ipc_peer *p)
{
    return p->o.peer_role;
}

uint32_t
ipc_index(const struct ipc_peer *p)
{
    return p->o.peer_index;
}

uint64_t
ipc_incarnation(const struct ipc_peer *p)
{
    return p->o.peer_incarnation;
}

bool
ipc_is_open(const struct ipc_peer *p)
{
    return p->open;
}

uint32_t
ipc_in_flight(const struct ipc_peer *p)
{
    return p->in_flight;
}

const char *
ipc_violation(const struct ipc_peer *p)
{
    return p->violation;
}

void
ipc_forget(void)
{
    trim_ended(0);
}

/* ---- hello ---- */

/* hello = version(varint) count(u8) count*( name version(varint) hash(be64) ) */
static void
say_hello(struct ipc_peer *p)
{
    struct ipc_frame f = {.kind = IPC_HELLO};
    struct ipc_writer w = ipc_frame_begin(p);

    buf_add_varint(&p->out, IPC_PROTOCOL);
    buf_add_varint(&p->out, p->o.serve_count);
    for (size_t i = 0; i < p->o.serve_count; i++) {
        buf_add_bytes(&p->out, str_of(p->serves[i]->name));
        buf_add_varint(&p->out, p->serves[i]->version);
        buf_add_be64(&p->out, p->serves[i]->schema_hash);
    }
    ASSERT(ipc_frame_end(p, &w, &f, true));
}

static bool
on_hello(struct ipc_peer *p, struct scan s)
{
    uint64_t protocol, count, version;

    if (p->hello_seen || !scan_varint(&s, UINT16_MAX, &protocol) || protocol != IPC_PROTOCOL ||
        !scan_varint(&s, IPC_SERVICES_MAX, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        struct ipc_known *k = &p->peer_serves[i];
        struct str name;
        if (!scan_bytes(&s, NAME_MAX_BYTES, &name) || !scan_varint(&s, UINT16_MAX, &version) ||
            !scan_be64(&s, &k->hash) || !str_to_z(name, p->peer_names[i], sizeof(p->peer_names[i])))
            return false;
        k->name = p->peer_names[i];
    }
    p->peer_serve_count = count;
    p->hello_seen = true;
    for (size_t i = 0; i < p->used_count; i++)
        if (!ipc_knows(p, p->used[i])) {
            p->violation = "another schema";
            return false;
        }
    p->hello_checked = true;
    return scan_at_end(&s);
}

/* ---- input ---- */

static void
on_ready(struct watch *w, uint32_t events)
{
    struct ipc_peer *p = LIST_ENTRY(w, struct ipc_peer, watch);

    if (!p->open)
        return;
    if ((events & EPOLLOUT) != 0)
        loop_defer(&p->turn_end);
    if ((events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0)
        read_input(p);
}

static void
read_input(struct ipc_peer *p)
{
    struct ipc_frame f;
    size_t want = IPC_READ_BYTES;

    if (p->in.len >= sizeof(f)) {
        mem_copy(&f, p->in.ptr, sizeof(f));
        want = MAX(want, (size_t)f.length); /* bounded: parse() looked at it */
    }
    char *tail = buf_tail(&p->in, want);
    if (tail == NULL) { /* paused, and the peer hung up with more than one frame behind */
        ipc_break(p, NULL);
        return;
    }
    ssize_t n = recv(p->watch.fd, tail, want, MSG_DONTWAIT);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (n <= 0) {
        ipc_break(p, NULL);
        return;
    }
    buf_grew(&p->in, (size_t)n);
    parse(p);
}

static void
parse(struct ipc_peer *p)
{
    size_t at = 0;
    struct ipc_frame f;

    while (p->open && p->in.len - at >= sizeof(f)) {
        mem_copy(&f, p->in.ptr + at, sizeof(f));
        if (f.length > LIMIT_IPC_FRAME_BYTES) {
            ipc_break(p, "frame too long");
            return;
        }
        if (p->in.len - at - sizeof(f) < f.length || p->paused)
            break;
        if (!dispatch(p, &f, p->in.ptr + at + sizeof(f))) {
            ipc_break(p, p->violation != NULL ? p->violation : "malformed frame");
            return;
        }
        at += sizeof(f) + f.length;
    }
    buf_consume(&p->in, at);
    if (p->in.len == 0)
        buf_shrink(&p->in, 2 * IPC_READ_BYTES);
    rewatch(p);
}

static bool
dispatch(struct ipc_peer *p, const struct ipc_frame *f, const char *payload)
{
    bool good = false;

    if (f->kind == IPC_HELLO)
        return f->ring_bytes == 0 && on_hello(p, scan_of(str_from(payload, f->length)));
    if (!p->hello_seen)
        return false;
    /* The writer commits ring bytes before it sends the frame, so they are there or it lies. */
    if (f->ring_bytes > 0 && (p->rings.base == NULL || f->ring_bytes > ring_ready(&p->rings.in)))
        return false;
    switch (f->kind) {
    case IPC_CALL:
    case IPC_NOTE: good = ipc_on_request(p, f, payload); break;
    case IPC_REPLY: good = ipc_on_reply(p, f, payload); break;
    default: break;
    }
    if (good && f->ring_bytes > 0)
        ring_release(&p->rings.in, f->ring_bytes);
    return good;
}

bool
ipc_reader_init(struct ipc_reader *r, struct ipc_peer *p, const struct ipc_frame *f,
                const char *payload, struct arena *a)
{
    *r = (struct ipc_reader){.a = a, .ring_left = f->ring_bytes};
    if (f->ring_bytes > 0)
        r->ring = &p->rings.in;
    if (f->length > arena_left(a)) {
        r->bad = r->over = true;
        return false;
    }
    if (f->length > 0)
        r->pos = arena_dup(a, payload, f->length);
    r->end = r->pos + f->length;
    return true;
}

void
ipc_read_again(struct ipc_peer *p)
{
    if (!p->paused || !p->open)
        return;
    p->paused = false;
    parse(p);
}

/* ---- output ---- */

bool
ipc_out_is_high(const struct ipc_peer *p)
{
    return p->out.len - p->out_sent > IPC_OUT_HIGH;
}

struct ipc_writer
ipc_frame_begin(struct ipc_peer *p)
{
    struct ipc_writer w = {.b = &p->out};

    p->frame_start = p->out.len;
    if (buf_tail(&p->out, sizeof(struct ipc_frame)) != NULL)
        buf_grew(&p->out, sizeof(struct ipc_frame));
    else
        w.bad = true;
    if (p->rings.base != NULL) {
        w.ring = &p->rings.out;
        w.ring_room = ring_room(w.ring);
    }
    return w;
}

bool
ipc_frame_end(struct ipc_peer *p, const struct ipc_writer *w, struct ipc_frame *f, bool ok)
{
    size_t start = p->frame_start;

    if (!ok || p->out.over || p->out.len - start - sizeof(*f) > LIMIT_IPC_FRAME_BYTES) {
        p->out.len = start;
        p->out.over = false;
        return false;
    }
    f->length = (uint32_t)(p->out.len - start - sizeof(*f)); /* bounded just above */
    f->ring_bytes = (uint32_t)w->ring_used;                  /* at most RING_BYTES_MAX */
    mem_copy(p->out.ptr + start, f, sizeof(*f));
    if (w->ring_used > 0)
        ring_commit(&p->rings.out, w->ring_used);
    loop_defer(&p->turn_end);
    return true;
}

static void
on_turn_end(struct deferred *d)
{
    struct ipc_peer *p = LIST_ENTRY(d, struct ipc_peer, turn_end);

    if (p->ended)
        return;
    write_output(p);
    if (!p->open)
        end(p);
}

static void
write_output(struct ipc_peer *p)
{
    bool was_high = ipc_out_is_high(p);

    while (p->out_sent < p->out.len && !p->deaf) {
        ssize_t n = send(p->watch.fd, p->out.ptr + p->out_sent, p->out.len - p->out_sent,
                         MSG_NOSIGNAL | MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < 0) {
            /* The peer is gone; what it said before is still to be read, up to its end. */
            p->deaf = true;
            break;
        }
        p->out_sent += (size_t)n;
    }
    if (p->out_sent == p->out.len || p->deaf) {
        buf_shrink(&p->out, OUT_KEEP);
        p->out_sent = 0;
    } else if (p->out_sent > IPC_OUT_HIGH) {
        buf_consume(&p->out, p->out_sent);
        p->out_sent = 0;
    }
    if (was_high && !ipc_out_is_high(p))
        fiber_queue_wake_all(&p->room);
    if (p->open)
        rewatch(p);
}

/* The events that the channel waits for now. */
static void
rewatch(struct ipc_peer *p)
{
    uint32_t events = p->paused ? 0 : EPOLLIN;

    if (p->out_sent < p->out.len && !p->deaf)
        events |= EPOLLOUT;
    if (!p->open || events == p->watched)
        return;
    if (watch_change(&p->watch, events) == OK)
        p->watched = events;
    else
        ipc_break(p, NULL);
}

/* ---- end ---- */

static void
end(struct ipc_peer *p)
{
    ASSERT(!p->ended && !p->open);
    p->ended = true;
    watch_stop(&p->watch);
    close(p->watch.fd);
    p->watch.fd = -1;
    timer_stop(&p->retry);
    ipc_drop_requests(p);
    fiber_queue_wake_all(&p->room);
    p->refs++; /* gone() may end others, and trim */
    if (p->o.gone != NULL)
        p->o.gone(p);
    p->refs--;
    ring_unmap(&p->rings);
    buf_release(&p->in);
    buf_release(&p->out);
    mem_free(p->slots);
    p->slots = NULL;
    p->slot_count = 0;
    if (ended_peers.next == NULL)
        list_init(&ended_peers);
    list_push(&ended_peers, &p->node);
    ended_count++;
    trim_ended(KEEP_ENDED);
}

void
ipc_ref(struct ipc_peer *p)
{
    p->refs++;
}

void
ipc_unref(struct ipc_peer *p)
{
    ASSERT(p->refs > 0);
    p->refs--;
}

/* The struct outlives its channel for a while: a fiber that suspended elsewhere may still hold the pointer,
 * and must be told ERR_CLOSED. */
static void
trim_ended(size_t keep)
{
    if (ended_peers.next == NULL)
        return;
    list_each_safe(node, after, &ended_peers)
    {
        struct ipc_peer *p = LIST_ENTRY(node, struct ipc_peer, node);
        if (ended_count <= keep)
            return;
        if (p->refs > 0)
            continue;
        list_remove(node);
        ended_count--;
        mem_free(p);
    }
}

/* ---- problems ---- */

/* problem = reply(varint) enhanced text */
void
ipc_problem_put(struct buf *b, const struct problem *why)
{
    buf_add_varint(b, why->reply > 0 ? (uint64_t)why->reply : 0);
    buf_add_bytes(b, str_of(why->enhanced));
    buf_add_bytes(b, str_of(why->text));
}

bool
ipc_problem_get(struct str payload, struct problem *out)
{
    struct scan s = scan_of(payload);
    struct problem p = {0};
    struct str enhanced, text;
    uint64_t reply;

    if (!scan_varint(&s, 999, &reply) || !scan_bytes(&s, sizeof(p.enhanced) - 1, &enhanced) ||
        !scan_bytes(&s, sizeof(p.text) - 1, &text) || !scan_at_end(&s) ||
        !str_to_z(enhanced, p.enhanced, sizeof(p.enhanced)) ||
        !str_to_z(text, p.text, sizeof(p.text)))
        return false;
    /* It ends up in reply lines: whoever sent it may not break them. */
    for (size_t i = 0; i < sizeof(p.text); i++)
        if (p.text[i] != '\0' && ((unsigned char)p.text[i] < ' ' || p.text[i] == 0x7f))
            p.text[i] = '?';
    for (size_t i = 0; i < sizeof(p.enhanced); i++)
        if (p.enhanced[i] != '\0' && !ascii_is_digit(p.enhanced[i]) && p.enhanced[i] != '.')
            return false;
    p.reply = (int)reply; /* at most 999 */
    *out = p;
    return true;
}
