/* tls_report_read.c - reports about TLS, read as others write them.  See tls_report.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/tls_report.h"

#include "base/json.h"
#include "base/scan.h"
#include "base/size.h"
#include "base/time.h"
#include "policy/gzip.h"

enum { DEPTH = 12 /* 6 are needed */, DETAILS_MAX = LIMIT_TLS_REPORT_DETAILS };

static enum status read_policy(const json_t *j, struct arena *a, size_t *details,
                               struct tls_report_policy *out);
static struct tls_report_failure *read_failure(const json_t *j, struct arena *a);
static struct str clean(const json_t *string, struct arena *a);
static struct str text_of(const json_t *object, const char *name, struct arena *a);
static size_t list_of(const json_t *j, struct arena *a, const struct str **out);
static uint64_t count_of(const json_t *object, const char *name);
static bool read_time(struct str text, int64_t *out);

enum status
tls_report_unpack(struct str packed, struct buf *json)
{
    AUTO_BUF out =
        BUF(MIN((size_t)LIMIT_TLS_REPORT_BYTES, packed.len * (size_t)LIMIT_REPORT_RATIO));

    if (packed.len > LIMIT_TLS_REPORT_BYTES)
        return ERR_LIMIT;
    if (gzip_is(packed))
        TRY(gzip_unpack(packed, &out));
    else if (str_starts(str_trim(packed), STR("{")) || str_starts(packed, STR("\xef\xbb\xbf{")))
        buf_add(&out, packed);
    else
        return ERR_SYNTAX;
    TRY(buf_status(&out));
    buf_add(json, buf_str(&out));
    return buf_status(json);
}

enum status
tls_report_read(struct str json, struct arena *a, struct tls_report *out)
{
    struct tls_report r = {0};
    size_t details = 0;

    if (json.len > LIMIT_TLS_REPORT_BYTES)
        return ERR_LIMIT;
    if (str_starts(json, STR("\xef\xbb\xbf")))
        json = str_skip(json, 3);
    AUTO(json_drop) json_t *j = json_read_bounded(json, DEPTH);
    const json_t *policies = json_object_get(j, "policies"),
                 *range = json_object_get(j, "date-range");
    if (!json_is_array(policies) || json_array_size(policies) == 0)
        return ERR_SYNTAX;
    if (json_array_size(policies) > LIMIT_TLS_REPORT_POLICIES)
        return ERR_LIMIT;
    r.organization = text_of(j, "organization-name", a);
    r.contact = text_of(j, "contact-info", a);
    r.id = text_of(j, "report-id", a);
    if (!read_time(text_of(range, "start-datetime", a), &r.begin_s))
        r.begin_s = 0;
    if (!read_time(text_of(range, "end-datetime", a), &r.end_s))
        r.end_s = 0;
    struct tls_report_policy **at = &r.policies;
    for (size_t i = 0; i < json_array_size(policies); i++) {
        *at = ARENA_NEW(a, struct tls_report_policy);
        TRY(read_policy(json_array_get(policies, i), a, &details, *at));
        at = &(*at)->next;
    }
    r.policy_count = json_array_size(policies);
    *out = r;
    return OK;
}

static enum status
read_policy(const json_t *j, struct arena *a, size_t *details, struct tls_report_policy *out)
{
    const json_t *policy = json_object_get(j, "policy"), *summary = json_object_get(j, "summary"),
                 *list = json_object_get(j, "failure-details");

    if (!json_is_object(policy))
        return ERR_SYNTAX;
    *out = (struct tls_report_policy){
        .type = text_of(policy, "policy-type", a),
        .domain = text_of(policy, "policy-domain", a),
        .successes = count_of(summary, "total-successful-session-count"),
        .failures = count_of(summary, "total-failure-session-count"),
    };
    out->text_count = list_of(json_object_get(policy, "policy-string"), a, &out->texts);
    out->mx_host_count = list_of(json_object_get(policy, "mx-host"), a, &out->mx_hosts);
    struct tls_report_failure **at = &out->details;
    *details += json_array_size(list);
    if (*details > DETAILS_MAX)
        return ERR_LIMIT;
    for (size_t i = 0; i < json_array_size(list); i++) {
        *at = read_failure(json_array_get(list, i), a);
        at = &(*at)->next;
    }
    return OK;
}

static struct tls_report_failure *
read_failure(const json_t *j, struct arena *a)
{
    struct tls_report_failure *f = ARENA_NEW(a, struct tls_report_failure);

    *f = (struct tls_report_failure){
        .result = text_of(j, "result-type", a),
        .sending_ip = text_of(j, "sending-mta-ip", a),
        .mx_host = text_of(j, "receiving-mx-hostname", a),
        .mx_helo = text_of(j, "receiving-mx-helo", a),
        .receiving_ip = text_of(j, "receiving-ip", a),
        .count = count_of(j, "failed-session-count"),
        .info = text_of(j, "additional-information", a),
        .reason = text_of(j, "failure-reason-code", a),
    };
    return f;
}

