/* sts.c - keeps what role out has fetched of other domains' policies (MTA-STS).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#define STORE_SERVE_HANDLERS_ONLY
#include "base/limits.h"
#include "ipc/store_serve.h"
#include "role/store/store.h"
#include "rt/clock.h"
#include "store/policies.h"

enum status
store_serve_sts_get(struct ipc_peer *from, const struct store_sts_get *req, struct arena *a,
                    struct store_sts_get_reply *rep)
{
    struct store *s = store_of(from);
    struct policy_kept k;
    enum status st = policies_get(s->policies, req->domain, a, &k);

    if (st == ERR_NOT_FOUND || st == ERR_CORRUPT) { /* it is fetched anew */
        *rep = (struct store_sts_get_reply){.id = STR(""), .text = STR("")};
        return OK;
    }
    TRY(store_checked(s, st, "policies"));
    *rep = (struct store_sts_get_reply){
        .id = k.id, .text = k.text, .fetched = k.fetched.us, .until = k.until.us};
    return OK;
}

enum status
store_serve_sts_put(struct ipc_peer *from, const struct store_sts_put *req, struct arena *a,
                    struct store_sts_put_reply *rep)
{
    struct store *s = store_of(from);
    const struct policy_kept k = {
        .id = req->id, .text = req->text, .fetched = {req->fetched}, .until = {req->until}};

    (void)a, (void)rep;
    enum status st = policies_put(s->policies, req->domain, &k, clock_now());
    return st == ERR_LIMIT ? st : store_checked(s, st, "policies");
}
