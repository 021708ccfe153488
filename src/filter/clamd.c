/* clamd.c - what ClamAV's clamd answers to zINSTREAM.
 *
 *     answer = "stream: " ( "OK" / name " FOUND" ) NUL / words " ERROR" NUL
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "filter/scanner.h"

enum status
clamd_answer_read(struct str bytes, struct arena *a, struct scanner_answer *out)
{
    struct scanner_answer got = {.text = STR(""), .tests = STR("")};
    const struct str from = STR("stream: "), found = STR(" FOUND"), error = STR(" ERROR");

    /* Its first answer alone; a line break in the place of the NUL is of the form without z. */
    ssize_t end = str_find(bytes, '\0');
    if (end < 0)
        end = str_find(bytes, '\n');
    if (end < 0)
        return ERR_SYNTAX;
    struct str line = str_trim(str_sub(bytes, 0, (size_t)end));
    if (str_ends(line, error)) {
        got.text = scanner_text(str_sub(line, 0, line.len - error.len), SCANNER_TEXT_MAX, a);
        *out = got;
        return ERR_NOT_FOUND;
    }
    if (!str_starts(line, from))
        return ERR_SYNTAX;
    line = str_skip(line, from.len);
    if (str_eq(line, STR("OK"))) {
        *out = got;
        return OK;
    }
    if (!str_ends(line, found) || line.len == found.len)
        return ERR_SYNTAX;
    got.wish = SCANNER_REFUSE;
    got.text = scanner_text(str_sub(line, 0, line.len - found.len), SCANNER_TEXT_MAX, a);
    *out = got;
    return OK;
}
