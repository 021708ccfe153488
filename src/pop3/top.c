/* top.c - see top.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "pop3/top.h"

/* Is line, which goes on what earlier pieces had of it, an empty one?  It may end before its LF. */
static bool
is_empty(const struct pop3_top *t, struct str line)
{
    if (t->in_line)
        return t->after_cr && str_eq(line, STR("\n"));
    return str_eq(line, STR("\n")) || str_eq(line, STR("\r\n"));
}

size_t
pop3_top_take(struct pop3_top *t, struct str piece)
{
    size_t at = 0;

    while (at < piece.len && !t->done) {
        ssize_t lf = str_find(str_skip(piece, at), '\n');
        struct str line = str_sub(piece, at, lf < 0 ? piece.len : (size_t)lf + 1);

        at += line.len;
        if (lf < 0) {
            t->after_cr = !t->in_line && str_eq(line, STR("\r"));
            t->in_line = true;
            break;
        }
        if (t->in_body)
            t->lines_left--;
        else
            t->in_body = is_empty(t, line);
        t->in_line = t->after_cr = false;
        t->done = t->in_body && t->lines_left == 0;
    }
    return at;
}
