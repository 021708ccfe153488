/* print.c - text of others on its way to a terminal or into JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/encode.h"
#include "base/log.h"
#include "base/log_scan.h"
#include "base/scan.h"
#include "ctl/ctl.h"

enum { REPLACEMENT = 0xfffd, REPLACEMENT_BYTES = 3 };

/* C0 and DEL, and C1, which some terminals obey as well. */
static bool
is_control(uint32_t code_point)
{
    return code_point < ' ' || (code_point >= 0x7f && code_point < 0xa0);
}

/* Valid UTF-8 in any case; without control characters when told. */
static void
add_clean(struct buf *b, struct str s, bool controls)
{
    struct scan in = scan_of(s);
    uint32_t code_point;

    while (!scan_at_end(&in)) {
        if (!scan_utf8(&in, &code_point)) {
            in.pos++;
            code_point = REPLACEMENT;
        }
        if (!controls && is_control(code_point))
            buf_add_char(b, '?');
        else
            buf_add_utf8(b, code_point);
    }
}

const char *
ctl_text(struct ctl *c, struct str s)
{
    AUTO_BUF b = BUF(REPLACEMENT_BYTES * s.len + 1);

    add_clean(&b, s, false);
    return arena_z(c->arena, buf_str(&b));
}

json_t *
ctl_json_str(struct str s)
{
    AUTO_BUF b = BUF(REPLACEMENT_BYTES * s.len + 1);

    add_clean(&b, s, true);
    return json_stringn(b.ptr != NULL ? b.ptr : "", b.len);
}

json_t *
ctl_json_line(struct str line)
{
    struct scan s = scan_of(line);
    struct log_field f;
    json_t *all = json_object();
    char key[64];

    while (scan_log_field(&s, &f)) {
        AUTO_BUF bytes = BUF(LOG_LINE_MAX);
        log_value_read(&f, &bytes);
        struct str v = utf8_valid(buf_str(&bytes)) ? buf_str(&bytes) : f.value;
        if (str_to_z(f.key, key, sizeof(key)))
            json_object_set_new(all, key, json_stringn(v.len > 0 ? v.ptr : "", v.len));
    }
    return all;
}

int
ctl_print_json(json_t *j)
{
    json_dumpf(j, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(j);
    return CTL_OK;
}
