/* arc_seal.c - see arc_seal.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/arc_seal.h"

#include "base/encode.h"
#include "base/size.h"
#include "policy/auth_results.h"
#include "policy/body_hash.h"
#include "policy/dkim_internal.h"

enum { FOLD_AT = 76, DKIM_NAMED_MAX = 10, RESULTS_ARENA = 262144 };

/* ---- what the message says ---- */

/* The first field, if it is ours; *arc_out: what it says of the chain, empty when nothing. */
static bool
read_results(struct str header, struct str authserv_id, struct arena *a, struct str *results_out,
             struct str *arc_out)
{
    AUTO_ARENA *own = arena_new(RESULTS_ARENA);
    struct header_cursor c = header_cursor_of(header);
    struct header_field f;
    struct auth_reader r;
    struct auth_result one;
    enum status e;

    if (!header_next(&c, &f) || !str_eq_nocase(f.name, STR(AUTH_RESULTS_FIELD)) ||
        !auth_results_claims(f.value, authserv_id) ||
        auth_results_open(f.value, false, own, &r) != OK)
        return false;
    *arc_out = STR("");
    while ((e = auth_results_next(&r, &one)) == OK)
        if (str_eq_nocase(one.method, STR("arc")))
            *arc_out = arena_str(a, one.result);
    *results_out = str_trim(f.value);
    return e == ERR_NOT_FOUND && results_out->len <= ARC_RESULTS_MAX &&
           arc_results_fit(*results_out);
}

/* The set that is to follow, by the verdict that was recorded when the message came. */
static bool
choose(const struct dkim *d, struct str arc, struct arena *a, struct arc_to_seal *out)
{
    bool failed = false;
    uint32_t highest = arc_highest(d, a, &failed);

    if (failed || highest >= LIMIT_ARC_SETS || d->fields.cut)
        return false;
    if (d->chain.count == 0 && (arc.len == 0 || str_eq_nocase(arc, STR("none"))))
        out->chain = SIG_CHAIN_NONE;
    else if (str_eq_nocase(arc, STR("pass")) && arc_sets(d) > 0)
        out->chain = SIG_CHAIN_PASS;
    else if (str_eq_nocase(arc, STR("fail")) && d->chain.count > 0)
        out->chain = SIG_CHAIN_FAIL;
    else
        return false;
    out->instance = highest + 1;
    return true;
}

static struct str
sets_of(const struct dkim *d, struct arena *a)
{
    AUTO_BUF b = BUF(ARC_SETS_MAX);

    for (uint32_t i = 0; i < d->chain.count; i++) {
        const struct arc_set *set = &d->chain.sets[i];
        canon_header(&b, CANON_RELAXED, d->fields.at[set->results_at].whole);
        canon_header(&b, CANON_RELAXED, d->fields.at[set->message.sig.at].whole);
        canon_header(&b, CANON_RELAXED, d->fields.at[set->seal.sig.at].whole);
    }
    return buf_status(&b) == OK ? arena_str(a, buf_str(&b)) : STR_NONE;
}

/* RFC 8617 section 4.1.2: what DKIM signs, and the DKIM signatures; never fields of ARC. */
static bool
find_signed(struct str header, struct arena *a, struct arc_to_seal *out)
{
    AUTO_BUF names = BUF(ARC_NAMES_MAX);
    AUTO_BUF headers = BUF(ARC_HEADERS_MAX);
    struct header_cursor c = header_cursor_of(header);
    struct header_field f;

    dkim_names_write(header, a, &names);
    for (int n = 0; n < DKIM_NAMED_MAX && header_next_named(&c, STR("dkim-signature"), &f); n++)
        buf_add_z(&names, ":dkim-signature");
    dkim_header_input(header, buf_str(&names), STR_NONE, &headers);
    if (buf_status(&names) != OK || buf_status(&headers) != OK)
        return false;
    out->names = arena_str(a, buf_str(&names));
    out->headers = arena_str(a, buf_str(&headers));
    return true;
}

