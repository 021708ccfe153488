/* log_fuzz.c - values from a peer go into a line and must come out of it again.
 *
 * Input:     values separated by the byte 0xfe, each one field.
 * Contract:  one line of printable ASCII, not over the limit; a reader of the format in log.h gets
 *            every field back: whole, or a prefix where the line says that it was cut.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/log.h"
#include "base/mem.h"
#include "base/scan.h"
#include "base/size.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char head[] = "t=2026-11-23T22:31:12.123456Z lvl=warn ev=some.event";

static bool
is_bare(char c)
{
    return ascii_is_alnum(c) || str_find(STR("._:@<>/+-"), c) >= 0;
}

static uint8_t
hex_digit(struct scan *s)
{
    uint8_t c = 0;

    ASSERT(scan_u8(s, &c));
    ASSERT(ascii_is_digit((char)c) || (c >= 'a' && c <= 'f'));
    return (uint8_t)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* After the opening quote; consumes the closing one. */
static void
read_quoted(struct scan *s, struct buf *out)
{
    uint8_t c = 0;

    for (;;) {
        ASSERT(scan_u8(s, &c));
        if (c == '"')
            return;
        if (c == '\\') {
            ASSERT(scan_u8(s, &c));
            ASSERT(c == '"' || c == '\\' || c == 'x');
            if (c == 'x') {
                c = (uint8_t)(hex_digit(s) << 4);
                c = (uint8_t)(c | hex_digit(s));
                ASSERT(c < 0x20 || c >= 0x7f); /* no needless escape: one value, one spelling */
            }
        }
        buf_add_char(out, (char)c);
    }
}

/* One value.  True when it was cut. */
static bool
read_value(struct scan *s, struct buf *out)
{
    if (scan_char(s, '"')) {
        read_quoted(s, out);
        return scan_str(s, STR("..."));
    }
    struct str bare;
    ASSERT(scan_while(s, is_bare, LOG_VALUE_MAX, &bare));
    buf_add(out, bare);
    return false;
}

static void
check_bytes(struct str line)
{
    ASSERT(line.len > 0 && line.len <= LOG_LINE_MAX);
    for (size_t i = 0; i + 1 < line.len; i++)
        ASSERT(line.ptr[i] >= 0x20 && line.ptr[i] < 0x7f);
    ASSERT(line.ptr[line.len - 1] == '\n');
}

/* The fields of the line are the values of the input, in order; the last may be missing if it says so. */
static void
check_fields(struct str line, struct str values)
{
    struct scan s = scan_of(line);
    struct str value;

    ASSERT(scan_str(&s, str_of(head)));
    while (str_split(&values, '\xfe', &value)) {
        if (scan_str(&s, STR(" ...\n"))) {
            ASSERT(scan_at_end(&s) && line.len > LOG_LINE_MAX - 64);
            return;
        }
        AUTO_BUF out = BUF(LOG_LINE_MAX);
        ASSERT(scan_str(&s, STR(" k=")));
        bool cut = read_value(&s, &out);
        ASSERT(buf_status(&out) == OK && out.len <= value.len);
        ASSERT(str_starts(value, buf_str(&out)) && cut == (out.len < value.len));
    }
    ASSERT(scan_char(&s, '\n') && scan_at_end(&s));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str in = str_from((const char *)data, size);
    struct str left = in, value;
    AUTO(log_line_release) struct log_line l;

    log_line_init(&l, (struct instant){1795473072123456}, LOG_WARN, "some.event");
    while (str_split(&left, '\xfe', &value))
        log_str(&l, "k", value);
    struct str line = log_line_end(&l);
    check_bytes(line);
    check_fields(line, in);
    return 0;
}
