/* print.c - text of others on its way to a terminal or into JSON.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "api/view_trace.h"
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
    return view_line(line);
}

int
ctl_print_json(json_t *j)
{
    json_dumpf(j, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(j);
    return CTL_OK;
}
