/* logview.c - see logview.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/logview.h"

#include "base/log_scan.h"
#include "base/size.h"
#include "config/events.h"

enum { DAY_S = 86400, SINCE_MAX = 40, VALUE_MAX = 4096 };

/* ---- times ---- */

static void
add_time(struct buf *b, int64_t s)
{
    AUTO_BUF text = BUF(SINCE_MAX);

    buf_add_iso8601(&text, (struct instant){s * 1000000});
    buf_add(b, buf_str(&text));
}

static bool
since_ago(struct str text, struct instant now, struct buf *b)
{
    static const struct {
        char letter;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', DAY_S}, {'w', 7 * DAY_S}};
    struct scan s = scan_of(text);
    uint32_t n;

    if (!scan_u32(&s, 1000000, &n))
        return false;
    for (size_t i = 0; i < COUNT_OF(units); i++)
        if (scan_char(&s, units[i].letter) && scan_at_end(&s)) {
            add_time(b, now.us / 1000000 - (int64_t)n * units[i].seconds);
            return true;
        }
    return false;
}

/* The form of a time, or a beginning of it: 9 stands for any digit. */
static bool
since_date(struct str text, struct buf *b)
{
    static const char form[] = "9999-99-99T99:99:99.999999Z";

    if (text.len < 10 || text.len > sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = i == 10 && text.ptr[i] == ' ' ? 'T' : text.ptr[i];
        if (form[i] == '9' ? !ascii_is_digit(c) : c != form[i])
            return false;
        buf_add_char(b, c);
    }
    return true;
}

bool
logview_since(struct str text, struct instant now, struct buf *b)
{
    int64_t midnight = now.us / 1000000 / DAY_S * DAY_S;

    if (str_eq(text, STR("today"))) {
        add_time(b, midnight);
        return true;
    }
    if (str_eq(text, STR("yesterday"))) {
        add_time(b, midnight - DAY_S);
        return true;
    }
    AUTO_BUF made = BUF(SINCE_MAX);
    if (!since_ago(text, now, &made) && !since_date(text, &made))
        return false;
    buf_add(b, buf_str(&made));
    return true;
}

/* ---- choosing ---- */

static const struct str levels[] = {STR("debug"), STR("info"), STR("warn"), STR("error")};

static bool
is_event(struct str name, struct str wanted)
{
    return str_starts(name, wanted) &&
           (name.len == wanted.len || (wanted.len > 0 && name.ptr[wanted.len] == '.'));
}

bool
logview_event_exists(struct str name)
{
    for (size_t i = 0; i < EVENT_COUNT; i++)
        if (is_event(str_of(events[i].name), name))
            return true;
    return false;
}

/* From debug to error; past the last for what is none. */
static size_t
level_of(struct str name)
{
    size_t i = 0;

    while (i < COUNT_OF(levels) && !str_eq(name, levels[i]))
        i++;
    return i;
}

bool
logview_level_exists(struct str name)
{
    return level_of(name) < COUNT_OF(levels);
}

static bool
is_user(const struct log_field *f, struct str wanted)
{
    static const struct str keys[] = {STR("user"), STR("login"), STR("account"),
                                      STR("from"), STR("to"),    STR("asked")};
    AUTO_BUF bytes = BUF(VALUE_MAX);
    bool names_one = false;

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        names_one = names_one || str_eq(f->key, keys[i]);
    if (!names_one)
        return false;
    log_value_read(f, &bytes);
    struct str v = buf_str(&bytes);
    if (v.len >= 2 && v.ptr[0] == '<' && v.ptr[v.len - 1] == '>')
        v = str_sub(v, 1, v.len - 2);
    ssize_t at = str_find(wanted, '@') >= 0 ? -1 : str_rfind(v, '@');
    return str_eq_nocase(at < 0 ? v : str_sub(v, 0, (size_t)at), wanted);
}

bool
logview_wants(const struct logview_filter *f, struct str line)
{
    struct scan s = scan_of(line);
    struct log_field field;
    bool event = f->event.len == 0, user = f->user.len == 0, since = f->since.len == 0;
    bool level = f->level.len == 0;

    for (size_t i = 0; i < f->text_count; i++)
        if (str_find_nocase(line, str_of(f->texts[i])) < 0)
            return false;
    while (scan_log_field(&s, &field)) {
        if (str_eq(field.key, STR("ev")))
            event = event || is_event(field.value, f->event);
        else if (str_eq(field.key, STR("t")))
            since = since || str_cmp(field.value, f->since) >= 0;
        else if (str_eq(field.key, STR("lvl")))
            level = level || level_of(field.value) >= level_of(f->level);
        else
            user = user || is_user(&field, f->user);
    }
    return event && user && since && level;
}

/* ---- showing ---- */

static void
add_harmless(struct str text, struct buf *b)
{
    for (size_t i = 0; i < text.len; i++) {
        unsigned char c = (unsigned char)text.ptr[i];
        if (c >= ' ' && c < 0x7f)
            buf_add_char(b, (char)c);
        else
            buf_addf(b, "\\x%02x", c);
    }
}

/* 2026-11-23T22:31:12.123456Z is shown to the second. */
static void
add_head(const struct log_field head[3], struct buf *b)
{
    struct str t = head[0].value, level = head[1].value;

    buf_addf(b, "%.*s %.*s ", STR_FMT(str_sub(t, 0, 10)), STR_FMT(str_sub(t, 11, 8)));
    if (str_eq(level, STR("warn")) || str_eq(level, STR("error")))
        buf_addf(b, "%.*s ", STR_FMT(level));
    buf_addf(b, "%-14.*s", STR_FMT(head[2].value));
}

static bool
scan_head(struct scan *s, struct log_field head[3])
{
    static const struct str keys[] = {STR("t"), STR("lvl"), STR("ev")};

    for (size_t i = 0; i < COUNT_OF(keys); i++)
        if (!scan_log_field(s, &head[i]) || !str_eq(head[i].key, keys[i]))
            return false;
    return head[0].value.len >= 19;
}

void
logview_write(struct str line, struct buf *b)
{
    struct scan s = scan_of(line);
    struct log_field head[3];

    if (scan_head(&s, head)) {
        add_head(head, b);
        line = scan_rest(&s);
    }
    add_harmless(line, b);
    buf_add_char(b, '\n');
}
