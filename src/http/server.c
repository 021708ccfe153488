/* server.c - the life of an HTTP session.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "http/server.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "http/chunks.h"
#include "rt/clock.h"

enum { ARENA_BYTES = 16 << 20, HTTP_PIECE_BYTES = 32768, BLANK_LINES_MAX = 1 };

enum http_at { HTTP_AT_HEAD, HTTP_AT_BODY };
struct http_session {
    struct http_exchange x; /* arena NULL: between two */
    const struct http_service *how;
    enum http_at at;
    struct buf head;   /* its lines so far */
    int64_t begun_ms;  /* of the head */
    uint32_t blanks;   /* empty lines before it */
    uint64_t left;     /* of a body of known length */
    uint64_t taken;    /* of the body, by the service */
    uint64_t unwanted; /* of the body, thrown away */
    struct http_chunks chunks;
    bool refused; /* the body is: the connection ends after it */
    bool over;
};

static const struct http_service *services[HTTP_KINDS_MAX];

static void *session_opened(struct conn *c);
static void session_wake(void *session, enum wake why);
static void session_closed(void *session);
SUSPENDS static enum status head_lines(struct http_session *s);
SUSPENDS static enum status body_bytes(struct http_session *s);
SUSPENDS static void begin_exchange(struct http_session *s);
SUSPENDS static void end_exchange(struct http_session *s);
SUSPENDS static void refuse(struct http_session *s, struct http_refusal why);

const struct conn_ops http_ops = {
    .opened = session_opened,
    .wake = session_wake,
    .closed = session_closed,
};

void
http_serve(int kind, const struct http_service *how)
{
    ASSERT(kind >= 0 && kind < HTTP_KINDS_MAX);
    services[kind] = how;
}

/* ---- the life of a session ---- */

static void
rest_for_head(struct http_session *s)
{
    s->at = HTTP_AT_HEAD;
    conn_rest(s->x.conn, REST_LINE);
    conn_line_max(s->x.conn, LIMIT_HTTP_LINE_BYTES);
    conn_deadline(s->x.conn, LIMIT_HTTP_IDLE_S * 1000);
}

static FIBER_ENTRY void *
session_opened(struct conn *c)
{
    struct http_session *s = MEM_NEW(struct http_session);

    s->x.conn = c;
    s->how = services[conn_listener(c)->kind];
    ASSERT(s->how != NULL);
    s->head = BUF(LIMIT_HTTP_HEAD_BYTES);
    rest_for_head(s);
    return s;
}

static SUSPENDS enum status
serve_input(struct http_session *s)
{
    enum status e = OK;

    while (e == OK && !s->over)
        e = s->at == HTTP_AT_HEAD ? head_lines(s) : body_bytes(s);
    return e == ERR_TEMP ? OK : e;
}

static FIBER_ENTRY void
session_wake(void *session, enum wake why)
{
    struct http_session *s = session;
    enum status e = OK;

    fiber_context()->session = conn_id(s->x.conn);
    switch (why) {
    case WAKE_INPUT: e = serve_input(s); break;
    case WAKE_TIMEOUT: /* between two requests: without a word */
        if (s->head.len > 0 || s->at != HTTP_AT_HEAD)
            refuse(s, (struct http_refusal){408, "The request did not come in time"});
        s->over = true;
        break;
    case WAKE_EOF: s->over = true; break;
    case WAKE_NOTE: break;
    }
    if (e != OK || s->over)
        conn_close(s->x.conn);
}

static void
let_go(struct http_session *s)
{
    if (s->how->end != NULL && s->x.arena != NULL)
        s->how->end(&s->x);
    buf_release(&s->x.body);
    buf_release(&s->x.headers);
    arena_free(&s->x.arena);
    s->x = (struct http_exchange){.conn = s->x.conn};
}

static void
session_closed(void *session)
{
    struct http_session *s = session;

    let_go(s);
    buf_release(&s->head);
    mem_free(s);
}

/* ---- heads ---- */

static void
new_exchange(struct http_session *s)
{
    if (s->x.arena != NULL)
        return;
    s->x.arena = arena_new(ARENA_BYTES);
    s->x.headers = BUF(LIMIT_HTTP_HEAD_BYTES);
}

static SUSPENDS void
refuse(struct http_session *s, struct http_refusal why)
{
    new_exchange(s);
    s->over = s->x.last = true;
    if (s->x.answered) /* too late for words; an answer in parts has no end then, which says it */
        return;
    if (s->how->refused != NULL)
        s->how->refused(&s->x, why);
    else
        http_answer(&s->x, why.status, STR("text/plain"), str_of(why.why));
}

/* The time runs for the whole of a head: a line now and then does not keep it open. */
static bool
is_slow(struct http_session *s)
{
    int64_t now = clock_mono_ms();

    if (s->head.len == 0)
        s->begun_ms = now;
    return now - s->begun_ms > (int64_t)LIMIT_HTTP_HEAD_S * 1000;
}