void
arc_to_seal(struct str message, struct str authserv_id, struct arena *a, struct arc_to_seal *out)
{
    size_t len = header_block_len(message);
    struct str header = str_sub(message, 0, len), arc;
    struct arc_to_seal found = {0};
    unsigned char digest[SIG_DIGEST];

    ASSERT(out != NULL);
    *out = found;
    if (!read_results(header, authserv_id, a, &found.results, &arc))
        return;
    AUTO(dkim_free) struct dkim *d = dkim_new(header, SIG_RULES_NOW, a);
    if (!choose(d, arc, a, &found) || !find_signed(header, a, &found))
        return;
    body_hash_relaxed(str_skip(message, len), digest);
    if (found.chain == SIG_CHAIN_PASS) {
        found.sets = sets_of(d, a);
        if (found.sets.ptr == NULL)
            return;
    }
    found.body_hash = arena_str(a, str_from((const char *)digest, sizeof(digest)));
    *out = found;
}

/* ---- texts ---- */

bool
arc_results_fit(struct str results)
{
    for (size_t i = 0; i < results.len; i++) {
        char c = results.ptr[i];
        if (c == '\r') {
            if (results.len - i < 3 || results.ptr[i + 1] != '\n' ||
                !ascii_is_space(results.ptr[i + 2]) || results.ptr[i + 2] == '\r' ||
                results.ptr[i + 2] == '\n')
                return false;
            i++;
        } else if (((unsigned char)c < 0x20 && c != '\t') || c == 0x7f) {
            return false;
        }
    }
    return results.len > 0;
}

void
arc_results_write(struct buf *b, uint32_t instance, struct str results)
{
    buf_addf(b, ARC_AUTH_RESULTS_FIELD ": i=%u; ", instance);
    buf_add(b, results);
    buf_add_z(b, "\r\n");
}

/* What both fields have. */
static void
begin(struct buf *b, const struct arc_sealing *s, const char *name, const char *more)
{
    ASSERT(s->instance > 0 && s->instance <= LIMIT_ARC_SETS);
    ASSERT(s->domain.len > 0 && s->selector.len > 0);
    buf_addf(b, "%s: i=%u; a=%.*s; t=%lld; %s;", name, s->instance, STR_FMT(s->algorithm),
             (long long)(s->time.us / 1000000), more);
    buf_addf(b, "\r\n\td=%.*s; s=%.*s;", STR_FMT(s->domain), STR_FMT(s->selector));
}

void
arc_message_write(struct buf *b, const struct arc_sealing *s, struct str names,
                  struct str body_hash)
{
    struct str rest = names, name = STR_NONE;
    size_t line;

    begin(b, s, "ARC-Message-Signature", "c=relaxed/relaxed");
    line = b->len + 2;
    buf_add_z(b, "\r\n\th=");
    for (bool first = true; str_split(&rest, ':', &name); first = false) {
        if (!first)
            buf_add_char(b, ':');
        if (b->len - line + name.len + 1 > FOLD_AT) {
            line = b->len + 2;
            buf_add_z(b, "\r\n\t ");
        }
        buf_add(b, name);
    }
    buf_add_z(b, ";\r\n\tbh=");
    buf_add_base64(b, body_hash);
    buf_add_z(b, ";\r\n\tb=");
}

void
arc_seal_write(struct buf *b, const struct arc_sealing *s)
{
    static const char *const chains[] = {
        [SIG_CHAIN_NONE] = "cv=none", [SIG_CHAIN_FAIL] = "cv=fail", [SIG_CHAIN_PASS] = "cv=pass"};

    begin(b, s, "ARC-Seal", chains[s->chain]);
    buf_add_z(b, "\r\n\tb=");
}

/* Section 5.1.1: every set from the first; section 5.1.2: only the new one when the chain failed. */
void
arc_seal_input(const struct arc_sealing *s, const struct arc_new_set *set, struct buf *out)
{
    if (s->chain == SIG_CHAIN_PASS)
        buf_add(out, set->sets);
    canon_header(out, CANON_RELAXED, set->results);
    canon_header(out, CANON_RELAXED, set->message);
}