/* Cut at the end of a character, without what would steer a terminal. */
static struct str
clean(const json_t *string, struct arena *a)
{
    struct str s = str_from(json_string_value(string), json_string_length(string));

    if (s.len > LIMIT_REPORT_TEXT_BYTES) {
        size_t n = LIMIT_REPORT_TEXT_BYTES;
        while (n > 0 && ((unsigned char)s.ptr[n] & 0xc0) == 0x80)
            n--;
        s = str_sub(s, 0, n);
    }
    char *text = arena_z(a, s);
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            text[i] = ' ';
    return str_trim(str_from(text, s.len));
}

static struct str
text_of(const json_t *object, const char *name, struct arena *a)
{
    const json_t *j = json_object_get(object, name);

    return json_is_string(j) ? clean(j, a) : STR("");
}

/* Texts of a list; one that is none has one. */
static size_t
list_of(const json_t *j, struct arena *a, const struct str **out)
{
    size_t n = MIN(json_array_size(j), (size_t)LIMIT_TLS_REPORT_TEXTS);
    struct str *list = ARENA_ARRAY(a, struct str, n + 1);
    size_t count = 0;

    if (json_is_string(j))
        list[count++] = clean(j, a);
    for (size_t i = 0; i < n; i++)
        if (json_is_string(json_array_get(j, i)))
            list[count++] = clean(json_array_get(j, i), a);
    *out = list;
    return count;
}

/* Some write numbers as texts, or with a fraction of nothing. */
static uint64_t
count_of(const json_t *object, const char *name)
{
    const json_t *j = json_object_get(object, name);
    uint64_t n = 0;

    if (json_is_integer(j))
        return json_integer_value(j) > 0 ? (uint64_t)json_integer_value(j) : 0;
    if (json_is_real(j)) {
        double v = json_real_value(j);
        return v > 0 && v <= 1e15 ? (uint64_t)v : 0; /* in range */
    }
    if (json_is_string(j)) {
        struct scan s = scan_of(str_from(json_string_value(j), json_string_length(j)));
        return scan_u64(&s, INT64_MAX, &n) && scan_at_end(&s) ? n : 0;
    }
    return 0;
}

/* A number of just so many digits. */
static bool
scan_digits(struct scan *s, size_t n, int *out)
{
    struct str digits;

    if (!scan_take(s, n, &digits))
        return false;
    *out = 0;
    for (size_t i = 0; i < n; i++) {
        if (!ascii_is_digit(digits.ptr[i]))
            return false;
        *out = 10 * *out + (digits.ptr[i] - '0');
    }
    return true;
}

/* date-time = full-date "T" full-time      RFC 3339 section 5.6; without an offset it is taken for UTC. */
static bool
read_time(struct str text, int64_t *out)
{
    struct scan s = scan_of(text);
    struct civil c = {0};
    struct str fraction;
    int hours = 0, minutes = 0;

    if (!scan_digits(&s, 4, &c.year) || !scan_char(&s, '-') || !scan_digits(&s, 2, &c.month) ||
        !scan_char(&s, '-') || !scan_digits(&s, 2, &c.day))
        return false;
    if (!scan_str_nocase(&s, STR("T")) && !scan_char(&s, ' '))
        return false;
    if (!scan_digits(&s, 2, &c.hour) || !scan_char(&s, ':') || !scan_digits(&s, 2, &c.minute) ||
        !scan_char(&s, ':') || !scan_digits(&s, 2, &c.second))
        return false;
    if (c.month < 1 || c.month > 12 || c.day < 1 || c.day > 31 || c.hour > 23 || c.minute > 59 ||
        c.second > 60 || c.year < 1970)
        return false;
    if (scan_char(&s, '.'))
        (void)scan_while(&s, ascii_is_digit, SIZE_MAX, &fraction);
    bool west = false;
    if (scan_char(&s, '+') || (west = scan_char(&s, '-'))) {
        if (!scan_digits(&s, 2, &hours) || !scan_char(&s, ':') || !scan_digits(&s, 2, &minutes))
            return false;
    } else {
        (void)scan_str_nocase(&s, STR("Z"));
    }
    int64_t offset_s = INT64_C(3600) * hours + INT64_C(60) * minutes;
    *out = unix_from_civil(&c) + (west ? offset_s : -offset_s);
    return scan_at_end(&s);
}
