/* api.c - who may ask, which resource is meant, and the two forms of an answer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>

#include "api/api_internal.h"
#include "api/many.h"
#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "config/events.h"
#include "http/path.h"
#include "rt/logger.h"

#define JSON_TYPE    STR("application/json")
#define PROBLEM_TYPE STR("application/problem+json")

enum { ALLOW_BYTES = 80 };

struct api_world *api_world;

enum body { NO_BODY, OBJECT, MANY };
struct route {
    const char *method;
    const char *pattern; /* "*" stands for any segment; what is without comes first */
    enum body body;
    void (*serve)(struct api_call *c); /* SUSPENDS */
    const char *query;                 /* words that it knows, with commas between */
};

static const struct route routes[] = {
    {"GET", "status", NO_BODY, api_status, ""},
    {"GET", "stats", NO_BODY, api_stats, ""},
    {"POST", "reload", NO_BODY, api_reload, ""},
    {"GET", "accounts", NO_BODY, api_accounts, "search,after,limit,deleted"},
    {"POST", "accounts", MANY, NULL, ""},
    {"GET", "accounts/*", NO_BODY, api_account_show, ""},
    {"PATCH", "accounts/*", OBJECT, api_account_change, ""},
    {"DELETE", "accounts/*", NO_BODY, api_account_delete, "now"},
    {"PUT", "accounts/*/password", OBJECT, api_account_password, ""},
    {"POST", "accounts/*/invitation", OBJECT, api_account_invite, ""},
    {"POST", "invitations/redeem", OBJECT, api_invitation_redeem, ""},
    {"POST", "accounts/*/suspend", NO_BODY, api_account_suspend, ""},
    {"POST", "accounts/*/resume", NO_BODY, api_account_resume, ""},
    {"POST", "accounts/*/undelete", OBJECT, api_account_undelete, ""},
    {"PUT", "accounts/*/forward", OBJECT, api_account_forward, ""},
    {"DELETE", "accounts/*/forward", NO_BODY, api_account_forward_off, ""},
    {"POST", "accounts/*/send-as", OBJECT, api_account_send_as, ""},
    {"DELETE", "accounts/*/send-as", NO_BODY, api_account_send_as_remove, "address"},
    {"GET", "accounts/*/app-passwords", NO_BODY, api_app_passwords, ""},
    {"POST", "accounts/*/app-passwords", OBJECT, api_app_password_add, ""},
    {"DELETE", "accounts/*/app-passwords/*", NO_BODY, api_app_password_remove, ""},
    {"GET", "accounts/*/sessions", NO_BODY, api_account_sessions, ""},
    {"DELETE", "accounts/*/sessions", NO_BODY, api_account_kick, ""},
    {"GET", "domains", NO_BODY, api_domains, "after,limit"},
    {"POST", "domains", OBJECT, api_domain_add, ""},
    {"GET", "domains/*", NO_BODY, api_domain_show, ""},
    {"DELETE", "domains/*", NO_BODY, api_domain_remove, ""},
    {"POST", "domains/*/rotate", NO_BODY, api_domain_rotate, ""},
    {"POST", "domains/*/look", NO_BODY, api_domain_look, ""},
    {"GET", "aliases", NO_BODY, api_aliases, "after,limit"},
    {"POST", "aliases", MANY, NULL, ""},
    {"PUT", "aliases/*", OBJECT, api_alias_set, ""},
    {"DELETE", "aliases/*", NO_BODY, api_alias_remove, ""},
    {"GET", "queue", NO_BODY, api_queue, "domain,sender,recipient,older_s,after,limit"},
    {"GET", "queue/summary", NO_BODY, api_queue_summary, "limit"},
    {"POST", "queue/pause", OBJECT, api_queue_pause, ""},
    {"POST", "queue/resume", OBJECT, api_queue_pause, ""},
    {"POST", "queue/retry", OBJECT, api_queue_act, ""},
    {"POST", "queue/hold", OBJECT, api_queue_act, ""},
    {"POST", "queue/release", OBJECT, api_queue_act, ""},
    {"POST", "queue/drop", OBJECT, api_queue_act, ""},
    {"POST", "queue/route", OBJECT, api_queue_act, ""},
    {"GET", "queue/*", NO_BODY, api_queue_show, ""},
    {"DELETE", "queue/*", NO_BODY, api_queue_drop, ""},
    {"POST", "queue/*/retry", NO_BODY, api_queue_act_one, ""},
    {"POST", "queue/*/hold", NO_BODY, api_queue_act_one, ""},
    {"POST", "queue/*/release", NO_BODY, api_queue_act_one, ""},
    {"POST", "queue/*/route", OBJECT, api_queue_route_one, ""},
    {"GET", "sessions", NO_BODY, api_sessions, "limit,after"},
    {"DELETE", "sessions/*", NO_BODY, api_session_end, ""},
    {"GET", "blocks", NO_BODY, api_blocks, ""},
    {"POST", "blocks", OBJECT, api_block_add, ""},
    {"DELETE", "blocks/*", NO_BODY, api_block_remove, ""},
    {"GET", "trace", NO_BODY, api_trace, "what,since,after,limit"},
    {"GET", "trace/*", NO_BODY, api_trace_life, ""},
    {"GET", "explain/rcpt", NO_BODY, api_explain_rcpt, "address,size,from,ip"},
    {"GET", "explain/login", NO_BODY, api_explain_login, "name,ip"},
    {"GET", "explain/route", NO_BODY, api_explain_route, "domain,from,tries,age_s"},
};

