/* pages.c - lists of the server that come in pages, one entry after the other.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "ctl/ctl.h"

enum status
ctl_next_domain(struct ctl_domains *l, const struct admin_domain **out)
{
    if (l->at == l->page.domains_count) {
        if (l->begun && !l->page.more)
            return ERR_NOT_FOUND;
        struct admin_domains req = {.after = STR("")};
        if (l->at > 0)
            req.after = l->page.domains[l->at - 1].name;
        TRY(admin_domains_call(l->store, &req, l->a, &l->page));
        l->begun = true;
        l->at = 0;
        if (l->page.domains_count == 0)
            return ERR_NOT_FOUND;
    }
    *out = &l->page.domains[l->at++];
    return OK;
}
