/* charset.c - text in any charset to UTF-8.  See charset.h.
 *
 * UTF-8, ASCII and windows-1252 are done here; ISO-8859-1 and an unknown charset are read as windows-1252,
 * as every mail program does.  The rest is iconv's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <iconv.h>

#include "base/encode.h"
#include "base/scan.h"
#include "base/size.h"
#include "mail/charset.h"

static void utf8_clean(struct str bytes, struct buf *out);
static void windows_1252(struct str bytes, struct buf *out);

/* What mail calls a charset, and the iconv name that reads it best: the supersets that senders mean. */
static const struct alias {
    struct str name;
    const char *iconv;
} aliases[] = {
#define ALIAS(name, iconv)              \
    {                                   \
        {name, sizeof(name) - 1}, iconv \
    }
    ALIAS("big5", "BIG5-HKSCS"),
    ALIAS("big5-hkscs", "BIG5-HKSCS"),
    ALIAS("cp437", "IBM437"),
    ALIAS("ibm437", "IBM437"),
    ALIAS("cp850", "IBM850"),
    ALIAS("ibm850", "IBM850"),
    ALIAS("ibm852", "IBM852"),
    ALIAS("cp866", "IBM866"),
    ALIAS("ibm866", "IBM866"),
    ALIAS("cp932", "CP932"),
    ALIAS("euc-jp", "EUC-JP-MS"),
    ALIAS("euc-kr", "UHC"),
    ALIAS("euc-tw", "EUC-TW"),
    ALIAS("gb18030", "GB18030"),
    ALIAS("gb2312", "GB18030"),
    ALIAS("gbk", "GB18030"),
    ALIAS("cp936", "GB18030"),
    ALIAS("hz-gb-2312", "GB18030"),
    ALIAS("iso-2022-cn", "ISO-2022-CN"),
    ALIAS("iso-2022-jp", "ISO-2022-JP-2"),
    ALIAS("iso-2022-kr", "ISO-2022-KR"),
    ALIAS("iso-8859-2", "ISO-8859-2"),
    ALIAS("iso-8859-3", "ISO-8859-3"),
    ALIAS("iso-8859-4", "ISO-8859-4"),
    ALIAS("iso-8859-5", "ISO-8859-5"),
    ALIAS("iso-8859-6", "ISO-8859-6"),
    ALIAS("iso-8859-7", "ISO-8859-7"),
    ALIAS("iso-8859-8", "ISO-8859-8"),
    ALIAS("iso-8859-8-i", "ISO-8859-8"),
    ALIAS("iso-8859-9", "ISO-8859-9"),
    ALIAS("iso-8859-10", "ISO-8859-10"),
    ALIAS("iso-8859-13", "ISO-8859-13"),
    ALIAS("iso-8859-14", "ISO-8859-14"),
    ALIAS("iso-8859-15", "ISO-8859-15"),
    ALIAS("iso-8859-16", "ISO-8859-16"),
    ALIAS("koi8-r", "KOI8-R"),
    ALIAS("koi8-u", "KOI8-U"),
    ALIAS("ks_c_5601-1987", "UHC"),
    ALIAS("macintosh", "MACINTOSH"),
    ALIAS("shift_jis", "CP932"),
    ALIAS("shift-jis", "CP932"),
    ALIAS("tis-620", "TIS-620"),
    ALIAS("unicode-1-1-utf-7", "UTF-7"),
    ALIAS("utf-7", "UTF-7"),
    ALIAS("utf-16", "UTF-16"),
    ALIAS("utf-16be", "UTF-16BE"),
    ALIAS("utf-16le", "UTF-16LE"),
    ALIAS("utf-32", "UTF-32"),
    ALIAS("windows-874", "CP874"),
    ALIAS("windows-1250", "CP1250"),
    ALIAS("windows-1251", "CP1251"),
    ALIAS("cp1251", "CP1251"),
    ALIAS("windows-1253", "CP1253"),
    ALIAS("windows-1254", "CP1254"),
    ALIAS("windows-1255", "CP1255"),
    ALIAS("windows-1256", "CP1256"),
    ALIAS("windows-1257", "CP1257"),
    ALIAS("windows-1258", "CP1258"),
#undef ALIAS
};

enum converter_state { CONVERTER_CLOSED, CONVERTER_OPEN, CONVERTER_MISSING };

/* Converters are not safe to share between threads, and opening one costs 30 us. */
static _Thread_local struct {
    iconv_t handle[COUNT_OF(aliases)];
    unsigned char state[COUNT_OF(aliases)]; /* enum converter_state */
} converters;

static bool
converter_open(size_t i)
{
    if (converters.state[i] == CONVERTER_CLOSED) {
        iconv_t handle = iconv_open("UTF-8", aliases[i].iconv);
        bool failed = handle == (iconv_t)-1; /* what POSIX returns for failure */
        converters.state[i] = failed ? CONVERTER_MISSING : CONVERTER_OPEN;
        converters.handle[i] = handle;
    }
    return converters.state[i] == CONVERTER_OPEN;
}