static void begin(struct http_exchange *x);
static void piece(struct http_exchange *x, struct str bytes);
static void serve(struct http_exchange *x);
static void refused(struct http_exchange *x, struct http_refusal why);
static void end(struct http_exchange *x);
SUSPENDS static const struct route *find_route(struct http_exchange *x, struct api_call *c);

const struct http_service api_service = {
    .begin = begin, .piece = piece, .serve = serve, .refused = refused, .end = end};

void
api_init(struct api_world *w)
{
    api_world = w;
}

/* ---- answers ---- */

static void
never_kept(struct http_exchange *x)
{
    http_header(x, "Cache-Control", STR("no-store"));
    http_header(x, "X-Content-Type-Options", STR("nosniff"));
}

SUSPENDS void
api_json(struct api_call *c, unsigned status, json_t *j)
{
    char *text = json_dumps(j, JSON_COMPACT);

    json_decref(j);
    ASSERT(text != NULL);
    never_kept(c->x);
    http_answer(c->x, status, JSON_TYPE, str_of(text));
    mem_free(text);
}

SUSPENDS void
api_done(struct api_call *c)
{
    api_json(c, 200, json_pack("{s:s}", "result", "ok"));
}

/* RFC 9457: about:blank, so the title is that of the status; code is for programs. */
SUSPENDS void
api_problem(struct http_exchange *x, unsigned status, const char *code, struct str detail)
{
    json_t *j =
        json_pack("{s:s, s:s, s:i, s:s, s:o}", "type", "about:blank", "title", http_reason(status),
                  "status", (int)status, "code", code, "detail", view_str(detail));
    char *text = json_dumps(j, JSON_COMPACT);

    json_decref(j);
    ASSERT(text != NULL);
    never_kept(x);
    http_answer(x, status, PROBLEM_TYPE, str_of(text));
    mem_free(text);
}

SUSPENDS void
api_fail(struct api_call *c, enum status e)
{
    static const char *const words[STATUS_COUNT] = {
        [ERR_SYNTAX] = "That is not a valid name, address or number",
        [ERR_LIMIT] = "A limit was reached",
        [ERR_NOT_FOUND] = "There is no such thing",
        [ERR_EXISTS] = "It is there already",
        [ERR_DENIED] = "Not allowed",
        [ERR_TEMP] = "Not possible now, try again",
        [ERR_CLOSED] = "The store is being started again: what became of this is not known",
        [ERR_NO_SPACE] = "The disk is full",
    };
    const struct problem said = *ipc_problem();
    const char *text = said.text[0] != '\0' ? said.text
                       : words[e] != NULL   ? words[e]
                                            : "The server could not do that";

    api_problem(c->x, many_status_of(e), status_name(e), str_of(text));
}

static SUSPENDS void
refused(struct http_exchange *x, struct http_refusal why)
{
    api_problem(x, why.status, "http", str_of(why.why));
}

/* ---- who asks ---- */

/* Root, and whoever this process is; others where the configuration gives the socket to somebody: then its mode, owner
 * and group, which the kernel looks at, are the list of who may. */
static bool
user_may(const struct conn *c)
{
    uint32_t uid;

    if (!conn_peer_uid(c, &uid))
        return false;
    if (uid == 0 || uid == api_world->uid)
        return true;
    for (size_t i = 0; i < api_world->config->listen_count; i++) {
        const struct config_listen *l = &api_world->config->listen[i];
        if (l->service == SERVICE_API && l->socket.path.len > 0 &&
            (l->socket.owner.len > 0 || l->socket.group.len > 0))
            return true;
    }
    return false;
}

