/* signature.c - see signature.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/signature.h"

#include "base/encode.h"
#include "base/size.h"
#include "mail/domain.h"

enum {
    KIND_DKIM = 1 << SIG_DKIM,
    KIND_MESSAGE = 1 << SIG_ARC_MESSAGE,
    KIND_SEAL = 1 << SIG_ARC_SEAL,
    KIND_ALL = KIND_DKIM | KIND_MESSAGE | KIND_SEAL,
};

struct work {
    const struct tag_list *tags;
    enum sig_rules rules;
    struct arena *a;
    struct sig *out;
};

/* What has to be there: RFC 6376 section 3.5, RFC 8617 sections 4.1.2 and 4.1.3. */
static const struct {
    struct str name;
    unsigned kinds;
    const char *missing;
} required[] = {
    {{"a", 1}, KIND_ALL, "no a= tag"},
    {{"b", 1}, KIND_ALL, "no b= tag"},
    {{"bh", 2}, KIND_DKIM | KIND_MESSAGE, "no bh= tag"},
    {{"d", 1}, KIND_ALL, "no d= tag"},
    {{"h", 1}, KIND_DKIM | KIND_MESSAGE, "no h= tag"},
    {{"s", 1}, KIND_ALL, "no s= tag"},
    {{"i", 1}, KIND_MESSAGE | KIND_SEAL, "no i= tag"},
    {{"cv", 2}, KIND_SEAL, "no cv= tag"},
};

static const struct {
    struct str name;
    enum sig_cipher cipher;
    bool sha1;
} algorithms[] = {
    {{"rsa-sha256", 10}, SIG_RSA, false},
    {{"ed25519-sha256", 14}, SIG_ED25519, false},
    {{"rsa-sha1", 8}, SIG_RSA, true},
};

const char *
sig_algorithm(const struct sig *s)
{
    if (s->cipher == SIG_ED25519)
        return "ed25519-sha256";
    return s->sha1 ? "rsa-sha1" : "rsa-sha256";
}

/* ---- the tags; each gives NULL, or what is wrong ---- */

static const char *
read_required(const struct work *w)
{
    const struct tag *v = tags_find(w->tags, STR("v"));
    unsigned kind = 1u << w->out->kind;

    if (w->out->kind == SIG_DKIM && w->rules == SIG_RULES_NOW &&
        (v == NULL || !str_eq(v->value, STR("1"))))
        return v == NULL ? "no v= tag" : "another version";
    if (w->out->kind == SIG_DKIM && v != NULL && !str_eq(v->value, STR("1")) &&
        !str_eq(v->value, STR("0.5")))
        return "another version";
    for (size_t i = 0; i < COUNT_OF(required); i++)
        if ((required[i].kinds & kind) != 0 && tags_find(w->tags, required[i].name) == NULL)
            return required[i].missing;
    /* RFC 8617 section 4.1.3: a seal signs no fields of others and no body. */
    if (w->out->kind == SIG_ARC_SEAL &&
        (tags_find(w->tags, STR("h")) != NULL || tags_find(w->tags, STR("bh")) != NULL))
        return "a seal with h= or bh=";
    return NULL;
}

static const char *
read_algorithm(const struct work *w)
{
    struct str a = tags_value(w->tags, STR("a"));

    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        if (!str_eq(a, algorithms[i].name))
            continue;
        w->out->cipher = algorithms[i].cipher;
        w->out->sha1 = algorithms[i].sha1;
        /* RFC 8301 section 3.1 */
        return w->out->sha1 && w->rules == SIG_RULES_NOW ? "rsa-sha1 is not safe" : NULL;
    }
    return "unknown algorithm";
}

static bool
canon_of(struct str name, enum canon_kind *out)
{
    if (!str_eq(name, STR("simple")) && !str_eq(name, STR("relaxed")))
        return false;
    *out = name.ptr[0] == 's' ? CANON_SIMPLE : CANON_RELAXED;
    return true;
}

/* sig-c-tag-alg ["/" sig-c-tag-alg]; the body's is simple when absent.  A seal is always relaxed.  Without c=
 * DKIM is simple; sealers of ARC that leave it out mean relaxed, as the suite of ARC has it. */
static const char *
read_canon(const struct work *w)
{
    const struct tag *c = tags_find(w->tags, STR("c"));
    struct str header, body;

    w->out->header_canon = w->out->kind == SIG_DKIM ? CANON_SIMPLE : CANON_RELAXED;
    w->out->body_canon = w->out->kind == SIG_DKIM ? CANON_SIMPLE : CANON_RELAXED;
    if (c == NULL || w->out->kind == SIG_ARC_SEAL)
        return NULL;
    body = c->value;
    w->out->body_canon = CANON_SIMPLE;
    (void)str_split(&body, '/', &header);
    if (!canon_of(header, &w->out->header_canon) ||
        (body.ptr != NULL && !canon_of(body, &w->out->body_canon)))
        return "unknown canonicalisation";
    return NULL;
}