unsigned
charset_preload(void)
{
    unsigned missing = 0;

    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        missing += !converter_open(i);
    return missing;
}

void
charset_unload(void)
{
    for (size_t i = 0; i < COUNT_OF(aliases); i++) {
        if (converters.state[i] == CONVERTER_OPEN)
            iconv_close(converters.handle[i]);
        converters.state[i] = CONVERTER_CLOSED;
    }
}

static bool
is_utf8_name(struct str charset)
{
    return str_eq_nocase(charset, STR("utf-8")) || str_eq_nocase(charset, STR("utf8")) ||
           str_eq_nocase(charset, STR("us-ascii")) || str_eq_nocase(charset, STR("ascii"));
}

static bool
is_latin_name(struct str charset)
{
    return str_eq_nocase(charset, STR("iso-8859-1")) ||
           str_eq_nocase(charset, STR("windows-1252")) || str_eq_nocase(charset, STR("latin1")) ||
           str_eq_nocase(charset, STR("cp1252"));
}

/* Index into the table, or -1. */
static ssize_t
alias_index(struct str charset)
{
    for (size_t i = 0; i < COUNT_OF(aliases); i++)
        if (str_eq_nocase(aliases[i].name, charset))
            return (ssize_t)i;
    return -1;
}

bool
charset_known(struct str charset)
{
    ssize_t i = alias_index(charset);

    return is_utf8_name(charset) || is_latin_name(charset) || (i >= 0 && converter_open((size_t)i));
}

/* Valid UTF-8 without NUL as it is; iconv gives nothing else, but NUL may be in the input. */
static void
add_converted(struct buf *out, struct str text)
{
    size_t from = 0;

    for (size_t i = 0; i < text.len; i++) {
        if (text.ptr[i] != '\0')
            continue;
        buf_add(out, str_sub(text, from, i - from));
        buf_add_utf8(out, 0xfffd);
        from = i + 1;
    }
    buf_add(out, str_skip(text, from));
}

/* A block at a time; bytes that no character begins with are replaced one by one. */
static void
convert(iconv_t handle, struct str bytes, struct buf *out)
{
    char block[512];
    char *in = (char *)(uintptr_t)bytes.ptr; /* iconv() takes char ** but does not write there */
    size_t left = bytes.len;
    uint64_t budget = 3 * (uint64_t)bytes.len + 16;

    iconv(handle, NULL, NULL, NULL, NULL);
    while (left > 0 && !out->over && budget > 0) {
        char *to = block;
        size_t room = sizeof(block);
        size_t rc = iconv(handle, &in, &left, &to, &room);
        int error = rc == (size_t)-1 ? errno : 0;
        size_t made = (size_t)(to - block);

        add_converted(out, str_from(block, MIN(made, budget)));
        budget -= MIN(made, budget);
        if (error == 0 || left == 0)
            break;
        if (error == E2BIG)
            continue;
        buf_add_utf8(out, 0xfffd);
        in++;
        left--;
        if (error == EINVAL) /* cut off in the middle of a character */
            break;
    }
}

void
charset_guess_to_utf8(struct str bytes, struct buf *out)
{
    ASSERT(out != NULL);
    if (utf8_valid(bytes))
        add_converted(out, bytes);
    else
        windows_1252(bytes, out);
}

void
charset_to_utf8(struct str charset, struct str bytes, struct buf *out)
{
    ssize_t i = -1;

    ASSERT(out != NULL);
    if (is_utf8_name(charset)) {
        utf8_clean(bytes, out);
        return;
    }
    if (is_latin_name(charset)) {
        windows_1252(bytes, out);
        return;
    }
    i = alias_index(charset);
    if (i >= 0 && converter_open((size_t)i))
        convert(converters.handle[i], bytes, out);
    else
        charset_guess_to_utf8(bytes, out);
}

/* Each byte that begins no valid sequence becomes one U+FFFD. */
static void
utf8_clean(struct str bytes, struct buf *out)
{
    struct scan s = scan_of(bytes);

    if (utf8_valid(bytes)) {
        add_converted(out, bytes);
        return;
    }
    while (!scan_at_end(&s)) {
        const char *from = s.pos;
        uint32_t code_point = 0;

        while (scan_utf8(&s, &code_point))
            continue;
        add_converted(out, str_from(from, (size_t)(s.pos - from)));
        if (!scan_at_end(&s)) {
            buf_add_utf8(out, 0xfffd);
            s.pos++;
        }
    }
}

static void
windows_1252(struct str bytes, struct buf *out)
{
    static const uint16_t high[32] = {
        0x20ac, 0x81,   0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0x8d,   0x017d, 0x8f,   0x90,   0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0x9d,   0x017e, 0x0178};

    for (size_t i = 0; i < bytes.len; i++) {
        unsigned char c = (unsigned char)bytes.ptr[i];
        if (c >= 0x80 && c < 0xa0)
            buf_add_utf8(out, high[c - 0x80]);
        else if (c == 0)
            buf_add_utf8(out, 0xfffd);
        else
            buf_add_utf8(out, c);
    }
}
