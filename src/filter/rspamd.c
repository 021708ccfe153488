/* rspamd.c - rspamd's own protocol: the message by HTTP, the judgement as JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>

#include "base/size.h"
#include "filter/scanner.h"

enum { RCPTS_MAX = 50, VALUE_MAX = 512 };

static const struct {
    struct str name;
    enum scanner_wish wish;
} actions[] = {
    {STR("no action"), SCANNER_FINE},       {STR("add header"), SCANNER_JUNK},
    {STR("rewrite subject"), SCANNER_JUNK}, {STR("quarantine"), SCANNER_HOLD},
    {STR("greylist"), SCANNER_DEFER},       {STR("soft reject"), SCANNER_DEFER},
    {STR("reject"), SCANNER_REFUSE},        {STR("discard"), SCANNER_DISCARD},
};

/* No value ends its line. */
static void
add_field(struct buf *b, const char *name, struct str value)
{
    if (value.len == 0)
        return;
    buf_addf(b, "%s: ", name);
    value = str_sub(value, 0, VALUE_MAX);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        buf_add_char(b, (unsigned char)c < ' ' || c == 0x7f ? '?' : c);
    }
    buf_add_z(b, "\r\n");
}

void
rspamd_head_write(struct buf *b, const struct scanner_mail *m)
{
    buf_addf(b,
             "POST /checkv2 HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: "
             "%llu\r\n",
             (unsigned long long)m->size);
    add_field(b, "Queue-Id", m->id);
    add_field(b, "IP", m->client);
    add_field(b, "Helo", m->helo);
    add_field(b, "From", m->sender);
    add_field(b, "User", m->user);
    for (size_t i = 0; i < m->rcpt_count && i < RCPTS_MAX; i++)
        add_field(b, "Rcpt", m->rcpts[i]);
    buf_add_z(b, "\r\n");
}

/* ---- the answer ---- */

static bool
take_line(struct scan *s, struct str *out)
{
    ssize_t end = str_find_str(scan_rest(s), STR("\r\n"));
    struct str skipped;

    return end >= 0 && scan_take(s, (size_t)end, out) && scan_take(s, 2, &skipped);
}

/* The body of a reply with a length (RFC 9112), which rspamd always says. */
static enum status
read_reply(struct str bytes, uint32_t *status, struct str *body)
{
    struct scan s = scan_of(bytes);
    struct str line, name;
    uint64_t length = UINT64_MAX;

    if (!take_line(&s, &line))
        return ERR_SYNTAX;
    struct scan first = scan_of(line);
    if ((!scan_str(&first, STR("HTTP/1.1 ")) && !scan_str(&first, STR("HTTP/1.0 "))) ||
        !scan_u32(&first, 599, status))
        return ERR_SYNTAX;
    for (;;) {
        if (!take_line(&s, &line))
            return ERR_SYNTAX;
        if (line.len == 0)
            break;
        struct str value = line;
        if (!str_split(&value, ':', &name) || value.ptr == NULL)
            return ERR_SYNTAX;
        struct scan number = scan_of(str_trim(value));
        if (str_eq_nocase(name, STR("Content-Length")) &&
            (length != UINT64_MAX || !scan_u64(&number, INT64_MAX, &length) ||
             !scan_at_end(&number)))
            return ERR_SYNTAX;
    }
    if (length > scan_left(&s))
        return ERR_SYNTAX;
    *body = str_sub(scan_rest(&s), 0, (size_t)length);
    return OK;
}

static bool
read_points(const json_t *j, int32_t *out)
{
    double most = SCANNER_POINTS_MAX / 100.0 - 1, v = json_number_value(j);

    if (!json_is_number(j))
        return false;
    v = v > most ? most : v;
    v = v < -most ? -most : v;
    *out = (int32_t)(v * 100 + (v < 0 ? -0.5 : 0.5)); /* within SCANNER_POINTS_MAX */
    return true;
}

static struct str
text_of(const json_t *j)
{
    const char *text = json_string_value(j);

    return text != NULL ? str_from(text, json_string_length(j)) : STR("");
}

/* Names alone: what a symbol's options quote is of the message. */
static void
read_symbols(json_t *symbols, struct arena *a, struct scanner_answer *out)
{
    AUTO_BUF b = BUF(SCANNER_TESTS_MAX);
    const char *name;
    json_t *one;

    json_object_foreach(symbols, name, one)
    {
        size_t len = strlen(name);
        if (b.len + len + 1 > SCANNER_TESTS_MAX)
            break;
        buf_addf(&b, "%s%s", b.len > 0 ? "," : "", name);
    }
    out->tests = scanner_text(buf_str(&b), SCANNER_TESTS_MAX, a);
}

static enum status
read_judgement(json_t *j, struct arena *a, struct scanner_answer *out)
{
    struct str action = text_of(json_object_get(j, "action"));
    struct str says = text_of(json_object_get(json_object_get(j, "messages"), "smtp_message"));
    struct str error = text_of(json_object_get(j, "error"));

    if (error.len > 0) {
        out->text = scanner_text(error, SCANNER_TEXT_MAX, a);
        return ERR_NOT_FOUND;
    }
    if (!read_points(json_object_get(j, "score"), &out->score) ||
        !read_points(json_object_get(j, "required_score"), &out->required))
        return ERR_SYNTAX;
    out->has_score = true;
    out->text = scanner_text(says, SCANNER_TEXT_MAX, a);
    read_symbols(json_object_get(j, "symbols"), a, out);
    for (size_t i = 0; i < COUNT_OF(actions); i++) {
        if (!str_eq(action, actions[i].name))
            continue;
        out->wish = actions[i].wish;
        return OK;
    }
    out->text = scanner_text(
        arena_printf(a, "unknown action: %.*s", STR_FMT(str_sub(action, 0, VALUE_MAX))),
        SCANNER_TEXT_MAX, a);
    return ERR_NOT_FOUND;
}

enum status
rspamd_answer_read(struct str bytes, struct arena *a, struct scanner_answer *out)
{
    struct scanner_answer got = {.text = STR(""), .tests = STR("")};
    json_error_t error;
    uint32_t code;
    struct str body;

    TRY(read_reply(bytes, &code, &body));
    json_t *j = json_loadb(body.ptr, body.len, JSON_REJECT_DUPLICATES, &error);
    enum status st = ERR_SYNTAX;
    if (json_is_object(j))
        st = read_judgement(j, a, &got);
    else if (code != 200)
        st = ERR_NOT_FOUND;
    json_decref(j);
    if (st == ERR_NOT_FOUND && got.text.len == 0)
        got.text = arena_printf(a, "it answers with the code %u", code);
    if (st == OK && code != 200)
        st = ERR_SYNTAX;
    if (st != ERR_SYNTAX)
        *out = got;
    return st;
}
