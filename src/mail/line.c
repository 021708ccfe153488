/* line.c - line ends, dot-stuffing and the end of DATA.  See line.h.
 *
 * Both directions share one scanner, clean_prefix(), which runs over clean text sixteen bytes at a time, then with
 * memchr(), and stops where a decision is due: at a dot that begins a line and at bytes that may not stand there.
 * The states say which bytes stand before the cursor.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/size.h"
#include "base/status.h"
#include "mail/line.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
    AT_BOL,    /* a line begins here */
    AT_TEXT,   /* inside a line */
    AT_CR,     /* a CR was read and is held back */
    AT_DOT,    /* a dot that begins a line was read and is held back */
    AT_DOT_CR, /* the same, and a CR; the line began after CRLF, so LF now is the end */
    AT_DONE,
    /* After a bare LF turned into CRLF: dots are unstuffed as after CRLF, since clients that send
     * bare LF stuff by their own lines, but no dot there ends the message. */
    AT_SOFT_BOL,
    AT_SOFT_DOT,
};

static const char crlf[] = "\r\n";
static const char space[] = " ";

static void account(struct line_decoder *d, struct str run);

#ifdef __SSE2__
/* Sixteen bytes at p hold nothing at which clean_prefix() stops.  Reads p[-1] and p[16] too. */
static bool
is_clean_16(const char *p)
{
    const __m128i here = _mm_loadu_si128((const __m128i_u *)p);
    const __m128i before = _mm_loadu_si128((const __m128i_u *)(p - 1));
    const __m128i after = _mm_loadu_si128((const __m128i_u *)(p + 1));
    const __m128i lf = _mm_set1_epi8('\n'), cr = _mm_set1_epi8('\r'), dot = _mm_set1_epi8('.');
    const __m128i is_lf = _mm_cmpeq_epi8(here, lf);
    const __m128i bare_lf = _mm_andnot_si128(_mm_cmpeq_epi8(before, cr), is_lf);
    const __m128i bare_cr = _mm_andnot_si128(_mm_cmpeq_epi8(after, lf), _mm_cmpeq_epi8(here, cr));
    const __m128i dot_line = _mm_and_si128(is_lf, _mm_cmpeq_epi8(after, dot));
    const __m128i nul = _mm_cmpeq_epi8(here, _mm_setzero_si128());

    return _mm_movemask_epi8(
               _mm_or_si128(_mm_or_si128(bare_lf, bare_cr), _mm_or_si128(dot_line, nul))) == 0;
}

/* Most mail is clean for many lines.  Ends at or before the place where clean_prefix() stops, not within a CR LF. */
static const char *
skip_clean(const char *p, const char *end)
{
    const char *from = p++; /* p[-1] is ours to look at */

    if (end - from < 34 || *from == '\r' || *from == '\n' || *from == '\0')
        return from;
    while (end - p > 16 && is_clean_16(p))
        p += 16;
    return p[-1] == '\r' ? p - 1 : p;
}
#else
static const char *
skip_clean(const char *p, const char *end)
{
    (void)end;
    return p;
}
#endif

/* How far the bytes are text in whole CRLF lines, plus text without its line end.  Stops at a line
 * that begins with a dot, at NUL, at a bare LF, and at a CR that no LF follows in this chunk. */
static const char *
clean_prefix(const char *p, const char *end)
{
    for (p = skip_clean(p, end);;) {
        size_t left = (size_t)(end - p);
        const char *lf = memchr(p, '\n', left);
        const char *stop = lf != NULL ? lf : end;
        const char *cr = memchr(p, '\r', (size_t)(stop - p));
        const char *text_end = cr != NULL ? cr : stop;
        const char *nul = memchr(p, '\0', (size_t)(text_end - p));

        if (nul != NULL)
            return nul;
        if (cr == NULL || cr + 1 != lf)
            return text_end;
        p = lf + 1;
        if (p == end || *p == '.')
            return p;
    }
}

void
line_decoder_init(struct line_decoder *d, enum line_policy policy)
{
    *d = (struct line_decoder){.policy = policy, .state = AT_BOL};
}

void
line_decoder_init_counted(struct line_decoder *d, enum line_policy policy)
{
    *d = (struct line_decoder){.policy = policy, .counted = true, .state = AT_BOL};
}

/* Hands out one run, unless the message is already to be refused. */
static bool
give(struct line_decoder *d, struct str run, struct str *run_out)
{
    if (run.len == 0 || (d->policy == LINE_REFUSE && d->faults != 0))
        return false;
    account(d, run);
    *run_out = run;
    return true;
}

/* Text at the cursor, which is not a held-back state. */
static bool
decode_text(struct line_decoder *d, struct scan *in, struct str *run_out)
{
    const char *from = in->pos;
    const char *to = clean_prefix(from, in->end);

    in->pos = to;
    if (to > from) {
        d->state = to[-1] == '\n' ? AT_BOL : AT_TEXT;
        return give(d, str_from(from, (size_t)(to - from)), run_out);
    }
    /* clean_prefix() stopped at once: CR, LF or NUL. */
    char c = *in->pos++;
    if (c == '\r') {
        d->state = AT_CR;
        return false;
    }
    d->faults |= c == '\n' ? LINE_BARE_LF : LINE_NUL;
    d->state = c == '\n' ? AT_SOFT_BOL : AT_TEXT;
    return give(d, c == '\n' ? STR("\r\n") : STR(" "), run_out);
}