static const char *
read_names(const struct work *w)
{
    AUTO_BUF name = BUF(1024);
    AUTO_BUF domain = BUF(DOMAIN_MAX);
    struct str d = tags_value(w->tags, STR("d")), s = tags_value(w->tags, STR("s"));

    if (domain_normalise(d, &domain) != OK)
        return "d= is no domain";
    w->out->domain = arena_str(w->a, buf_str(&domain));
    if (s.len == 0 || s.len > DOMAIN_MAX)
        return "s= is no selector";
    buf_add(&name, s);
    buf_add(&name, STR("._domainkey."));
    buf_add(&name, w->out->domain);
    buf_reset(&domain);
    if (buf_status(&name) != OK || domain_normalise(buf_str(&name), &domain) != OK)
        return "s= is no selector";
    w->out->key_name = arena_str(w->a, buf_str(&domain));
    size_t rest = STR("._domainkey.").len + w->out->domain.len;
    ASSERT(domain.len > rest);
    w->out->selector = str_sub(w->out->key_name, 0, domain.len - rest);
    return NULL;
}

/* dkim-quoted-printable (RFC 6376 section 2.11): "=" and two hexadecimal digits; white space does not count. */
static bool
decode_quoted(struct str text, struct buf *b)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.ptr[i];

        if (c == '=') {
            AUTO_BUF byte = BUF(1);
            if (text.len - i < 3 || hex_decode(str_sub(text, i + 1, 2), &byte) != OK)
                return false;
            buf_add(b, buf_str(&byte));
            i += 2;
        } else if (!ascii_is_space(c) && c != '\r' && c != '\n') {
            buf_add_char(b, c);
        }
    }
    return buf_status(b) == OK;
}

/* i= of DKIM = [ Local-part ] "@" domain-name, in d= or below it. */
static const char *
read_identity(const struct work *w)
{
    AUTO_BUF text = BUF(LIMIT_DKIM_IDENTITY_BYTES);
    AUTO_BUF domain = BUF(DOMAIN_MAX);
    const struct tag *i = tags_find(w->tags, STR("i"));
    struct str d = w->out->domain;

    if (i == NULL) {
        w->out->identity = arena_printf(w->a, "@%.*s", STR_FMT(d));
        return NULL;
    }
    if (!decode_quoted(i->value, &text))
        return "i= is no identity";
    ssize_t at = str_rfind(buf_str(&text), '@');
    if (at < 0 || domain_normalise(str_skip(buf_str(&text), (size_t)at + 1), &domain) != OK)
        return "i= is no identity";
    struct str named = buf_str(&domain);
    w->out->subdomain = !str_eq(named, d);
    if (w->out->subdomain &&
        (named.len <= d.len || named.ptr[named.len - d.len - 1] != '.' || !str_ends(named, d)))
        return "i= is not in d=";
    w->out->identity = arena_str(w->a, buf_str(&text));
    return NULL;
}

/* t= may lie in the future: clocks differ. */
static const char *
read_numbers(const struct work *w)
{
    const struct tag *t = tags_find(w->tags, STR("t")), *x = tags_find(w->tags, STR("x")),
                     *l = tags_find(w->tags, STR("l"));
    uint64_t made = 0, expires = 0;

    if (t != NULL && !tags_number(t->value, &made))
        return "t= is no time";
    if (w->out->kind == SIG_ARC_SEAL)
        return NULL;
    if (x != NULL && !tags_number(x->value, &expires))
        return "x= is no time";
    if (x != NULL && t != NULL && expires <= made)
        return "x= is not after t=";
    w->out->has_expiry = x != NULL;
    w->out->expires_s = (int64_t)expires; /* 12 digits */
    w->out->has_length = l != NULL;
    if (l != NULL && !tags_number(l->value, &w->out->length))
        return "l= is no length";
    return NULL;
}

/* h= = hdr-name *( [FWS] ":" [FWS] hdr-name ), with From in it (RFC 6376 section 5.4). */
static const char *
read_header_names(const struct work *w)
{
    struct str h = tags_value(w->tags, STR("h"));
    struct str rest = h, name = STR_NONE;
    bool dkim = w->out->kind == SIG_DKIM;

    while (dkim && tags_next_piece(&rest, &name))
        if (!header_name_ok(name))
            return "h= is no list of names";
    if (dkim && !tags_has_piece(h, STR("from")))
        return "From is not signed";
    /* RFC 8617 section 4.1.2 */
    if (!dkim && tags_has_piece(h, STR("arc-seal")))
        return "h= names ARC-Seal";
    w->out->names = h;
    return NULL;
}

