/* forged_fuzz.c - the filter of forged fields against a model that sees all bytes at once.
 *
 * The first byte is the seed of the pieces.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "base/status.h"
#include "policy/auth_results.h"
#include "smtp/forged.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define HOST STR("mail.example.org")

static struct str
line_at(struct str in, size_t at)
{
    struct str rest = str_skip(in, at);
    ssize_t lf = str_find(rest, '\n');

    return lf < 0 ? rest : str_sub(rest, 0, (size_t)lf + 1);
}

static bool
is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* "Name:" with blanks before the colon; the name, or nothing. */
static struct str
name_of(struct str line)
{
    ssize_t colon = str_find(line, ':');
    size_t n = colon < 0 ? 0 : (size_t)colon;

    while (n > 0 && is_blank(line.ptr[n - 1]))
        n--;
    struct str name = str_sub(line, 0, n);
    for (size_t i = 0; i < n; i++)
        if (name.ptr[i] <= ' ' || name.ptr[i] >= 0x7f)
            return STR("");
    return name;
}

static bool
model_drops(struct str field)
{
    struct str name = name_of(field);

    if (str_starts_nocase(name, STR("X-Godwit-Spam")) ||
        str_starts_nocase(name, STR("X-Godwit-Warning")))
        return true;
    return str_eq_nocase(name, STR("Authentication-Results")) &&
           auth_results_claims(str_skip(field, (size_t)(str_find(field, ':') + 1)), HOST);
}

static void
model(struct str in, struct buf *out)
{
    size_t at = 0;

    while (at < in.len) {
        struct str field = line_at(in, at);
        if (str_eq(field, STR("\n")) || str_eq(field, STR("\r\n"))) {
            buf_add(out, str_skip(in, at));
            return;
        }
        while (at + field.len < in.len && str_ends(field, STR("\n")) &&
               is_blank(in.ptr[at + field.len]))
            field = str_sub(in, at, field.len + line_at(in, at + field.len).len);
        if (!model_drops(field))
            buf_add(out, field);
        at += field.len;
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > FORGED_HOLD_MAX) /* what is too long to be held is in the unit test */
        return 0;
    struct str in = str_from((const char *)data + 1, size - 1), run;
    AUTO_BUF want = BUF(size), got = BUF(size);
    uint32_t seed = data[0];
    struct forged f;

    model(in, &want);
    forged_init(&f, HOST);
    for (size_t at = 0; at < in.len;) {
        seed = seed * 1103515245u + 12345u;
        struct str piece = str_sub(in, at, 1 + (seed >> 16) % 23u);
        struct scan s = scan_of(piece);
        while (forged_next(&f, &s, &run))
            buf_add(&got, run);
        ASSERT(scan_at_end(&s));
        at += piece.len;
    }
    while (forged_end(&f, &run))
        buf_add(&got, run);
    ASSERT(str_eq(buf_str(&got), buf_str(&want)));
    ASSERT(f.bytes + got.len == in.len);
    forged_release(&f);
    return 0;
}
