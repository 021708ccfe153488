/* line_test.c - every short input in every split, against a reference that goes byte by byte.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "mail/line.h"

enum { SHORT_MAX = 7, ALPHABET = 5 };

struct outcome {
    char text[64];
    size_t len;
    unsigned faults;
    bool ended;
    size_t used; /* input bytes up to and with the end of the message */
    uint64_t lines;
    uint64_t longest;
};

/* The reference for text without transparency: line ends and forbidden bytes, one byte at a time. */
struct plain {
    char bytes[64];
    size_t len;
    unsigned faults;
};

static void
plain_char(struct plain *p, char c)
{
    p->bytes[p->len++] = c;
}

/* Lines as the peer means them: split at CRLF and bare LF; each knows what stood before it. */
static struct outcome
reference_decode(const char *in, size_t n, enum line_policy policy, bool counted)
{
    struct outcome o = {.used = n};
    struct plain out = {.len = 0};
    bool bol = true;      /* a line begins, after CRLF or bare LF */
    bool hard_bol = true; /* ... after CRLF, or at the start */
    uint64_t column = 0;
    size_t keep = SIZE_MAX; /* what was out before the first fault */

    for (size_t i = 0; i < n; i++) {
        char c = in[i];
        bool crlf_here = c == '\r' && i + 1 < n && in[i + 1] == '\n';
        unsigned fault = 0;

        if (bol && c == '.' && !counted) {
            if (hard_bol && i + 2 < n && in[i + 1] == '\r' && in[i + 2] == '\n') {
                o.ended = true;
                o.used = i + 3;
                break;
            }
            bol = hard_bol = false;
            continue;
        }
        bol = hard_bol = false;
        if (c == '\r' && i + 1 == n && !counted)
            break; /* undecided: held back */
        if (crlf_here) {
            plain_char(&out, '\r');
            plain_char(&out, '\n');
            i++;
            bol = hard_bol = true;
        } else if (c == '\r') {
            fault = LINE_BARE_CR;
        } else if (c == '\n') {
            fault = LINE_BARE_LF;
        } else if (c == '\0') {
            fault = LINE_NUL;
        } else {
            plain_char(&out, c);
        }
        if (fault != 0) {
            if (keep == SIZE_MAX)
                keep = out.len;
            o.faults |= fault;
            if (c == '\n') {
                plain_char(&out, '\r');
                plain_char(&out, '\n');
                bol = true;
            } else {
                plain_char(&out, ' ');
            }
        }
    }
    if (counted && out.len > 0 && out.bytes[out.len - 1] != '\n') {
        plain_char(&out, '\r');
        plain_char(&out, '\n');
    }
    o.len = policy == LINE_REFUSE && keep != SIZE_MAX ? keep : out.len;
    memcpy(o.text, out.bytes, o.len);
    for (size_t i = 0; i < o.len; i++) {
        if (o.text[i] == '\n') {
            o.lines++;
            column = 0;
        } else if (o.text[i] != '\r') {
            column++;
        }
        if (column > o.longest)
            o.longest = column;
    }
    return o;
}

/* Feeds one chunk; false once the message has ended. */
static bool
feed(struct line_decoder *d, struct str chunk, struct outcome *o, bool check_runs)
{
    struct scan s = scan_of(chunk);
    struct str run = STR_NONE;
    enum line_event event;

    while ((event = line_decode(d, &s, &run)) == LINE_RUN) {
        if (check_runs) {
            assert_true(run.len > 0 && o->len + run.len <= sizeof(o->text));
            assert_int_not_equal(run.ptr[run.len - 1], '\r');
            assert_true(run.ptr[0] != '\n');
        }
        memcpy(o->text + o->len, run.ptr, run.len);
        o->len += run.len;
    }
    o->used += (size_t)(s.pos - chunk.ptr);
    o->ended = event == LINE_END;
    return !o->ended;
}

static struct outcome
decode_split(const char *in, size_t n, unsigned cuts, enum line_policy policy, bool counted)
{
    struct outcome o = {.len = 0};
    struct line_decoder d;
    size_t from = 0;

    if (counted)
        line_decoder_init_counted(&d, policy);
    else
        line_decoder_init(&d, policy);
    for (size_t i = 1; i <= n; i++) {
        if (i < n && (cuts >> (i - 1) & 1) == 0)
            continue;
        if (!feed(&d, str_from(in + from, i - from), &o, true))
            break;
        from = i;
    }
    if (counted) {
        struct str tail = line_decode_end(&d);
        memcpy(o.text + o.len, tail.ptr == NULL ? "" : tail.ptr, tail.len);
        o.len += tail.len;
    }
    assert_int_equal(d.size, o.len);
    o.faults = d.faults;
    o.lines = d.lines;
    o.longest = d.longest;
    return o;
}

static void
assert_same(const struct outcome *a, const struct outcome *b)
{
    if (a->len == b->len && memcmp(a->text, b->text, a->len) == 0 && a->faults == b->faults &&
        a->ended == b->ended && a->used == b->used && a->lines == b->lines &&
        a->longest == b->longest)
        return;
    print_error("got  \"%.*s\" len %zu faults %u ended %d used %zu\n", (int)a->len, a->text, a->len,
                a->faults, a->ended, a->used);
    print_error("want \"%.*s\" len %zu faults %u ended %d used %zu\n", (int)b->len, b->text, b->len,
                b->faults, b->ended, b->used);
    fail();
}

