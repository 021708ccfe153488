/* spf_record.c - see spf_record.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/spf_record.h"

#include <arpa/inet.h>

#include "base/limits.h"
#include "base/scan.h"
#include "base/size.h"
#include "policy/spf_macro.h"

enum { SHOWN = 60 }; /* bytes of a term in what is said about it */

static const struct {
    struct str name;
    enum spf_mechanism mechanism;
    bool takes_domain, needs_value, takes_bits;
} mechanisms[] = {
    {STR("all"), SPF_ALL, false, false, false}, {STR("include"), SPF_INCLUDE, true, true, false},
    {STR("a"), SPF_A, true, false, true},       {STR("mx"), SPF_MX, true, false, true},
    {STR("ptr"), SPF_PTR, true, false, false},  {STR("ip4"), SPF_IP4, false, true, false},
    {STR("ip6"), SPF_IP6, false, true, false},  {STR("exists"), SPF_EXISTS, true, true, false},
};

const char *
spf_result_name(enum spf_result r)
{
    static const char *const names[] = {
        [SPF_NONE] = "none",           [SPF_NEUTRAL] = "neutral",   [SPF_PASS] = "pass",
        [SPF_FAIL] = "fail",           [SPF_SOFTFAIL] = "softfail", [SPF_TEMPERROR] = "temperror",
        [SPF_PERMERROR] = "permerror",
    };

    ASSERT(r < COUNT_OF(names));
    return names[r];
}

bool
spf_record_is(struct str text)
{
    return str_starts_nocase(text, STR("v=spf1")) && (text.len == 6 || text.ptr[6] == ' ');
}

/* ---- mechanisms ---- */

/* "/" and 1 to 3 digits without a zero before them, at the end of what is left: RFC 7208 section 5.6. */
static bool
take_bits(struct str *text, struct str slash, unsigned max, uint8_t *out)
{
    size_t digits = 0;
    uint32_t bits;

    while (digits < text->len && ascii_is_digit(text->ptr[text->len - 1 - digits]))
        digits++;
    if (digits == 0 || digits > 3)
        return false;
    struct str number = str_skip(*text, text->len - digits);
    struct str before = str_sub(*text, 0, text->len - digits);
    struct scan s = scan_of(number);
    if (!str_ends(before, slash) || (number.ptr[0] == '0' && digits > 1) ||
        !scan_u32(&s, max, &bits))
        return false;
    text->len -= digits + slash.len;
    *out = (uint8_t)bits; /* at most 128 */
    return true;
}

/* dual-cidr-length = [ ip4-cidr-length ] [ "/" ip6-cidr-length ]; what is none of it stays, and is no domain then. */
static void
take_dual_bits(struct str *value, struct spf_term *t)
{
    t->bits4 = 32;
    t->bits6 = 128;
    (void)take_bits(value, STR("//"), 128, &t->bits6);
    if (!str_ends(*value, STR("/")))
        (void)take_bits(value, STR("/"), 32, &t->bits4);
}

static bool
read_network(struct str value, struct spf_term *t)
{
    bool four = t->mechanism == SPF_IP4;
    struct subnet n = {.size = four ? 4 : 16, .bits = four ? 32 : 128};
    uint8_t bits = n.bits;
    char z[INET6_ADDRSTRLEN];

    (void)take_bits(&value, STR("/"), bits, &bits);
    if (!str_to_z(value, z, sizeof(z)) || inet_pton(four ? AF_INET : AF_INET6, z, n.bytes) != 1)
        return false;
    t->network = subnet_wider(&n, bits);
    return true;
}

/* value: what follows the name, with its ":" or "/". */
static bool
read_value(size_t kind, struct str value, struct spf_term *t)
{
    if (mechanisms[kind].takes_bits)
        take_dual_bits(&value, t);
    if (value.len == 0)
        return !mechanisms[kind].needs_value;
    if (value.ptr[0] != ':')
        return false;
    value = str_skip(value, 1);
    if (t->mechanism == SPF_IP4 || t->mechanism == SPF_IP6)
        return read_network(value, t);
    if (!mechanisms[kind].takes_domain || !spf_macro_is_domain(value))
        return false;
    t->domain = value;
    return true;
}