static const char *
read_bytes(const struct work *w)
{
    AUTO_BUF b = BUF(LIMIT_DKIM_FIELD_BYTES);
    AUTO_BUF bh = BUF(LIMIT_DKIM_FIELD_BYTES);
    const struct tag *signature = tags_find(w->tags, STR("b"));
    size_t digest = w->out->sha1 ? 20 : SIG_DIGEST;

    if (tags_base64(signature->value, &b) != OK || b.len == 0)
        return "b= is no base64";
    w->out->bytes = arena_str(w->a, buf_str(&b));
    if (w->out->kind == SIG_ARC_SEAL)
        return NULL;
    if (tags_base64(tags_value(w->tags, STR("bh")), &bh) != OK || bh.len != digest)
        return "bh= is no hash";
    w->out->body_hash = arena_str(w->a, buf_str(&bh));
    return NULL;
}

/* q= is a list; dns/txt is all there is. */
static const char *
read_query(const struct work *w)
{
    const struct tag *q = tags_find(w->tags, STR("q"));

    if (q == NULL || tags_has_piece(q->value, STR("dns/txt")) ||
        (w->rules == SIG_RULES_OLD && tags_has_piece(q->value, STR("dns"))))
        return NULL;
    return "unknown way to the key";
}

/* i= of ARC: RFC 8617 section 4.2.1. */
static const char *
read_instance(const struct work *w)
{
    uint64_t n;

    if (!tags_number(tags_value(w->tags, STR("i")), &n) || n == 0 || n > LIMIT_ARC_SETS)
        return "i= is no instance";
    w->out->instance = (uint32_t)n;
    return NULL;
}

/* cv= of a seal */
static const char *
read_chain(const struct work *w)
{
    static const struct str words[] = {[SIG_CHAIN_NONE] = {"none", 4},
                                       [SIG_CHAIN_FAIL] = {"fail", 4},
                                       [SIG_CHAIN_PASS] = {"pass", 4}};
    struct str cv = tags_value(w->tags, STR("cv"));

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (str_eq(cv, words[i])) {
            w->out->chain = (enum sig_chain)i;
            return NULL;
        }
    }
    return "cv= is unknown";
}

/* Domain and instance come first, so that a report can name them whatever else is wrong. */
static const char *
read_tags(const struct work *w)
{
    const char *wrong = read_names(w);
    const char *no_instance = w->out->kind == SIG_DKIM ? NULL : read_instance(w);
    const char *missing = read_required(w);

    if (missing != NULL || no_instance != NULL)
        return missing != NULL ? missing : no_instance;
    if (wrong == NULL)
        wrong = read_algorithm(w);
    if (wrong == NULL && w->out->kind == SIG_DKIM)
        wrong = read_identity(w);
    if (wrong == NULL && w->out->kind == SIG_ARC_SEAL)
        wrong = read_chain(w);
    if (wrong == NULL)
        wrong = read_canon(w);
    if (wrong == NULL)
        wrong = read_numbers(w);
    if (wrong == NULL && w->out->kind != SIG_ARC_SEAL)
        wrong = read_header_names(w);
    if (wrong == NULL)
        wrong = read_query(w);
    return wrong != NULL ? wrong : read_bytes(w);
}

void
sig_parse(const struct field_table *t, uint32_t at, struct sig_form form, struct arena *a,
          struct sig *out)
{
    const struct header_field *f = &t->at[at];
    struct tag_list tags;
    struct work w = {.tags = &tags, .rules = form.rules, .a = a, .out = out};

    ASSERT(at < t->count);
    *out = (struct sig){.kind = form.kind, .at = at};
    if (f->whole.len > LIMIT_DKIM_FIELD_BYTES) {
        out->wrong = "the field is too long";
        return;
    }
    switch (tags_parse(f->value, &tags)) {
    case OK: break;
    case ERR_EXISTS: out->wrong = "a tag stands twice"; return;
    case ERR_LIMIT: out->wrong = "too many tags"; return;
    default: out->wrong = "syntax error"; return;
    }
    const struct tag *b = tags_find(&tags, STR("b"));
    if (b != NULL) {
        out->cut = b->raw;
        out->text = b->value;
    }
    out->wrong = read_tags(&w);
    if (out->wrong == NULL && t->cut)
        out->wrong = "the header is too long";
}

/* ---- what was signed ---- */

/* RFC 6376 section 5.4.2: names stand for fields from the bottom up; those beyond what is there stand for nothing.
 * The field itself is none of them: it was not there yet when its signer chose. */
void
sig_header_digest(const struct field_table *t, const struct sig *s,
                  unsigned char digest[SIG_DIGEST])
{
    struct field_hash h;
    struct str rest = s->names, name = STR_NONE;

    ASSERT(s->wrong == NULL && s->kind != SIG_ARC_SEAL);
    field_hash_init(&h, s->header_canon, s->sha1);
    field_table_take_none(t);
    while (tags_next_piece(&rest, &name)) {
        uint32_t i = field_table_take(t, name);
        if (i == s->at)
            i = field_table_take(t, name);
        if (i != FIELD_NONE)
            field_hash_add(&h, t->at[i].whole, STR_NONE, true);
    }
    field_hash_add(&h, t->at[s->at].whole, s->cut, false);
    field_hash_end(&h, digest);
}
