/* milter_packet.c - see milter_packet.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "filter/milter_packet.h"

#include <stdio.h>

#include "base/scan.h"
#include "base/size.h"
#include "mail/enhanced.h"
#include "mail/header.h"

static void
begin(struct buf *b, enum milter_command c, size_t bytes)
{
    ASSERT(bytes < UINT32_MAX);
    buf_add_be32(b, (uint32_t)bytes + 1);
    buf_add_char(b, (char)c);
}

static struct str
until_nul(struct str s)
{
    ssize_t nul = str_find(s, '\0');

    return nul < 0 ? s : str_sub(s, 0, (size_t)nul);
}

void
milter_write(struct buf *b, enum milter_command c, const struct str *strings, size_t n)
{
    size_t bytes = 0;

    for (size_t i = 0; i < n; i++)
        bytes += until_nul(strings[i]).len + 1;
    begin(b, c, bytes);
    for (size_t i = 0; i < n; i++) {
        buf_add(b, until_nul(strings[i]));
        buf_add_char(b, '\0');
    }
}

void
milter_write_bytes(struct buf *b, enum milter_command c, struct str bytes)
{
    begin(b, c, bytes.len);
    buf_add(b, bytes);
}

void
milter_write_terms(struct buf *b, uint32_t actions, uint32_t steps)
{
    begin(b, MILTER_NEGOTIATE, 12);
    buf_add_be32(b, MILTER_VERSION);
    buf_add_be32(b, actions);
    buf_add_be32(b, steps);
}

void
milter_write_connect(struct buf *b, const struct milter_client *c)
{
    struct str name = until_nul(c->name), address = until_nul(c->address);
    bool known = c->family == '4' || c->family == '6';

    begin(b, MILTER_CONNECT, name.len + 2 + (known ? 2 + address.len + 1 : 0));
    buf_add(b, name);
    buf_add_char(b, '\0');
    buf_add_char(b, known ? c->family : 'U');
    if (!known)
        return;
    buf_add_char(b, (char)(c->port >> 8));
    buf_add_char(b, (char)(c->port & 0xff));
    buf_add(b, address);
    buf_add_char(b, '\0');
}

uint32_t
milter_length(struct str four, uint32_t max)
{
    struct scan s = scan_of(four);
    uint32_t n;

    return scan_be32(&s, &n) && n <= max ? n : 0;
}

/* ---- reading ---- */

static bool
take_string(struct scan *s, struct str *out)
{
    return scan_until(s, '\0', out) && scan_char(s, '\0');
}

/* One string, which ends the packet. */
static bool
last_string(struct scan *s, struct str *out)
{
    return take_string(s, out) && scan_at_end(s);
}

static bool
read_terms(struct scan *s, struct milter_said *out)
{
    /* What may follow are the macros that it wants: it gets all that there are. */
    return scan_be32(s, &out->version) && scan_be32(s, &out->actions) &&
           scan_be32(s, &out->steps) && out->version >= 2 && out->version <= MILTER_VERSION &&
           (out->actions & ~MILTER_ACTIONS) == 0 && (out->steps & ~MILTER_STEPS) == 0;
}

static void
read_text(struct scan *s, struct milter_said *out)
{
    size_t n = 0;

    for (; n < MILTER_TEXT_MAX && !scan_at_end(s); n++) {
        char c = *s->pos++;
        if (c == '%' && !scan_at_end(s) && *s->pos == '%') /* smfi_setreply() doubles it */
            s->pos++;
        out->text[n] = c;
        if (c < ' ' || c > '~')
            out->text[n] = '?';
    }
    out->text[n] = '\0';
}

