/* dkim.c - the DKIM keys of the domains here: role keys makes them, role out looks for their records in DNS.
 *
 * A key signs once its record was seen: a signature whose key nobody can find is "permerror" to whoever gets the mail,
 * and a reason to distrust it.  Nobody has to say that a record is set; keys that wait are looked for every hour, and
 * all of them once a day.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/store/dkim.h"

#include "base/size.h"
#include "ipc/keys_ipc.h"
#include "ipc/out_ipc.h"
#include "mail/domain.h"
#include "policy/dkim.h"
#include "policy/public_key.h"
#include "role/keys/dkim_ring.h"
#include "rt/clock.h"

enum { PAGE = 64, ROUND_ARENA = 1 << 20, LOOK_ARENA = 1 << 19, KEY_ARENA = 65536 };
#define DAY_US INT64_C(86400000000)

static struct {
    bool looking;
    int64_t all_next_us; /* all are looked for then */
} clock_work;            /* one store a process */

FIBER_ENTRY static void look_round(void *arg);
SUSPENDS static enum status note_key(struct store *s, struct str domain,
                                     const struct store_dkim *d);
static bool is_published(const struct out_text_answer *t, struct str record);

enum status
store_dkim_keys(struct store *s, struct str domain, bool next, struct arena *a,
                struct store_dkim *out)
{
    const struct keys_dkim_make req = {.domain = domain, .next = next};
    struct keys_dkim_make_reply rep;

    TRY(keys_dkim_make_call(store_peer_of(s, ROLE_KEYS), &req, a, &rep));
    *out = (struct store_dkim){.keys = rep.keys, .count = rep.keys_count};
    return note_key(s, domain, out);
}

/* The directory has the name of the key that signs for those who list domains. */
SUSPENDS static enum status
note_key(struct store *s, struct str domain, const struct store_dkim *d)
{
    for (size_t i = 0; i < d->count; i++) {
        const struct keys_dkim_key *k = &d->keys[i];
        if (k->algorithm == RING_RSA && k->state == RING_SIGNS)
            return directory_domain_dkim(s->directory, domain, k->selector, k->record);
    }
    return OK;
}

/* ---- in DNS ---- */

SUSPENDS static enum status
ask(struct store *s, struct str domain, const struct store_dkim *of, struct arena *a,
    struct out_texts_reply *rep)
{
    struct str *names = ARENA_ARRAY(a, struct str, of->count + 1);
    struct ipc_peer *out = store_peer_of(s, ROLE_OUT);

    for (size_t i = 0; i < of->count; i++)
        names[i] =
            arena_printf(a, "%.*s._domainkey.%.*s", STR_FMT(of->keys[i].selector), STR_FMT(domain));
    const struct out_texts req = {.names = names, .names_count = of->count};
    TRY(out_texts_call(out, &req, a, rep));
    return rep->answers_count == of->count ? OK : ERR_TEMP;
}

enum status
store_dkim_look(struct store *s, struct str domain, struct arena *a, struct store_dkim *out)
{
    AUTO_ARENA *own = arena_new(LOOK_ARENA);
    struct out_texts_reply found;
    struct keys_dkim_seen_reply rep;
    struct str there[LIMIT_DKIM_KEYS], absent[LIMIT_DKIM_KEYS];
    struct keys_dkim_seen req = {.domain = domain, .there = there, .absent = absent};

    out->looked = ask(s, domain, out, own, &found) == OK;
    for (size_t i = 0; out->looked && i < out->count; i++) {
        const struct keys_dkim_key *k = &out->keys[i];
        const struct out_text_answer *t = &found.answers[i];
        if (t->found == KEY_UNKNOWN)
            out->looked = false;
        else if (t->found == KEY_FOUND && (k->state == RING_OLD || is_published(t, k->record)))
            there[req.there_count++] = k->selector;
        else
            absent[req.absent_count++] = k->selector;
    }
    if (req.there_count + req.absent_count == 0)
        return OK;
    TRY(keys_dkim_seen_call(store_peer_of(s, ROLE_KEYS), &req, a, &rep));
    out->keys = rep.keys;
    out->count = rep.keys_count;
    return note_key(s, domain, out);
}

/* It is the only key there: of several, who verifies may take any (RFC 6376 section 3.6.2.2). */
static bool
is_published(const struct out_text_answer *t, struct str record)
{
    AUTO_ARENA *a = arena_new(KEY_ARENA);

    return t->texts_count == 1 && public_key_same(t->texts[0], record, a);
}

/* ---- by the clock ---- */

static bool
is_due(const struct store_dkim *d, bool all)
{
    bool due = all;

    for (size_t i = 0; i < d->count; i++)
        due = due || d->keys[i].state == RING_WAITS;
    return due;
}

SUSPENDS static enum status
look_at(struct store *s, struct str domain, bool all)
{
    AUTO_ARENA *a = arena_new(ROUND_ARENA);
    struct store_dkim d;

    TRY(store_dkim_keys(s, domain, false, a, &d));
    return is_due(&d, all) ? store_dkim_look(s, domain, a, &d) : OK;
}

/* What fails is tried in the next round: role keys or out may be started again just now. */
FIBER_ENTRY static void
look_round(void *arg)
{
    struct store *s = arg;
    AUTO_BUF after = BUF(DOMAIN_MAX);
    bool all = clock_now().us >= clock_work.all_next_us, more = true;

    if (all)
        clock_work.all_next_us = clock_now().us + DAY_US;
    while (more && !s->stopping) {
        AUTO_ARENA *a = arena_new(ROUND_ARENA);
        const struct directory_page page = {.after = buf_str(&after), .max = PAGE, .a = a};
        const struct directory_domain *list;
        size_t n = 0;
        more =
            store_checked(s, directory_domains(s->directory, &page, &list, &n), "domains") == OK &&
            n == PAGE;
        for (size_t i = 0; i < n && !s->stopping; i++) {
            enum status st = look_at(s, list[i].name, all);
            more = more && st != ERR_CANCELLED;
        }
        if (n > 0) {
            buf_reset(&after);
            buf_add(&after, list[n - 1].name);
        }
    }
    clock_work.looking = false;
    s->fibers--;
}

void
store_dkim_round(struct store *s)
{
    if (clock_work.looking || store_peer_of(s, ROLE_OUT) == NULL || fiber_go(look_round, s) != OK)
        return;
    clock_work.looking = true;
    s->fibers++;
}
