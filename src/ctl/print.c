/* print.c - text of others on its way to a terminal or into JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/encode.h"
#include "base/log.h"
#include "base/log_scan.h"
#include "base/scan.h"
#include "ctl/ctl.h"

const char *
ctl_text(struct ctl *c, struct str s)
{
    AUTO_BUF b = BUF(3 * s.len + 1);

    view_clean(&b, s, false);
    return arena_z(c->arena, buf_str(&b));
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