static bool
is_name_char(char c)
{
    return ascii_is_alnum(c) || c == '-' || c == '_' || c == '.';
}

/* directive = [ qualifier ] mechanism */
static bool
read_directive(struct str text, struct spf_term *out)
{
    static const enum spf_result results[] = {SPF_PASS, SPF_FAIL, SPF_NEUTRAL, SPF_SOFTFAIL};
    struct spf_term t = {.text = text, .result = SPF_PASS};
    ssize_t qualifier = str_find(STR("+-?~"), text.ptr[0]);
    size_t end = 0;

    if (qualifier >= 0) {
        t.result = results[qualifier];
        text = str_skip(text, 1);
    }
    while (end < text.len && text.ptr[end] != ':' && text.ptr[end] != '/')
        end++;
    for (size_t i = 0; i < COUNT_OF(mechanisms); i++) {
        if (!str_eq_nocase(str_sub(text, 0, end), mechanisms[i].name))
            continue;
        t.mechanism = mechanisms[i].mechanism;
        if (!read_value(i, str_skip(text, end), &t))
            return false;
        *out = t;
        return true;
    }
    return false;
}

/* ---- modifiers ---- */

/* name "=", name = ALPHA *( ALPHA / DIGIT / "-" / "_" / "." ) */
static bool
split_modifier(struct str text, struct str *name, struct str *value)
{
    ssize_t equals = str_find(text, '=');

    if (equals <= 0 || !ascii_is_alpha(text.ptr[0]))
        return false;
    *name = str_sub(text, 0, (size_t)equals);    /* positive */
    *value = str_skip(text, (size_t)equals + 1); /* positive */
    for (size_t i = 0; i < name->len; i++)
        if (!is_name_char(name->ptr[i]))
            return false;
    return true;
}

/* RFC 7208 section 6: these two at most once each. */
static bool
read_modifier(struct str name, struct str value, struct spf_record *r)
{
    struct str *to = NULL;

    if (str_eq_nocase(name, STR("redirect")))
        to = &r->redirect;
    else if (str_eq_nocase(name, STR("exp")))
        to = &r->explanation;
    else
        return spf_macro_is_string(value);
    if (to->len > 0 || !spf_macro_is_domain(value))
        return false;
    *to = value;
    return true;
}

/* ---- the record ---- */

static enum status
refuse(struct str term, struct problem *why)
{
    bool numeric = str_starts_nocase(term, STR("a:")) || str_starts_nocase(term, STR("mx:"));
    struct subnet n;

    if (numeric && subnet_read_around(str_skip(term, (size_t)str_find(term, ':') + 1), &n))
        problem_set(why, 0, "",
                    "\"%.*s\" has an address where a name belongs: ip4: or ip6: is meant",
                    STR_FMT(str_sub(term, 0, SHOWN)));
    else
        problem_set(why, 0, "", "\"%.*s\" is no term of SPF", STR_FMT(str_sub(term, 0, SHOWN)));
    return ERR_SYNTAX;
}

static size_t
count_terms(struct str text)
{
    size_t n = 0;

    for (size_t i = 0; i < text.len; i++)
        n += text.ptr[i] != ' ' && (i == 0 || text.ptr[i - 1] == ' ') ? 1 : 0;
    return n;
}

enum status
spf_record_read(struct str text, struct arena *a, struct spf_record *out, struct problem *why)
{
    struct spf_record r = {0};
    struct str term, name, value;

    ASSERT(spf_record_is(text));
    if (text.len > LIMIT_SPF_RECORD_BYTES) {
        problem_set(why, 0, "", "the record is longer than %u bytes",
                    (unsigned)LIMIT_SPF_RECORD_BYTES);
        return ERR_LIMIT;
    }
    text = str_skip(text, 6);
    struct spf_term *terms = ARENA_ARRAY(a, struct spf_term, count_terms(text) + 1);
    while (str_split(&text, ' ', &term)) {
        if (term.len == 0)
            continue;
        if (split_modifier(term, &name, &value)) {
            if (!read_modifier(name, value, &r))
                return refuse(term, why);
        } else if (read_directive(term, &terms[r.count])) {
            r.count++;
        } else
            return refuse(term, why);
    }
    r.terms = terms;
    *out = r;
    return OK;
}
