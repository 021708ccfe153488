/* encoded_word.c - RFC 2047.  See encoded_word.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/encoded_word.h"
#include "base/encode.h"
#include "base/scan.h"
#include "base/size.h"
#include "mail/charset.h"
#include "mail/header.h"
#include "mail/transfer.h"

enum {
    WORD_BYTES = 45
}; /* of UTF-8 in one written word: 60 base64 characters + 12 of frame <= 75 */

struct word {
    struct str charset; /* without the language of RFC 2231 section 5 */
    bool base64;
    struct str text;
    size_t len; /* of the whole */
};

struct decoder {
    struct str in;
    size_t pos;
    size_t close;       /* the first "?=" at or after the last place asked for; in.len = none */
    struct str charset; /* of the pending bytes */
    struct buf pending; /* decoded bytes of neighbouring words of one charset */
    struct buf *out;
};

static void
flush_pending(struct decoder *d)
{
    if (d->pending.len > 0)
        charset_to_utf8(d->charset, buf_str(&d->pending), d->out);
    buf_reset(&d->pending);
}

/* The next "?=" from a place on.  Moves forward only, so all calls together cost one pass. */
static size_t
find_close(struct decoder *d, size_t from)
{
    if (d->close < from)
        d->close = from;
    while (d->close + 1 < d->in.len &&
           (d->in.ptr[d->close] != '?' || d->in.ptr[d->close + 1] != '='))
        d->close++;
    return d->close + 1 < d->in.len ? d->close : d->in.len;
}

/* encoded-word = "=?" charset "?" encoding "?" encoded-text "?="       RFC 2047 section 2 */
static bool
scan_word(struct decoder *d, struct word *out)
{
    struct scan s = scan_of(str_skip(d->in, d->pos));
    struct scan name = {.pos = NULL};
    struct str charset = STR_NONE;
    struct str encoding = STR_NONE;

    if (!scan_str(&s, STR("=?")))
        return false;
    name = scan_of(str_sub(scan_rest(&s), 0, CHARSET_NAME_MAX + 20));
    if (!scan_until(&name, '?', &charset) || charset.len == 0)
        return false;
    for (size_t i = 0; i < charset.len; i++)
        if (charset.ptr[i] <= ' ' || charset.ptr[i] == '=')
            return false;
    s.pos = name.pos + 1;
    if (scan_left(&s) < 4 || s.pos[1] != '?')
        return false;
    encoding = str_from(s.pos, 1);
    size_t from = (size_t)(s.pos + 2 - d->in.ptr);
    size_t close = find_close(d, from);
    if (close == d->in.len ||
        (!str_eq_nocase(encoding, STR("B")) && !str_eq_nocase(encoding, STR("Q"))))
        return false;
    ssize_t star = str_find(charset, '*');
    *out = (struct word){.charset = star >= 0 ? str_sub(charset, 0, (size_t)star) : charset,
                         .base64 = str_eq_nocase(encoding, STR("B")),
                         .text = str_sub(d->in, from, close - from),
                         .len = close + 2 - d->pos};
    return true;
}

/* Q encoding, RFC 2047 section 4.2: "_" is a space, "=XX" a byte. */
static void
add_q(struct buf *b, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] == '=' && text.len - i > 2 && hex_decode(str_sub(text, i + 1, 2), b) == OK)
            i += 2;
        else
            buf_add_char(b, text.ptr[i] == '_' ? ' ' : text.ptr[i]);
    }
}

static void
take_word(struct decoder *d, const struct word *w)
{
    if (!str_eq_nocase(w->charset, d->charset))
        flush_pending(d);
    d->charset = w->charset;
    if (w->base64) {
        struct transfer_decoder t;
        transfer_decoder_init(&t, TRANSFER_BASE64);
        transfer_decode(&t, w->text, &d->pending);
        transfer_decode_end(&t, &d->pending);
    } else {
        add_q(&d->pending, w->text);
    }
    d->pos += w->len;
}

static bool
is_blank(char c)
{
    return ascii_is_space(c) || c == '\r' || c == '\n';
}

/* Text up to the next "=?", with line ends taken out. */
static void
take_plain(struct decoder *d)
{
    size_t from = d->pos++;

    while (d->pos < d->in.len &&
           (d->in.ptr[d->pos] != '=' || d->pos + 1 >= d->in.len || d->in.ptr[d->pos + 1] != '?'))
        d->pos++;
    AUTO_BUF text = BUF(d->pos - from + 1);
    for (size_t i = from; i < d->pos; i++) {
        char c = d->in.ptr[i];
        if (c != '\r' && c != '\n')
            buf_add_char(&text, c == '\0' ? ' ' : c);
    }
    charset_guess_to_utf8(buf_str(&text), d->out);
}

void
encoded_word_decode(struct str text, struct buf *out)
{
    struct decoder d = {.in = str_trim(text), .out = out};
    struct word w;
    bool after_word = false;
    size_t begin = out->len;

    ASSERT(out != NULL);
    if (str_find_str(d.in, STR("=?")) < 0 && str_is_ascii(d.in)) {
        header_unfold(out, d.in);
        return;
    }
    buf_init(&d.pending, text.len + 1);
    while (d.pos < d.in.len && !out->over) {
        size_t start = d.pos;

        if (after_word) /* white space between two encoded words is not shown */
            while (d.pos < d.in.len && is_blank(d.in.ptr[d.pos]))
                d.pos++;
        if (d.pos < d.in.len && scan_word(&d, &w)) {
            take_word(&d, &w);
            after_word = true;
            continue;
        }
        d.pos = start;
        flush_pending(&d);
        take_plain(&d);
        after_word = false;
    }
    flush_pending(&d);
    buf_release(&d.pending);
    for (size_t i = begin; i < out->len; i++) /* a word may hold an encoded line end */
        if (out->ptr[i] == '\r' || out->ptr[i] == '\n')
            out->ptr[i] = ' ';
}

void
encoded_word_write(struct buf *b, struct str text)
{
    size_t at = 0;

    ASSERT(b != NULL && utf8_valid(text));
    if (str_is_ascii(text) && str_find_str(text, STR("=?")) < 0) {
        buf_add(b, text);
        return;
    }
    while (at < text.len) {
        size_t n = MIN(text.len - at, (size_t)WORD_BYTES);

        while (at + n < text.len && ((unsigned char)text.ptr[at + n] & 0xc0) == 0x80)
            n--;
        if (at > 0)
            buf_add_char(b, ' ');
        buf_add(b, STR("=?UTF-8?B?"));
        buf_add_base64(b, str_sub(text, at, n));
        buf_add(b, STR("?="));
        at += n;
    }
}
