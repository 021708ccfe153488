/* fold.c - i;unicode-casemap.  See fold.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <unicode/uchar.h>
#include <unicode/unorm2.h>

#include "base/encode.h"
#include "base/scan.h"
#include "mail/fold.h"

enum { DECOMPOSED_MAX = 32 }; /* UTF-16 units; the longest decomposition has 18 */

/* RFC 5051 section 2: titlecase, then the compatibility decomposition, of one character. */
static void
add_folded(const UNormalizer2 *nfkd, uint32_t c, struct buf *b)
{
    UChar units[DECOMPOSED_MAX];
    UErrorCode error = U_ZERO_ERROR;
    UChar32 title = u_totitle((UChar32)c); /* a code point: fits */
    int32_t n =
        nfkd != NULL ? unorm2_getDecomposition(nfkd, title, units, DECOMPOSED_MAX, &error) : -1;

    if (n <= 0 || U_FAILURE(error)) {
        buf_add_utf8(b, (uint32_t)title);
        return;
    }
    for (int32_t i = 0; i < n; i++) {
        uint32_t part = units[i];
        if (part >= 0xd800 && part < 0xdc00 && i + 1 < n)
            part = 0x10000 + ((part - 0xd800) << 10) + (units[++i] - 0xdc00u);
        buf_add_utf8(b, part);
    }
}

void
fold_collate(struct str text, size_t max, struct buf *out)
{
    struct scan s = scan_of(text);
    size_t start = out->len;
    UErrorCode error = U_ZERO_ERROR;
    const UNormalizer2 *nfkd = NULL;

    while (!scan_at_end(&s)) {
        AUTO_BUF one = BUF(256);
        uint32_t c = 0;

        if ((unsigned char)*s.pos < 0x80) {
            if (out->len - start + 1 > max)
                return;
            buf_add_char(out, ascii_upper(*s.pos++));
            continue;
        }
        if (!scan_utf8(&s, &c)) {
            s.pos++;
            c = 0xfffd;
        }
        if (nfkd == NULL)
            nfkd = unorm2_getNFKDInstance(&error);
        add_folded(U_FAILURE(error) ? NULL : nfkd, c, &one);
        if (out->len - start + one.len > max)
            return;
        buf_add(out, buf_str(&one));
    }
}

void
fold_preload(void)
{
    AUTO_BUF b = BUF(64);

    fold_collate(STR("a\xc3\xa4\xef\xac\x81"), 64, &b);
}