/* A CR is held back: with LF it is a line end, or the end of the message after a dot. */
static bool
decode_cr(struct line_decoder *d, struct scan *in, struct str *run_out)
{
    if (*in->pos == '\n') {
        in->pos++;
        d->state = AT_BOL;
        return give(d, str_from(crlf, 2), run_out);
    }
    d->faults |= LINE_BARE_CR;
    d->state = AT_TEXT;
    return give(d, str_from(space, 1), run_out);
}

/* One step; true when a run is ready. */
static bool
decode_step(struct line_decoder *d, struct scan *in, struct str *run_out)
{
    char c = *in->pos;

    switch (d->state) {
    case AT_BOL:
    case AT_SOFT_BOL:
        if (c != '.' || d->counted)
            return decode_text(d, in, run_out);
        in->pos++;
        d->state = d->state == AT_BOL ? AT_DOT : AT_SOFT_DOT;
        return false;
    case AT_DOT:
        if (c != '\r')
            return decode_text(d, in, run_out);
        in->pos++;
        d->state = AT_DOT_CR;
        return false;
    case AT_DOT_CR:
        if (c != '\n')
            return decode_cr(d, in, run_out);
        in->pos++;
        d->state = AT_DONE;
        return false;
    case AT_CR: return decode_cr(d, in, run_out);
    case AT_SOFT_DOT:
    case AT_TEXT: return decode_text(d, in, run_out);
    default: UNREACHABLE();
    }
}

enum line_event
line_decode(struct line_decoder *d, struct scan *in, struct str *run_out)
{
    ASSERT(d->state != AT_DONE);
    while (in->pos < in->end) {
        if (decode_step(d, in, run_out))
            return LINE_RUN;
        if (d->state == AT_DONE)
            return LINE_END;
    }
    return LINE_MORE;
}

struct str
line_decode_end(struct line_decoder *d)
{
    struct str tail = d->state == AT_TEXT ? STR("\r\n") : STR_NONE;
    struct str run = STR_NONE;

    ASSERT(d->counted && d->state != AT_DONE);
    if (d->state == AT_CR) {
        d->faults |= LINE_BARE_CR;
        tail = STR(" \r\n");
    }
    d->state = AT_DONE;
    return give(d, tail, &run) ? run : STR_NONE;
}

void
line_encoder_init(struct line_encoder *e)
{
    *e = (struct line_encoder){.state = AT_BOL};
}

static struct str
encode_text(struct line_encoder *e, struct scan *in)
{
    const char *from = in->pos;
    const char *to = clean_prefix(from, in->end);

    in->pos = to;
    if (to > from) {
        e->state = to[-1] == '\n' ? AT_BOL : AT_TEXT;
        return str_from(from, (size_t)(to - from));
    }
    char c = *in->pos++;
    if (c == '\r') {
        e->state = AT_CR;
        return STR_NONE;
    }
    e->state = c == '\n' ? AT_BOL : AT_TEXT;
    return c == '\n' ? STR("\r\n") : STR(" ");
}

static struct str
encode_step(struct line_encoder *e, struct scan *in)
{
    switch (e->state) {
    case AT_BOL: e->state = AT_TEXT; return *in->pos == '.' ? STR(".") : STR_NONE;
    case AT_CR:
        e->state = *in->pos == '\n' ? AT_BOL : AT_TEXT;
        if (e->state == AT_TEXT)
            return str_from(space, 1);
        in->pos++;
        return str_from(crlf, 2);
    case AT_TEXT: return encode_text(e, in);
    default: UNREACHABLE();
    }
}

enum line_event
line_encode(struct line_encoder *e, struct scan *in, struct str *run_out)
{
    ASSERT(e->state != AT_DONE);
    while (in->pos < in->end) {
        struct str run = encode_step(e, in);

        if (run.len > 0) {
            e->size += run.len;
            *run_out = run;
            return LINE_RUN;
        }
    }
    return LINE_MORE;
}

struct str
line_encode_end(struct line_encoder *e)
{
    struct str tail = STR("\r\n.\r\n");

    ASSERT(e->state != AT_DONE);
    if (e->state == AT_BOL)
        tail = str_skip(tail, 2);
    else if (e->state == AT_CR)
        tail = STR(" \r\n.\r\n");
    e->state = AT_DONE;
    e->size += tail.len;
    return tail;
}

/* Line lengths and counts.  Every LF of a run stands after its CR in the same run. */
static void
account(struct line_decoder *d, struct str run)
{
    const char *p = run.ptr;
    const char *end = run.ptr + run.len;
    const char *lf;

    ASSERT(run.len > 0);
    d->size += run.len;
    while (p < end && (lf = memchr(p, '\n', (size_t)(end - p))) != NULL) {
        d->column += (uint64_t)(lf - p) - 1;
        d->longest = MAX(d->longest, d->column);
        d->column = 0;
        d->lines++;
        p = lf + 1;
    }
    d->column += (uint64_t)(end - p);
    d->longest = MAX(d->longest, d->column);
}
