/* live.c - what is now: sessions, blocks, the server itself.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"
#include "base/scan.h"
#include "base/size.h"
#include "rt/clock.h"

enum { PAGE_BYTES = 8 << 20, RELOAD_WAIT_MS = 15000, RELOAD_LOOK_MS = 50 };

/* ---- sessions ---- */

/* "INCARNATION.NUMBER" of the last one of a page. */
static bool
read_after(struct str word, struct admin_sessions *req)
{
    struct scan s = scan_of(word);

    return word.len == 0 ||
           (scan_u64(&s, UINT64_MAX, &req->after_incarnation) && scan_char(&s, '.') &&
            scan_u64(&s, UINT64_MAX, &req->after_number) && scan_at_end(&s));
}

static SUSPENDS void
list_sessions(struct api_call *c, struct admin_sessions *req, uint64_t limit)
{
    json_t *all = json_array();
    json_t *j = json_pack("{s:o}", "sessions", all);
    uint64_t n = 0;
    bool more = true;

    while (more && n < limit) {
        AUTO_ARENA *page = arena_new(PAGE_BYTES);
        struct admin_sessions_reply rep;
        enum status e = admin_sessions_call(api_world->store, req, page, &rep);
        if (e != OK) {
            json_decref(j);
            api_fail(c, e);
            return;
        }
        more = rep.more;
        for (size_t i = 0; i < rep.sessions_count; i++) {
            if (n++ == limit) {
                more = true;
                break;
            }
            json_array_append_new(all, view_session(&rep.sessions[i]));
            req->after_incarnation = rep.sessions[i].incarnation;
            req->after_number = rep.sessions[i].number;
        }
        if (rep.sessions_count == 0)
            more = false;
    }
    if (more)
        json_object_set_new(
            j, "next",
            view_str(arena_printf(c->a, "%llu.%llu", (unsigned long long)req->after_incarnation,
                                  (unsigned long long)req->after_number)));
    api_json(c, 200, j);
}

SUSPENDS void
api_sessions(struct api_call *c)
{
    struct admin_sessions req = {0};
    struct str after;
    uint64_t limit;

    if (!api_limit(c, &limit) || !api_query(c, "after", &after))
        return;
    if (!read_after(after, &req))
        api_problem(c->x, 422, "syntax", STR("\"after\" is the \"next\" of a page before"));
    else
        list_sessions(c, &req, limit);
}

SUSPENDS void
api_account_sessions(struct api_call *c)
{
    struct admin_sessions req = {.only = api_address(c, c->at[1])};

    list_sessions(c, &req, UINT64_MAX);
}

static SUSPENDS void
kick(struct api_call *c, const struct admin_kick *req)
{
    struct admin_kick_reply rep;
    enum status e = admin_kick_call(api_world->store, req, c->a, &rep);

    if (e != OK)
        api_fail(c, e);
    else
        api_json(c, 200, json_pack("{s:i}", "sessions", (int)rep.count));
}

SUSPENDS void
api_account_kick(struct api_call *c)
{
    struct admin_kick req = {.address = api_address(c, c->at[1])};

    kick(c, &req);
}

/* As it is listed: worker "." number. */
SUSPENDS void
api_session_end(struct api_call *c)
{
    struct admin_kick req = {.address = STR("")};
    struct scan s = scan_of(c->at[1]);
    uint32_t worker;

    if (!scan_u32(&s, UINT32_MAX, &worker) || !scan_char(&s, '.') ||
        !scan_u64(&s, UINT64_MAX, &req.number) || !scan_at_end(&s) || req.number == 0) {
        api_problem(c->x, 404, "not-found", STR("There is no such session"));
        return;
    }
    req.worker = worker;
    kick(c, &req);
}

/* ---- blocks ---- */

SUSPENDS void
api_blocks(struct api_call *c)
{
    struct admin_blocks req = {0};
    struct admin_blocks_reply rep;
    enum status e = admin_blocks_call(api_world->store, &req, c->a, &rep);

    if (e != OK) {
        api_fail(c, e);
        return;
    }
    json_t *blocks = json_array(), *penalties = json_array();
    for (size_t i = 0; i < rep.blocks_count; i++)
        json_array_append_new(blocks, view_block(&rep.blocks[i]));
    for (size_t i = 0; i < rep.penalties_count; i++)
        json_array_append_new(penalties, view_penalty(&rep.penalties[i]));
    api_json(c, 200, json_pack("{s:o, s:o}", "blocks", blocks, "penalties", penalties));
}

SUSPENDS void
api_block_add(struct api_call *c)
{
    struct admin_block_add req = {.network = STR("")};
    struct admin_block_add_reply rep;
    const struct api_member members[] = {{"network", API_STR, &req.network, true},
                                         {"for_s", API_U64, &req.for_s, false}};

    if (!api_take(c, members, COUNT_OF(members)))
        return;
    enum status e = admin_block_add_call(api_world->store, &req, c->a, &rep);
    if (e != OK)
        api_fail(c, e);
    else
        api_json(c, 201, json_pack("{s:o}", "network", view_str(rep.network)));
}

SUSPENDS void
api_block_remove(struct api_call *c)
{
    struct admin_block_remove req = {.what = c->at[1]};
    struct admin_block_remove_reply rep;
    enum status e = admin_block_remove_call(api_world->store, &req, c->a, &rep);

    if (e != OK)
        api_fail(c, e);
    else
        api_json(
            c, 200,
            json_pack("{s:b, s:i}", "blocked", (int)rep.blocked, "forgiven", (int)rep.forgiven));
}

/* ---- the server ---- */

SUSPENDS void
api_status(struct api_call *c)
{
    struct admin_status req = {0};
    struct admin_status_reply rep;
    enum status e = admin_status_call(api_world->store, &req, c->a, &rep);

    if (e != OK)
        api_fail(c, e);
    else
        api_json(c, 200, view_status(&rep));
}

SUSPENDS void
api_stats(struct api_call *c)
{
    struct admin_stats req = {0};
    struct admin_stats_reply rep;
    enum status e = admin_stats_call(api_world->store, &req, c->a, &rep);

    if (e != OK)
        api_fail(c, e);
    else
        api_json(c, 200, view_stats(&rep));
}

static SUSPENDS enum status
wait_for_reload(uint32_t before, struct arena *a, struct admin_status_reply *rep)
{
    int64_t end_ms = clock_mono_ms() + RELOAD_WAIT_MS;
    struct admin_status req = {0};

    do {
        TRY(fiber_sleep(RELOAD_LOOK_MS));
        arena_reset(a);
        TRY(admin_status_call(api_world->store, &req, a, rep));
    } while (rep->reloads == before && clock_mono_ms() < end_ms);
    return rep->reloads == before ? ERR_TIMEOUT : OK;
}

/* 200 whether it was taken or not: "taken" says so, and nothing is broken. */
SUSPENDS void
api_reload(struct api_call *c)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct admin_status req = {0};
    struct admin_status_reply rep;

    enum status e = admin_status_call(api_world->store, &req, a, &rep);
    if (e == OK) {
        api_world->reload();
        e = wait_for_reload(rep.reloads, a, &rep);
    }
    if (e == ERR_TIMEOUT)
        api_problem(c->x, 503, "timeout",
                    STR("The server was told and does not say what came of it"));
    else if (e != OK)
        api_fail(c, e);
    else
        api_json(c, 200, view_reload(&rep));
}
