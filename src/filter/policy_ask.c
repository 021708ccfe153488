/* policy_ask.c - one question to a policy server, and its answer.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "filter/link.h"
#include "filter/policy.h"

enum { REQUEST_MAX = 16384, SHOWN_MAX = 80 };

/* Lines up to the empty one; of several actions the first. */
static SUSPENDS enum status
read_answer(struct link *l, int64_t until_ms, struct arena *a, struct str *out)
{
    const struct str key = STR("action=");
    struct str line;

    *out = STR_NONE;
    for (int i = 0; i < LIMIT_POLICY_LINES; i++) {
        TRY(link_line(l, until_ms, &line));
        if (line.len == 0)
            return out->ptr != NULL ? OK : ERR_SYNTAX;
        if (out->ptr == NULL && str_starts(line, key))
            *out = arena_str(a, str_skip(line, key.len));
    }
    return ERR_SYNTAX; /* too many of them */
}

static SUSPENDS enum status
ask_on(struct link *l, struct str request, int64_t until_ms, struct arena *a, struct str *out)
{
    TRY(link_write(l, request));
    return read_answer(l, until_ms, a, out);
}

static SUSPENDS enum status
ask(const struct config_filter *f, struct str request, struct arena *a, struct str *out)
{
    for (bool fresh = false;; fresh = true) {
        AUTO(link_drop) struct link *l = NULL;
        TRY(link_take(f, fresh, &l));
        enum status st = ask_on(l, request, link_until(f, 1), a, out);
        if (st == OK) {
            link_keep(&l);
            return OK;
        }
        /* Servers close what they have not heard from for long; what came meanwhile was no answer. */
        if (st != ERR_CLOSED || !link_was_kept(l) || fresh)
            return st;
    }
}

enum status
policy_ask(const struct config_filter *f, const struct policy_request *r, struct arena *a,
           struct policy_action *out, const char **why)
{
    AUTO_BUF request = BUF(REQUEST_MAX);
    struct str value;

    policy_request_write(&request, r);
    enum status st = buf_status(&request);
    if (st == OK)
        st = ask(f, buf_str(&request), a, &value);
    if (st != OK) {
        *why = link_words(st);
        return st;
    }
    st = policy_action_read(value, a, out);
    if (st == OK)
        return OK;
    *why = arena_printf(a, "unknown action: %.*s", STR_FMT(str_sub(value, 0, SHOWN_MAX))).ptr;
    return ERR_NOT_FOUND;
}
