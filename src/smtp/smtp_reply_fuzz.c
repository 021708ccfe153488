/* smtp_reply_fuzz.c - whatever a server says, what is kept of it is one printable line with an honest code.
 *
 * Lines are cut at LF.  After a reply is complete the next line begins another.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"
#include "base/status.h"
#include "smtp/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_answer(const struct smtp_answer *a)
{
    struct str text = str_of(a->text), enhanced = str_of(a->enhanced);
    struct scan s = scan_of(enhanced);
    uint32_t class = 0, other;

    ASSERT(a->code >= 200 && a->code <= 599);
    ASSERT(text.len < sizeof(a->text) && enhanced.len < sizeof(a->enhanced));
    for (size_t i = 0; i < text.len; i++)
        ASSERT(text.ptr[i] >= ' ' && text.ptr[i] <= '~');
    if (enhanced.len == 0)
        return;
    ASSERT(scan_u32(&s, 5, &class) && (int)class == a->code / 100);
    ASSERT(scan_char(&s, '.') && scan_u32(&s, 999, &other));
    ASSERT(scan_char(&s, '.') && scan_u32(&s, 999, &other) && scan_at_end(&s));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct str rest = str_from((const char *)data, size), line;
    struct smtp_reading r = {0};
    struct smtp_offer offer = {0};

    while (str_split(&rest, '\n', &line)) {
        unsigned before = r.lines;
        int code = r.answer.code;

        if (!smtp_reading_line(&r, line, &offer)) {
            ASSERT(r.lines == before && r.answer.code == code && !r.complete);
            return 0;
        }
        ASSERT(r.lines == before + 1 && r.lines <= SMTP_REPLY_LINES_MAX);
        ASSERT(before == 0 || r.answer.code == code);
        ASSERT(r.complete == (line.len == 3 || line.ptr[3] == ' '));
        check_answer(&r.answer);
        ASSERT(offer.size_max == 0 || (offer.extensions & SMTP_EXT_SIZE) != 0);
        ASSERT(offer.by_min_s == 0 || (offer.extensions & SMTP_EXT_DELIVERBY) != 0);
        if (r.complete)
            r = (struct smtp_reading){0};
    }
    return 0;
}
