/* filter.c - the lines policy, milter, spamd, clamd and rspamd: other programs that are asked about mail.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/un.h>

#include "base/limits.h"
#include "base/scan.h"
#include "base/size.h"
#include "config/config_internal.h"

enum {
    TIMEOUT_S = 30,
    TIMEOUT_MAX_S = 600,
    NAME_MAX_BYTES = 64,
    POINTS_MAX = 10000,      /* of a score */
    SPAM_UP_TO = 512 * 1024, /* spam is small, and judging takes long: as spamc does */
    UP_TO_MAX_MIB = 1024
};

static const char *const kind_names[FILTER_KINDS] = {"policy", "milter", "spamd", "clamd",
                                                     "rspamd"};

static const char *const otherwise_names[] = {"tempfail", "accept", "reject"};

static enum status
read_place(const struct config_line *l, struct config_filter *f, size_t *next)
{
    struct sockaddr_un room;

    if (l->count < 2)
        return config_expected(l, l->words[0], "unix PATH or ADDRESS:PORT");
    *next = 2;
    if (!str_eq(l->words[1], STR("unix"))) {
        TRY(config_word_address(l, l->words[1], &f->at));
        if (str_eq(f->at.host, STR("*")))
            return config_expected(l, l->words[1], "the address of one machine");
    } else {
        if (l->count < 3 || l->words[2].len >= sizeof(room.sun_path))
            return config_expected(l, l->words[l->count - 1], "unix PATH, of at most 107 bytes");
        TRY(config_word_path(l, l->words[2], &f->path));
        *next = 3;
    }
    AUTO_BUF where = BUF(256);
    config_filter_where(f, &where);
    f->where = arena_str(l->arena, buf_str(&where));
    return OK;
}

static enum status
read_on(const struct config_line *l, struct str value, struct config_filter *f)
{
    f->on_mx = str_eq(value, STR("mx")) || str_eq(value, STR("all"));
    f->on_submission = str_eq(value, STR("submission")) || str_eq(value, STR("all"));
    return f->on_mx || f->on_submission ? OK : config_expected(l, value, "mx, submission or all");
}

static enum status
read_otherwise(const struct config_line *l, struct str value, struct config_filter *f)
{
    for (size_t i = 0; i < COUNT_OF(otherwise_names); i++) {
        if (!str_eq(value, str_of(otherwise_names[i])))
            continue;
        f->otherwise = (enum filter_otherwise)i;
        return OK;
    }
    return config_expected(l, value, "tempfail, accept or reject");
}

static enum status
read_text(const struct config_line *l, struct str value, struct str *out)
{
    if (value.len == 0 || value.len > NAME_MAX_BYTES)
        return config_expected(l, value, "a name of at most 64 bytes");
    *out = arena_str(l->arena, value);
    return OK;
}

static enum status
read_stage(const struct config_line *l, struct str value, struct config_filter *f)
{
    f->at_data = str_eq(value, STR("data"));
    return f->at_data || str_eq(value, STR("rcpt")) ? OK
                                                    : config_expected(l, value, "rcpt or data");
}

/* points = [ "-" ] 1*DIGIT [ "." 1*2DIGIT ] */
static enum status
read_points(const struct config_line *l, struct str value, int32_t *out)
{
    struct scan s = scan_of(value);
    bool negative = scan_char(&s, '-'), fine;
    uint32_t whole = 0;
    struct str digits = STR("");

    fine = scan_u32(&s, POINTS_MAX - 1, &whole) &&
           (!scan_char(&s, '.') || scan_while(&s, ascii_is_digit, 2, &digits)) && scan_at_end(&s);
    if (!fine)
        return config_expected(l, value, "points such as 5 or 7.5");
    int32_t v = (int32_t)whole * 100; /* below 100 * POINTS_MAX */
    v += digits.len > 0 ? (digits.ptr[0] - '0') * 10 : 0;
    v += digits.len > 1 ? digits.ptr[1] - '0' : 0;
    *out = negative ? -v : v;
    return OK;
}

static bool
scores(const struct config_filter *f)
{
    return f->kind == FILTER_SPAMD || f->kind == FILTER_RSPAMD;
}

