/* store_admin_life.c - accounts suspended, deleted and brought back, for the godwit command.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define ADMIN_SERVE_HANDLERS_ONLY
#include "ipc/admin_serve.h"
#include "role/store_admin.h"

enum status
admin_serve_account_suspend(struct ipc_peer *from, const struct admin_account_suspend *req,
                            struct arena *a, struct admin_account_suspend_reply *rep)
{
    struct store *s = store_of(from);
    struct directory_entry e;

    (void)rep;
    enum status st = directory_account_suspend(s->directory, req->address, req->suspended);
    if (st == OK)
        st = directory_find(s->directory, req->address, a, &e);
    if (st == OK)
        store_admin_shut_out(s, e.account);
    return store_admin_done(s, st, req->suspended ? "account suspend" : "account resume",
                            req->address);
}