static void
test_decode_exhaustive(void **state)
{
    static const char alphabet[ALPHABET] = {'\r', '\n', '.', 'a', '\0'};
    size_t ends = 0;
    (void)state;

    for (size_t n = 0; n <= SHORT_MAX; n++) {
        size_t inputs = 1;
        for (size_t i = 0; i < n; i++)
            inputs *= ALPHABET;
        for (size_t k = 0; k < inputs; k++) {
            char in[SHORT_MAX + 1];
            size_t rest = k;
            for (size_t i = 0; i < n; i++, rest /= ALPHABET)
                in[i] = alphabet[rest % ALPHABET];
            for (int way = 0; way < 4; way++) {
                enum line_policy policy = (way & 1) != 0 ? LINE_NORMALISE : LINE_REFUSE;
                bool counted = (way & 2) != 0;
                struct outcome want = reference_decode(in, n, policy, counted);
                ends += want.ended;
                for (unsigned cuts = 0; cuts < (n > 1 ? 1u << (n - 1) : 1); cuts++) {
                    struct outcome got = decode_split(in, n, cuts, policy, counted);
                    assert_same(&got, &want);
                }
            }
        }
    }
    assert_true(ends > 1000); /* the end was among what was tried */
}

/* What encodes to what; then decoding gives the normalised text back. */
static void
test_encode_exhaustive(void **state)
{
    static const char alphabet[ALPHABET] = {'\r', '\n', '.', 'a', '\0'};
    (void)state;

    for (size_t n = 0; n <= SHORT_MAX; n++) {
        size_t inputs = 1;
        for (size_t i = 0; i < n; i++)
            inputs *= ALPHABET;
        for (size_t k = 0; k < inputs; k++) {
            char in[SHORT_MAX + 1];
            size_t rest = k;
            for (size_t i = 0; i < n; i++, rest /= ALPHABET)
                in[i] = alphabet[rest % ALPHABET];
            for (unsigned cuts = 0; cuts < (n > 1 ? 1u << (n - 1) : 1); cuts++) {
                char wire[64];
                size_t len = 0;
                size_t from = 0;
                struct line_encoder e;
                struct str run;

                line_encoder_init(&e);
                for (size_t i = 1; i <= n; i++) {
                    if (i < n && (cuts >> (i - 1) & 1) == 0)
                        continue;
                    struct scan s = scan_of(str_from(in + from, i - from));
                    while (line_encode(&e, &s, &run) == LINE_RUN) {
                        memcpy(wire + len, run.ptr, run.len);
                        len += run.len;
                    }
                    from = i;
                }
                run = line_encode_end(&e);
                memcpy(wire + len, run.ptr, run.len);
                len += run.len;
                assert_int_equal(e.size, len);

                /* The reference: normalise, finish the last line; the strict decoder must take it. */
                struct plain want = {.len = 0};
                for (size_t i = 0; i < n; i++) {
                    bool crlf = in[i] == '\r' && i + 1 < n && in[i + 1] == '\n';
                    if (crlf || in[i] == '\n') {
                        plain_char(&want, '\r');
                        plain_char(&want, '\n');
                        i += crlf;
                    } else {
                        plain_char(&want, in[i] == '\r' || in[i] == '\0' ? ' ' : in[i]);
                    }
                }
                if (want.len > 0 && want.bytes[want.len - 1] != '\n') {
                    plain_char(&want, '\r');
                    plain_char(&want, '\n');
                }
                struct outcome got = reference_decode(wire, len, LINE_REFUSE, false);
                assert_int_equal(got.faults, 0);
                assert_true(got.ended);
                assert_int_equal(got.used, len);
                assert_int_equal(got.len, want.len);
                assert_memory_equal(got.text, want.bytes, want.len);
            }
        }
    }
}

/* What follows the end stays in the chunk: it is the next command (RFC 2920). */
static void
test_rest_is_left(void **state)
{
    struct line_decoder d;
    struct scan s = scan_of(STR("a\r\n.\r\nQUIT\r\n"));
    struct str run;
    (void)state;

    line_decoder_init(&d, LINE_REFUSE);
    assert_int_equal(line_decode(&d, &s, &run), LINE_RUN);
    assert_true(str_eq(run, STR("a\r\n")));
    assert_int_equal(line_decode(&d, &s, &run), LINE_END);
    assert_true(str_eq(scan_rest(&s), STR("QUIT\r\n")));
}

/* Whole lines of a chunk come out in one run that points into it. */
static void
test_zero_copy(void **state)
{
    static const char text[] = "one\r\ntwo\r\n\r\nthree . \r\n";
    struct line_decoder d;
    struct scan s = scan_of(STR(text));
    struct str run;
    (void)state;

    line_decoder_init(&d, LINE_NORMALISE);
    assert_int_equal(line_decode(&d, &s, &run), LINE_RUN);
    assert_ptr_equal(run.ptr, text);
    assert_int_equal(run.len, sizeof(text) - 1);
    assert_int_equal(d.lines, 4);
    assert_int_equal(d.longest, 8);
    assert_int_equal(line_decode(&d, &s, &run), LINE_MORE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_decode_exhaustive),
        cmocka_unit_test(test_encode_exhaustive),
        cmocka_unit_test(test_rest_is_left),
        cmocka_unit_test(test_zero_copy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
