/* many.h - many accounts, each a JSON object: read, sent to the store 256 at a time, each with a result of its own.
 *
 * For the API and for `godwit account add --from`, which take the same.
 * Owns:      passwords only until their batch has gone, and the results.
 * Promises:  what is wrong with one does not touch the others; a result for each, in no order, each with its number.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef API_MANY_H
#define API_MANY_H

#include <jansson.h>

#include "base/buf.h"
#include "rt/ipc.h"

struct many;
/* store: where the channel stands, NULL in it while the store is away.  array: results are elements of an array, else
 * lines. */
struct many *many_new(struct ipc_peer **store, bool array);
/* For all that follow. */
struct many_wishes {
    bool trial;  /* only what would come of it */
    bool once;   /* an address that came before is refused: of many at once either might be made */
    bool invite; /* those without a password */
    uint64_t invite_s;
};
void many_wish(struct many *m, const struct many_wishes *w);
void many_free(struct many **m);
/* wrong: why this is no account, or NULL. */
SUSPENDS void many_add(struct many *m, json_t *object, const char *wrong);
/* The same without JSON, by the line where it stands.  n: strings are copied. */
struct admin_new_account;
SUSPENDS void many_add_account(struct many *m, uint64_t line, const struct admin_new_account *n,
                               const char *wrong);
/* Bytes of NDJSON, cut anywhere; a last "\n" ends the last line. */
SUSPENDS void many_take(struct many *m, struct str bytes);
/* What has not gone yet. */
SUSPENDS void many_send(struct many *m);
/* So far: lines, or elements with commas between. */
struct str many_results(const struct many *m);
uint64_t many_refused(const struct many *m);
unsigned many_status(const struct many *m); /* of the last result, as in HTTP */
bool many_is_full(const struct many *m); /* no more is looked at: there is no room for its result */
/* What a status is in HTTP. */
unsigned many_status_of(enum status e);

#endif
