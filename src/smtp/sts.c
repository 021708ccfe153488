/* sts.c - see sts.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/sts.h"

#include "base/scan.h"
#include "base/size.h"

enum { MAX_AGE_MAX = 31557600 /* section 3.2 */, NAME_MAX_BYTES = 253, LABEL_MAX = 63 };

static bool
is_wsp(char c)
{
    return c == ' ' || c == '\t';
}

/* ---- the record ---- */

static void
skip_wsp(struct scan *s)
{
    struct str skipped;

    (void)scan_while(s, is_wsp, SIZE_MAX, &skipped);
}

/* *WSP ";" *WSP */
static bool
scan_delimiter(struct scan *s)
{
    struct scan t = *s;

    skip_wsp(&t);
    if (!scan_char(&t, ';'))
        return false;
    skip_wsp(&t);
    *s = t;
    return true;
}

/* sts-id = %s"id=" 1*32(ALPHA / DIGIT); of other fields only that they have a name. */
static bool
read_field(struct str field, struct str *id)
{
    struct str value = field, name;

    if (!str_split(&value, '=', &name) || value.ptr == NULL || name.len == 0)
        return false;
    if (!str_eq(name, STR("id")))
        return true;
    for (size_t i = 0; i < value.len; i++)
        if (!ascii_is_alnum(value.ptr[i]))
            return false;
    if (id->len > 0 || value.len == 0 || value.len > STS_ID_MAX)
        return false;
    *id = value;
    return true;
}

/* sts-text-record = %s"v=STSv1" 1*(sts-field-delim sts-field) [sts-field-delim] */
bool
sts_record_read(struct str text, struct str *id_out)
{
    struct scan s = scan_of(text);
    struct str id = STR("");

    if (!scan_str(&s, STR("v=STSv1")) || !scan_delimiter(&s))
        return false;
    *id_out = STR("");
    while (!scan_at_end(&s)) {
        struct str rest = scan_rest(&s), field;
        ssize_t end = str_find(rest, ';');
        size_t n = end < 0 ? rest.len : (size_t)end;
        if (!scan_take(&s, n, &field) || !read_field(str_trim(field), &id))
            return true;
        if (scan_at_end(&s))
            break;
        if (!scan_delimiter(&s))
            return true;
    }
    *id_out = id;
    return true;
}

bool
sts_record_choose(const struct str *texts, size_t n, struct str *id_out)
{
    struct str id, found = STR("");
    size_t count = 0;

    for (size_t i = 0; i < n; i++) {
        if (!sts_record_read(texts[i], &id))
            continue;
        found = id;
        count++;
    }
    if (count != 1 || found.len == 0)
        return false;
    *id_out = found;
    return true;
}

/* ---- the policy ---- */

static bool
is_host(struct str name)
{
    struct str rest = name, label;

    if (name.len == 0 || name.len > NAME_MAX_BYTES || name.ptr[name.len - 1] == '.')
        return false;
    while (str_split(&rest, '.', &label)) {
        if (label.len == 0 || label.len > LABEL_MAX)
            return false;
        for (size_t i = 0; i < label.len; i++)
            if (!ascii_is_alnum(label.ptr[i]) && label.ptr[i] != '-' && label.ptr[i] != '_')
                return false;
    }
    return true;
}

/* sts-policy-mx-value = ["*."] Domain */
static enum status
read_host(struct str value, struct str *hosts, struct arena *a, size_t *n)
{
    struct str name = str_starts(value, STR("*.")) ? str_skip(value, 2) : value;

    if (!is_host(name))
        return ERR_SYNTAX;
    if (*n == LIMIT_STS_HOSTS)
        return ERR_LIMIT;
    char *lower = arena_dup(a, value.ptr, value.len);
    for (size_t i = 0; i < value.len; i++)
        lower[i] = ascii_lower(lower[i]);
    hosts[(*n)++] = str_from(lower, value.len);
    return OK;
}

static bool
read_mode(struct str value, enum sts_mode *out)
{
    static const struct str modes[] = {
        [STS_NONE] = STR("none"), [STS_TESTING] = STR("testing"), [STS_ENFORCE] = STR("enforce")};

    for (size_t i = 0; i < COUNT_OF(modes); i++)
        if (str_eq_nocase(value, modes[i])) {
            *out = (enum sts_mode)i;
            return true;
        }
    return false;
}

/* 1*10DIGIT */
static bool
read_age(struct str value, uint32_t *out)
{
    struct scan s = scan_of(value);
    uint64_t age;

    if (value.len > 10 || !scan_u64(&s, UINT64_MAX, &age) || !scan_at_end(&s))
        return false;
    *out = (uint32_t)MIN(age, (uint64_t)MAX_AGE_MAX);
    return true;
}

/* What of a policy was said already: of a field that comes twice the first counts. */
struct policy_reading {
    struct sts_policy policy;
    struct str *hosts;
    bool version, mode, age;
};

static enum status
read_line(struct policy_reading *r, struct str line, struct arena *a)
{
    struct str value = line, name;

    if (!str_split(&value, ':', &name) || value.ptr == NULL || name.len == 0)
        return ERR_SYNTAX;
    value = str_trim(value);
    if (str_eq_nocase(name, STR("version")) && !r->version) {
        r->version = true;
        return str_eq(value, STR("STSv1")) ? OK : ERR_SYNTAX;
    }
    if (str_eq_nocase(name, STR("mode")) && !r->mode) {
        r->mode = true;
        return read_mode(value, &r->policy.mode) ? OK : ERR_SYNTAX;
    }
    if (str_eq_nocase(name, STR("max_age")) && !r->age) {
        r->age = true;
        return read_age(value, &r->policy.max_age_s) ? OK : ERR_SYNTAX;
    }
    if (str_eq_nocase(name, STR("mx")))
        return read_host(value, r->hosts, a, &r->policy.count);
    return OK;
}

enum status
sts_policy_read(struct str text, struct arena *a, struct sts_policy *out)
{
    struct policy_reading r = {.hosts = ARENA_ARRAY(a, struct str, LIMIT_STS_HOSTS)};
    struct str line;

    if (str_find(text, '\0') >= 0)
        return ERR_SYNTAX;
    while (str_split(&text, '\n', &line)) {
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line = str_sub(line, 0, line.len - 1);
        if (str_trim(line).len > 0)
            TRY(read_line(&r, line, a));
    }
    r.policy.hosts = r.hosts;
    if (!r.version || !r.mode || !r.age || (r.policy.mode != STS_NONE && r.policy.count == 0))
        return ERR_SYNTAX;
    *out = r.policy;
    return OK;
}

void
sts_policy_write(const struct sts_policy *p, struct buf *b)
{
    static const char *const modes[] = {"none", "testing", "enforce"};

    buf_addf(b, "version: STSv1\nmode: %s\nmax_age: %u\n", modes[p->mode], p->max_age_s);
    for (size_t i = 0; i < p->count; i++)
        buf_addf(b, "mx: %.*s\n", STR_FMT(p->hosts[i]));
}

/* The star stands for one label, whole (RFC 6125 section 6.4.3, as RFC 8461 section 4.1 has it). */
bool
sts_covers(const struct sts_policy *p, struct str host)
{
    ssize_t dot = str_find(host, '.');
    struct str parent = dot > 0 ? str_skip(host, (size_t)dot + 1) : STR("");

    for (size_t i = 0; i < p->count; i++) {
        struct str have = p->hosts[i];
        if (str_starts(have, STR("*.")) ? parent.len > 0 && str_eq_nocase(str_skip(have, 2), parent)
                                        : str_eq_nocase(have, host))
            return true;
    }
    return false;
}
