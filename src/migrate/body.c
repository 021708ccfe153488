/* body.c - line ends of messages, keys, paths.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/hash.h"
#include "migrate/migrate.h"

enum { KEY_HEAD = 40 };

struct str
migrate_key(struct str text, struct arena *a)
{
    if (text.len <= LIMIT_IMPORT_KEY_BYTES)
        return arena_str(a, text);
    return arena_printf(a, "%.*s#%016llx", STR_FMT(str_sub(text, 0, KEY_HEAD)),
                        (unsigned long long)hash_stable(text));
}

void
migrate_path(char path[MIGRATE_PATH_BYTES], const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int n = vsnprintf(path, MIGRATE_PATH_BYTES, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= MIGRATE_PATH_BYTES)
        path[0] = '\0';
}

enum status
migrate_crlf(struct str text, struct buf *out)
{
    while (text.len > 0) {
        ssize_t at = str_find(text, '\n');
        if (at < 0) {
            buf_add(out, text);
            break;
        }
        size_t n = (size_t)at; /* found: not negative */
        bool has_cr = n > 0 && text.ptr[n - 1] == '\r';
        buf_add(out, str_sub(text, 0, n - (has_cr ? 1 : 0)));
        buf_add(out, STR("\r\n"));
        text = str_skip(text, n + 1);
    }
    return buf_status(out);
}

/* A LF that stands alone, or a CR before CR LF: without the CRs they would be taken for others. */
static bool
is_ambiguous(struct str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\n' &&
            (i == 0 || text.ptr[i - 1] != '\r' || (i > 1 && text.ptr[i - 2] == '\r')))
            return true;
    return false;
}

void
migrate_lf(struct str text, struct buf *out)
{
    if (is_ambiguous(text)) {
        buf_add(out, text);
        return;
    }
    while (text.len > 0) {
        ssize_t at = str_find_str(text, STR("\r\n"));
        if (at < 0) {
            buf_add(out, text);
            return;
        }
        buf_add(out, str_sub(text, 0, (size_t)at)); /* found: not negative */
        buf_add_char(out, '\n');
        text = str_skip(text, (size_t)at + 2);
    }
}