static SUSPENDS enum status
head_lines(struct http_session *s)
{
    struct str line;

    switch (conn_line(s->x.conn, &line)) {
    case OK: break;
    case ERR_TEMP: return ERR_TEMP;
    case ERR_LIMIT:
        refuse(s, s->head.len == 0
                      ? (struct http_refusal){414, "The target of the request is too long"}
                      : (struct http_refusal){431, "A field is too long"});
        return OK;
    case ERR_SYNTAX:
        refuse(s, (struct http_refusal){400,
                                        "A line ends with CR LF, and has no CR, LF or NUL inside"});
        return OK;
    default: return ERR_CLOSED;
    }
    if (line.len == 0 && s->head.len == 0) { /* RFC 9112 section 2.2 */
        if (s->blanks++ >= BLANK_LINES_MAX)
            refuse(s, (struct http_refusal){400, "A request is expected"});
        return OK;
    }
    if (is_slow(s)) {
        refuse(s, (struct http_refusal){408, "The head of the request did not come in time"});
        return OK;
    }
    buf_add(&s->head, line);
    buf_add(&s->head, STR("\r\n"));
    if (buf_status(&s->head) != OK)
        refuse(s, (struct http_refusal){431, "The head of the request is too long"});
    else if (line.len == 0)
        begin_exchange(s);
    return OK;
}

static SUSPENDS void
begin_exchange(struct http_session *s)
{
    struct http_exchange *x = &s->x;
    new_exchange(s);
    struct http_head *head = ARENA_NEW(x->arena, struct http_head);

    struct http_refusal r = http_head_read(arena_str(x->arena, buf_str(&s->head)), x->arena, head);
    if (r.status != 0) {
        refuse(s, r);
        return;
    }
    x->head = head;
    s->left = head->length;
    s->taken = s->unwanted = 0;
    s->chunks = (struct http_chunks){0};
    if (s->how->begin != NULL)
        s->how->begin(x);
    if (head->framing == HTTP_EMPTY) {
        end_exchange(s);
        return;
    }
    if (!x->answered && head->framing == HTTP_LENGTH && head->length > x->body_max)
        refuse(s, (struct http_refusal){413, "The body of the request is too long"});
    if (x->answered && head->expects) { /* whoever waits for a word sends no body now */
        s->over = true;
        return;
    }
    s->over = false; /* what comes is read, see discard() */
    if (head->expects && conn_write(x->conn, STR("HTTP/1.1 100 Continue\r\n\r\n")) != OK)
        s->over = true;
    x->body = BUF(x->body_max + 1);
    s->at = HTTP_AT_BODY;
    s->refused = x->answered && head->length > x->body_max;
    conn_rest(x->conn, REST_BYTES);
    conn_deadline(x->conn, LIMIT_HTTP_IDLE_S * 1000);
}

/* ---- bodies ---- */

/* Nobody wants it, but who sends it reads the answer only afterwards. */
static void
discard(struct http_session *s, struct str piece)
{
    s->unwanted += piece.len;
    if (s->unwanted > LIMIT_HTTP_DISCARD_BYTES)
        s->over = true;
}

static SUSPENDS void
take_piece(struct http_session *s, struct str piece)
{
    struct http_exchange *x = &s->x;

    if (x->answered) {
        discard(s, piece);
        return;
    }
    s->taken += piece.len;
    if (s->taken > x->body_max) {
        refuse(s, (struct http_refusal){413, "The body of the request is too long"});
        s->over = false;
        s->refused = true;
        discard(s, piece);
    } else if (x->in_pieces && s->how->piece != NULL) {
        s->how->piece(x, piece);
    } else {
        buf_add(&x->body, piece);
    }
}

static SUSPENDS enum status
chunked_bytes(struct http_session *s, struct str bytes)
{
    struct scan in = scan_of(bytes);
    struct str piece;
    enum status e;

    while ((e = http_chunks_next(&s->chunks, &in, &piece)) == OK) {
        if (s->chunks.at == HTTP_CHUNK_END)
            break;
        take_piece(s, piece);
        if (s->over)
            return OK;
    }
    if (e == ERR_SYNTAX) {
        refuse(s, (struct http_refusal){400, "The chunks of the body cannot be read"});
        return OK;
    }
    conn_consume(s->x.conn, (size_t)(in.pos - bytes.ptr)); /* inside bytes */
    if (e == OK)
        end_exchange(s);
    return OK;
}

static SUSPENDS enum status
body_bytes(struct http_session *s)
{
    bool sized = s->x.head->framing == HTTP_LENGTH;
    struct str bytes = conn_peek(s->x.conn, sized ? MIN(s->left, (uint64_t)HTTP_PIECE_BYTES)
                                                  : (size_t)HTTP_PIECE_BYTES);

    if (bytes.len == 0)
        return ERR_TEMP;
    /* A copy: who takes a piece suspends, and the buffer of the connection may move meanwhile. */
    AUTO_BUF room = BUF(HTTP_PIECE_BYTES);
    buf_add(&room, bytes);
    struct str copy = buf_str(&room);
    if (!sized)
        return chunked_bytes(s, copy);
    conn_consume(s->x.conn, copy.len);
    s->left -= copy.len;
    take_piece(s, copy);
    if (s->left == 0 && !s->over)
        end_exchange(s);
    return OK;
}

static SUSPENDS void
end_exchange(struct http_session *s)
{
    struct http_exchange *x = &s->x;
    bool closes = x->head->close || s->refused;

    if (!x->answered)
        s->how->serve(x);
    if (!x->answered)
        http_answer(x, 500, STR("text/plain"), STR("Nothing was answered"));
    s->refused = false;
    s->over = s->over || closes;
    buf_reset(&s->head);
    s->blanks = 0;
    let_go(s);
    rest_for_head(s);
}
