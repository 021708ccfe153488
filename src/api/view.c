/* view.c - accounts, domains, aliases, sessions and blocks as JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/view.h"

#include <stdio.h>

#include "base/encode.h"
#include "base/limits.h"
#include "base/scan.h"
#include "base/size.h"
#include "base/time.h"
#include "rt/clock.h"
#include "setup/records.h"
#include "store/quota.h"

#define DAY_US INT64_C(86400000000)
enum { REPLACEMENT = 0xfffd, REPLACEMENT_BYTES = 3 };

const char *const view_app_protocols[3] = {"imap", "pop3", "submission"};
const char *const view_protocols[4] = {"imap", "pop3", "submission", "web"};
const char *const view_penalty_kinds[4] = {"address", "network", "account", "device"};

/* C0 and DEL, and C1, which some terminals obey as well. */
static bool
is_control(uint32_t code_point)
{
    return code_point < ' ' || (code_point >= 0x7f && code_point < 0xa0);
}

void
view_clean(struct buf *b, struct str s, bool controls)
{
    struct scan in = scan_of(s);
    uint32_t code_point;

    while (!scan_at_end(&in)) {
        if (!scan_utf8(&in, &code_point)) {
            in.pos++;
            code_point = REPLACEMENT;
        }
        if (!controls && is_control(code_point))
            buf_add_char(b, '?');
        else
            buf_add_utf8(b, code_point);
    }
}

json_t *
view_str(struct str s)
{
    AUTO_BUF b = BUF(REPLACEMENT_BYTES * s.len + 1);

    view_clean(&b, s, true);
    return json_stringn(b.ptr != NULL ? b.ptr : "", b.len);
}

json_t *
view_strings(const struct str *list, size_t n)
{
    json_t *all = json_array();

    for (size_t i = 0; i < n; i++)
        json_array_append_new(all, view_str(list[i]));
    return all;
}

json_t *
view_account(const struct admin_account *a)
{
    json_t *j = json_pack(
        "{s:o, s:I, s:I, s:I, s:b, s:b, s:b, s:o, s:b, s:o}", "address", view_str(a->address),
        "bytes", (json_int_t)a->bytes, "messages", (json_int_t)a->messages, "quota_bytes",
        (json_int_t)a->quota_bytes, "disabled", (int)a->disabled, "suspended", (int)a->suspended,
        "has_password", (int)a->has_password, "forward", view_strings(a->forward, a->forward_count),
        "keep", (int)a->keep, "send_as", view_strings(a->send_as, a->send_as_count));

    if (a->quota_bytes != 0)
        json_object_set_new(j, "quota_percent",
                            json_integer((json_int_t)quota_percent(a->bytes, a->quota_bytes)));
    if (a->full_since != 0)
        json_object_set_new(j, "full_since_us", json_integer((json_int_t)a->full_since));
    if (a->invited_until != 0)
        json_object_set_new(j, "invited_until_us", json_integer((json_int_t)a->invited_until));
    return j;
}

json_t *
view_deleted(const struct admin_deleted *d)
{
    return json_pack("{s:o, s:I, s:I, s:I, s:I}", "address", view_str(d->address), "bytes",
                     (json_int_t)d->bytes, "messages", (json_int_t)d->messages, "quota_bytes",
                     (json_int_t)d->quota_bytes, "ends", (json_int_t)d->ends);
}

json_t *
view_domain(const struct admin_domain *d)
{
    return json_pack("{s:o, s:i, s:o, s:o}", "name", view_str(d->name), "accounts",
                     (int)d->accounts, "selector", view_str(d->selector), "dkim_record",
                     view_str(d->dkim_record));
}

const char *const view_dkim_algorithms[] = {"rsa", "ed25519"};
const char *const view_dkim_states[] = {"waits", "signs", "old"};
static_assert(COUNT_OF(view_dkim_algorithms) == ADMIN_DKIM_KEY_ALGORITHM_MAX + 1 &&
                  COUNT_OF(view_dkim_states) == ADMIN_DKIM_KEY_STATE_MAX + 1 &&
                  (int)RECORDS_KEY_OLD == ADMIN_DKIM_KEY_STATE_MAX,
              "all have names");

#define DAY_S INT64_C(86400)