/* Authorization: Bearer TOKEN, RFC 6750 section 2.1 */
static bool
token_is_right(const struct http_head *h)
{
    struct str value = http_head_field(h, STR("Authorization"));
    const struct str scheme = STR("Bearer ");

    if (value.len <= scheme.len || !str_eq_nocase(str_sub(value, 0, scheme.len), scheme))
        return false;
    struct str token = str_trim(str_skip(value, scheme.len));
    return api_world->token.len >= API_TOKEN_MIN && token.len == api_world->token.len &&
           mem_eq_const_time(token.ptr, api_world->token.ptr, token.len);
}

static void
log_denied(const struct conn *c)
{
    AUTO(logger_send) struct log_line l;
    uint32_t uid;

    if (!event_begin(&l, EVENT_API_DENIED))
        return;
    log_str(&l, "peer", conn_peer(c));
    if (conn_peer_uid(c, &uid))
        log_u64(&l, "uid", uid);
}

bool
api_is_known(const struct http_exchange *x)
{
    return conn_is_unix(x->conn) ? user_may(x->conn) : token_is_right(x->head);
}

/* What proves the right to it stands in its body. */
static bool
is_open(const struct http_head *h)
{
    return str_eq(h->method, STR("POST")) && str_eq(h->path, STR("/v1/invitations/redeem"));
}

static SUSPENDS bool
may_ask(struct http_exchange *x)
{
    bool local = conn_is_unix(x->conn);

    if (api_is_known(x) || is_open(x->head))
        return true;
    log_denied(x->conn);
    if (local) {
        api_problem(x, 403, "denied", STR("This user may not administer the server"));
        return false;
    }
    http_header(x, "WWW-Authenticate", STR("Bearer realm=\"godwit\""));
    api_problem(x, 401, "denied", STR("The bearer token is missing, or is not the right one"));
    return false;
}

/* ---- a request ---- */

static bool
is_ndjson(const struct http_head *h)
{
    struct str type = http_head_field(h, STR("Content-Type"));
    ssize_t mark = str_find(type, ';');

    type = str_trim(mark < 0 ? type : str_sub(type, 0, (size_t)mark));
    return str_eq_nocase(type, STR("application/x-ndjson")) ||
           str_eq_nocase(type, STR("application/jsonl"));
}

static bool
is_json(const struct http_head *h)
{
    struct str type = http_head_field(h, STR("Content-Type"));
    ssize_t mark = str_find(type, ';');

    type = str_trim(mark < 0 ? type : str_sub(type, 0, (size_t)mark));
    return str_eq_nocase(type, JSON_TYPE);
}

static FIBER_ENTRY void
begin(struct http_exchange *x)
{
    struct api_call c = {.x = x, .a = x->arena};

    if (!may_ask(x))
        return;
    const struct route *r = find_route(x, &c);
    if (r == NULL || x->head->framing == HTTP_EMPTY)
        return;
    if (r->body == NO_BODY) {
        api_problem(x, 422, "syntax", STR("This request has no body"));
    } else if (r->body == MANY && is_ndjson(x->head)) {
        x->in_pieces = str_eq(c.at[0], STR("accounts"));
        x->body_max = x->in_pieces ? LIMIT_API_BULK_BYTES : LIMIT_API_BODY_BYTES;
    } else if (is_json(x->head)) {
        x->body_max = is_open(x->head) ? LIMIT_API_REDEEM_BYTES : LIMIT_API_BODY_BYTES;
    } else {
        api_problem(x, 415, "syntax",
                    r->body == MANY ? STR("The body is application/json, or application/x-ndjson")
                                    : STR("The body is application/json"));
    }
}

static FIBER_ENTRY void
piece(struct http_exchange *x, struct str bytes)
{
    api_bulk_piece(x, bytes);
}

/* An object for those that want one; empty is an empty one. */
static SUSPENDS bool
read_body(struct api_call *c, enum body wanted, json_t **out)
{
    struct str body = buf_str(&c->x->body);
    json_error_t why = {.text = ""};

    if (body.len == 0) {
        *out = json_object();
        return true;
    }
    *out = read_json(body, &why);
    if (*out == NULL) {
        api_problem(c->x, 400, "syntax",
                    arena_printf(c->a, "The body is no JSON: line %d, %s", why.line, why.text));
        return false;
    }
    if (json_is_object(*out) || (wanted == MANY && json_is_array(*out)))
        return true;
    api_problem(c->x, 422, "syntax", STR("The body is a JSON object"));
    return false;
}