/* What scanners have alone.  *mine: it is one of those. */
static enum status
read_scanner_option(const struct config_line *l, size_t i, struct config_filter *f, bool *mine)
{
    struct str name = l->words[i], value = i + 1 < l->count ? l->words[i + 1] : STR_NONE;

    *mine = true;
    if (scores(f) && str_eq(name, STR("junk-at"))) {
        f->has_junk_at = true;
        return read_points(l, value, &f->junk_at);
    }
    if (scores(f) && str_eq(name, STR("refuse-at"))) {
        f->has_refuse_at = true;
        return read_points(l, value, &f->refuse_at);
    }
    bool scanner = scores(f) || f->kind == FILTER_CLAMD;
    if (scanner && str_eq(name, STR("up-to")))
        return config_word_bytes(l, value, &f->up_to);
    *mine = false;
    return OK;
}

static const char *
options_of(enum filter_kind kind)
{
    switch (kind) {
    case FILTER_POLICY: return "at, on, context, timeout or default";
    case FILTER_MILTER: return "name, on, timeout or default";
    case FILTER_CLAMD: return "name, on, up-to, timeout or default";
    default: return "name, on, junk-at, refuse-at, up-to, timeout or default";
    }
}

static enum status
read_option(const struct config_line *l, size_t i, struct config_filter *f)
{
    struct str name = l->words[i], value = i + 1 < l->count ? l->words[i + 1] : STR_NONE;
    bool policy = f->kind == FILTER_POLICY;

    if (str_eq(name, STR("on")))
        return read_on(l, value, f);
    if (str_eq(name, STR("default")))
        return read_otherwise(l, value, f);
    if (str_eq(name, STR("timeout"))) {
        TRY(config_word_number(l, value, TIMEOUT_MAX_S, &f->timeout_s));
        return f->timeout_s > 0 ? OK : config_expected(l, value, "a number from 1 to 600");
    }
    if (policy && str_eq(name, STR("at")))
        return read_stage(l, value, f);
    if (str_eq(name, str_of(policy ? "context" : "name")))
        return read_text(l, value, &f->name);
    bool mine;
    TRY(read_scanner_option(l, i, f, &mine));
    return mine ? OK : config_expected(l, name, options_of(f->kind));
}

enum status
config_filter_words(const struct config_line *l, struct config_filter *out)
{
    size_t i = 0;

    out->on_mx = true;
    out->name = STR("");
    out->timeout_s = TIMEOUT_S;
    if (scores(out)) {
        out->otherwise = FILTER_ACCEPT; /* mail goes before a guess about it */
        out->up_to = SPAM_UP_TO;
    }
    TRY(read_place(l, out, &i));
    for (; i < l->count; i += 2)
        TRY(read_option(l, i, out));
    return OK;
}

void
config_filter_where(const struct config_filter *f, struct buf *b)
{
    if (f->path.len > 0)
        buf_addf(b, "unix %.*s", STR_FMT(f->path));
    else
        config_address_write(b, f->at.host, f->at.port);
}

static void
write_points(struct buf *b, const char *name, bool has, int32_t points)
{
    int32_t n = points < 0 ? -points : points;

    if (has)
        buf_addf(b, " %s %s%d.%02d", name, points < 0 ? "-" : "", n / 100, n % 100);
}

void
config_filter_write(const struct config_filter *f, struct buf *b)
{
    bool policy = f->kind == FILTER_POLICY;

    buf_addf(b, "%s ", kind_names[f->kind]);
    if (f->path.len > 0)
        buf_addf(b, "unix \"%.*s\"", STR_FMT(f->path));
    else
        config_address_write(b, f->at.host, f->at.port);
    if (policy)
        buf_add_z(b, f->at_data ? " at data" : " at rcpt");
    if (f->name.len > 0)
        buf_addf(b, " %s \"%.*s\"", policy ? "context" : "name", STR_FMT(f->name));
    const char *on = "submission";
    if (f->on_mx)
        on = f->on_submission ? "all" : "mx";
    write_points(b, "junk-at", f->has_junk_at, f->junk_at);
    write_points(b, "refuse-at", f->has_refuse_at, f->refuse_at);
    if (f->kind != FILTER_POLICY && f->kind != FILTER_MILTER)
        buf_addf(b, " up-to %llu", (unsigned long long)f->up_to);
    buf_addf(b, " on %s timeout %u default %s\n", on, f->timeout_s, otherwise_names[f->otherwise]);
}