/* Whoever got mail that it signed has looked at the signature by then. */
static int64_t
needed_until(const struct admin_dkim_key *k)
{
    return k->since + LIMIT_DKIM_OLD_DAYS * DAY_S;
}

json_t *
view_dkim_keys(const struct admin_domain_keys_reply *r)
{
    json_t *all = json_array();

    for (size_t i = 0; i < r->keys_count; i++) {
        const struct admin_dkim_key *k = &r->keys[i];
        json_t *j = json_pack("{s:o, s:s, s:s, s:b, s:I, s:o}", "selector", view_str(k->selector),
                              "algorithm", view_dkim_algorithms[k->algorithm], "state",
                              view_dkim_states[k->state], "published", (int)k->seen, "since",
                              (json_int_t)k->since * 1000000, "record", view_str(k->record));
        if (k->state == RECORDS_KEY_OLD)
            json_object_set_new(j, "removable", json_integer(needed_until(k) * 1000000));
        json_array_append_new(all, j);
    }
    return all;
}

static bool
has_signer(const struct admin_domain_keys_reply *r, uint8_t algorithm)
{
    for (size_t i = 0; i < r->keys_count; i++)
        if (r->keys[i].algorithm == algorithm && r->keys[i].state == RECORDS_KEY_SIGNS)
            return true;
    return false;
}

void
view_records_keys(const struct admin_domain_keys_reply *r, struct arena *a,
                  struct records_domain *out)
{
    struct records_key *list = ARENA_ARRAY(a, struct records_key, r->keys_count + 1);

    for (size_t i = 0; i < r->keys_count; i++) {
        const struct admin_dkim_key *k = &r->keys[i];
        int64_t until = needed_until(k);
        struct civil c = civil_from_unix(until);
        list[i] = (struct records_key){
            .selector = k->selector,
            .record = k->record,
            .state = (enum records_key_state)k->state, /* enum<2> */
            .first = k->state == RECORDS_KEY_WAITS && !has_signer(r, k->algorithm),
            .may_go = until <= clock_now().us / 1000000,
            .until = arena_printf(a, "%04d-%02d-%02d", c.year, c.month, c.day),
        };
    }
    out->keys = list;
    out->key_count = r->keys_count;
}

json_t *
view_alias(const struct admin_alias *a)
{
    return json_pack("{s:o, s:o}", "address", view_str(a->address), "targets",
                     view_strings(a->targets, a->targets_count));
}

json_t *
view_app_password(const struct admin_app_password *p)
{
    json_t *list = json_array();

    for (size_t i = 0; i < COUNT_OF(view_app_protocols); i++) {
        if ((p->protocols >> i & 1u) != 0)
            json_array_append_new(list, json_string(view_app_protocols[i]));
    }
    return json_pack("{s:o, s:o, s:I, s:I, s:I}", "name", view_str(p->name), "protocols", list,
                     "created_us", (json_int_t)p->created, "expires_us", (json_int_t)p->expires,
                     "used_us", (json_int_t)p->used_day * DAY_US);
}

json_t *
view_session(const struct admin_session *s)
{
    char name[48];

    snprintf(name, sizeof(name), "%u.%llu", s->worker, (unsigned long long)s->number);
    return json_pack("{s:s, s:o, s:s, s:o, s:I, s:I, s:o, s:o}", "session", name, "account",
                     view_str(s->address), "protocol", view_protocols[s->protocol & 3], "peer",
                     view_str(s->peer), "since", (json_int_t)s->since, "asked",
                     (json_int_t)s->asked, "tls",
                     s->tls_version.len > 0 ? view_str(s->tls_version) : json_null(), "app",
                     s->app.len > 0 ? view_str(s->app) : json_null());
}

json_t *
view_block(const struct admin_block *b)
{
    return json_pack("{s:o, s:I, s:I}", "network", view_str(b->network), "since_us",
                     (json_int_t)b->since, "until_us", (json_int_t)b->until);
}

json_t *
view_penalty(const struct admin_penalty *p)
{
    return json_pack("{s:s, s:o, s:s, s:i, s:i, s:i}", "kind", view_penalty_kinds[p->kind & 3],
                     "what", view_str(p->what), "reason", "wrong log-ins", "wrong", (int)p->wrong,
                     "next_s", (int)p->next_s, "ends_s", (int)p->ends_s);
}