/* Each alias on a line of its own. */
static json_t *
lines_as_array(struct str text)
{
    json_t *all = json_array();
    json_error_t why;
    struct str line;

    while (str_split(&text, '\n', &line)) {
        json_t *one = str_trim(line).len == 0 ? NULL : read_json(line, &why);
        if (str_trim(line).len > 0)
            json_array_append_new(all, one != NULL ? one : json_null());
    }
    return all;
}

static SUSPENDS void
serve_many(struct api_call *c)
{
    bool accounts = str_eq(c->at[0], STR("accounts"));
    json_t *body = NULL;

    if (!accounts && is_ndjson(c->x->head))
        body = lines_as_array(buf_str(&c->x->body));
    else if (!read_body(c, MANY, &body)) {
        json_decref(body);
        return;
    }
    if (accounts)
        api_accounts_add(c, body);
    else
        api_aliases_import(c, body);
    json_decref(body);
}

static FIBER_ENTRY void
serve(struct http_exchange *x)
{
    struct api_call c = {.x = x, .a = x->arena};

    if (x->in_pieces) {
        api_bulk_finish(x);
        return;
    }
    const struct route *r = find_route(x, &c);
    if (r == NULL)
        return;
    if (r->body == MANY) {
        serve_many(&c);
        return;
    }
    if (r->body == NO_BODY || read_body(&c, r->body, &c.in))
        r->serve(&c);
    json_decref(c.in);
}

static void
end(struct http_exchange *x)
{
    struct many *bulk = x->state;

    many_free(&bulk);
    x->state = NULL;
}

/* ---- routes ---- */

static bool
matches(const char *pattern, const struct str *at, size_t depth)
{
    struct str rest = str_of(pattern), want;
    size_t i = 0;

    while (str_split(&rest, '/', &want)) {
        if (i == depth || (!str_eq(want, STR("*")) && !str_eq(want, at[i])) || at[i].len == 0)
            return false;
        i++;
    }
    return i == depth;
}

static bool
is_method(const struct http_head *h, const char *method)
{
    return str_eq(h->method, str_of(method)) ||
           (str_eq(h->method, STR("HEAD")) && str_eq(str_of(method), STR("GET")));
}

static SUSPENDS bool
query_is_known(struct http_exchange *x, const struct route *r)
{
    struct str names[8], rest = str_of(r->query);
    size_t n = 0;

    while (n < COUNT_OF(names) && str_split(&rest, ',', &names[n]))
        n++;
    struct str stranger = http_query_stranger(x->head->query, names, n);
    if (stranger.len == 0)
        return true;
    api_problem(x, 422, "syntax",
                arena_printf(x->arena, "There is no \"%.*s\" in the query of this resource%s%s",
                             STR_FMT(str_sub(stranger, 0, 60)), r->query[0] != '\0' ? ", but " : "",
                             r->query));
    return false;
}

/* NULL: it was answered that there is none. */
static SUSPENDS const struct route *
find_route(struct http_exchange *x, struct api_call *c)
{
    struct str segments[API_SEGMENTS_MAX + 1];
    AUTO_BUF others = BUF(ALLOW_BYTES);
    size_t n = 0;

    enum status e = http_path_split(x->head->path, x->arena, segments, COUNT_OF(segments), &n);
    if (e == ERR_SYNTAX) {
        api_problem(x, 400, "syntax", STR("There is a wrong escape in the path"));
        return NULL;
    }
    if (e != OK || n < 2 || !str_eq(segments[0], STR("v1"))) {
        api_problem(x, 404, "not-found", STR("There is no such resource; all are below /v1"));
        return NULL;
    }
    c->depth = n - 1;
    for (size_t i = 0; i < c->depth; i++)
        c->at[i] = segments[i + 1];
    for (size_t i = 0; i < COUNT_OF(routes); i++) {
        if (!matches(routes[i].pattern, c->at, c->depth))
            continue;
        if (is_method(x->head, routes[i].method))
            return query_is_known(x, &routes[i]) ? &routes[i] : NULL;
        if (others.len > 0)
            buf_add_z(&others, ", ");
        buf_add_z(&others, routes[i].method);
    }
    if (others.len == 0) {
        api_problem(x, 404, "not-found", STR("There is no such resource"));
        return NULL;
    }
    http_header(x, "Allow", buf_str(&others));
    api_problem(x, 405, "denied", STR("This resource does not know this method"));
    return NULL;
}