/* 4xx or 5xx, perhaps an enhanced code of the same class, text.  Of several lines ("550-...") the first counts. */
static bool
read_reply(struct scan *s, struct milter_said *out)
{
    struct str line, rest;

    if (!last_string(s, &rest) || rest.len < 3)
        return false;
    if (!str_split(&rest, '\n', &line))
        return false;
    for (size_t i = 0; i < 3; i++)
        if (line.len < 3 || !ascii_is_digit(line.ptr[i]))
            return false;
    out->code = (line.ptr[0] - '0') * 100 + (line.ptr[1] - '0') * 10 + (line.ptr[2] - '0');
    if (out->code < 400 || out->code > 599 ||
        (line.len > 3 && line.ptr[3] != ' ' && line.ptr[3] != '-'))
        return false;
    struct str text = str_trim(str_skip(line, 4));
    (void)enhanced_take(&text, out->code, out->enhanced);
    struct scan t = scan_of(text);
    read_text(&t, out);
    return true;
}

static bool
read_data(struct scan *s, struct milter_said *out)
{
    switch (out->what) {
    case MILTER_TERMS: return read_terms(s, out);
    case MILTER_REPLY_CODE: return read_reply(s, out);
    case MILTER_ACCEPT:
    case MILTER_CONTINUE:
    case MILTER_DISCARD:
    case MILTER_REJECT:
    case MILTER_TEMPFAIL:
    case MILTER_SKIP:
    case MILTER_PROGRESS:
    case MILTER_CONN_FAIL:
    case MILTER_SHUTDOWN: return scan_at_end(s);
    case MILTER_REPLACE_BODY: out->value = scan_rest(s); return true;
    case MILTER_ADD_RCPT:
    case MILTER_DELETE_RCPT:
    case MILTER_QUARANTINE: return last_string(s, &out->value);
    case MILTER_CHANGE_FROM:
    case MILTER_ADD_RCPT_PAR: /* its parameters may be missing */
        return take_string(s, &out->value) && (scan_at_end(s) || last_string(s, &out->name));
    case MILTER_ADD_HEADER: return take_string(s, &out->name) && last_string(s, &out->value);
    case MILTER_INSERT_HEADER:
    case MILTER_CHANGE_HEADER:
        return scan_be32(s, &out->index) && take_string(s, &out->name) &&
               last_string(s, &out->value);
    }
    return false; /* no such answer */
}

enum status
milter_read(struct str packet, struct milter_said *out)
{
    struct scan s = scan_of(packet);
    struct milter_said said = {.name = STR(""), .value = STR("")};
    uint8_t what;

    if (!scan_u8(&s, &what))
        return ERR_SYNTAX;
    said.what = (enum milter_answer)what; /* read_data() knows which there are */
    if (!read_data(&s, &said))
        return ERR_SYNTAX;
    *out = said;
    return OK;
}

/* ---- fields ---- */

void
milter_value_out(struct buf *b, struct str value, bool leading_space)
{
    if (!leading_space && value.len > 0 && value.ptr[0] == ' ')
        value = str_skip(value, 1);
    for (size_t i = 0; i < value.len; i++) {
        char c = value.ptr[i];
        bool crlf = c == '\r' && i + 1 < value.len && value.ptr[i + 1] == '\n';
        if (!crlf)
            buf_add_char(b, c == '\0' ? ' ' : c);
    }
}

/* A line after the first begins with a blank, or would be a field or the end of the header; an empty one is left
 * out. */
static void
add_line(struct buf *b, struct str line, bool first)
{
    if (!first) {
        if (str_trim(line).len == 0)
            return;
        buf_add_z(b, "\r\n");
        if (!ascii_is_space(line.ptr[0]))
            buf_add_char(b, '\t');
    }
    for (size_t i = 0; i < line.len; i++)
        buf_add_char(b, line.ptr[i] == '\0' || line.ptr[i] == '\r' ? ' ' : line.ptr[i]);
}

enum status
milter_field_in(struct buf *b, struct str name, struct str value, bool leading_space)
{
    struct str line;
    bool first = true;

    if (!header_name_ok(name))
        return ERR_SYNTAX;
    buf_add(b, name);
    buf_add_z(b, leading_space ? ":" : ": ");
    while (str_split(&value, '\n', &line)) {
        if (line.len > 0 && line.ptr[line.len - 1] == '\r')
            line.len--;
        add_line(b, line, first);
        first = false;
    }
    buf_add_z(b, "\r\n");
    return buf_status(b);
}
