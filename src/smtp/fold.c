/* fold.c - see fold.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/fold.h"

#include "base/size.h"

/* How much of line fits, which does not; never within a character unless that alone is too long. */
static size_t
cut_at(const struct fold *f, struct str line)
{
    size_t n = f->column < FOLD_LINE_MAX ? FOLD_LINE_MAX - f->column : 0;
    size_t whole = MIN(n, line.len);

    while (whole > 0 && whole < line.len && n - whole < 4 && (line.ptr[whole] & 0xc0) == 0x80)
        whole--;
    /* Invalid UTF-8, or a character that began in the chunk before. */
    return whole < line.len && (line.ptr[whole] & 0xc0) == 0x80 ? MIN(n, line.len) : whole;
}

/* The rest of the line that is in the chunk, its LF included. */
static struct str
line_of(const struct scan *in)
{
    struct str rest = str_from(in->pos, (size_t)(in->end - in->pos));
    ssize_t lf = str_find(rest, '\n');

    return lf < 0 ? rest : str_sub(rest, 0, (size_t)lf + 1);
}

bool
fold_next(struct fold *f, struct scan *in, struct str *run_out)
{
    if (in->pos == in->end)
        return false;
    struct str line = line_of(in);
    bool ended = line.ptr[line.len - 1] == '\n';
    /* CR and LF have room of their own; a chunk may end between them. */
    size_t text = line.len - (ended ? MIN(line.len, (size_t)2) : line.ptr[line.len - 1] == '\r');

    if (!f->broken && f->column + text > FOLD_LINE_MAX) {
        line = str_sub(line, 0, cut_at(f, str_sub(line, 0, text)));
        f->broken = true;
        in->pos += line.len;
        *run_out = line;
        if (line.len > 0)
            return true;
    }
    if (f->broken) {
        f->broken = false;
        f->column = 1;
        *run_out = STR("\r\n ");
        return true;
    }
    in->pos += line.len;
    f->column = ended ? 0 : f->column + text;
    *run_out = line;
    return true;
}
