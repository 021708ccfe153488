/* sealed.h - records that only keys and auth can open, kept where everything else is kept.
 *
 * Owns:      cell 'c' 1: key = role, kind, 0, name.  The two roles cannot see each other's records.
 * Promises:  a put is durable when it returns.  At most SEALED_RECORDS_MAX names and 1 MiB of a kind.
 * Never:     knows what the bytes mean: they are encrypted with a key that the store does not have.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_SEALED_H
#define STORE_SEALED_H

#include "rt/ipc.h"
#include "store/cell.h"

#define SEALED_KIND_MAX    32u
#define SEALED_NAME_MAX    400u /* so that a key stays within the engine's 512 bytes */
#define SEALED_BYTES_MAX   16384u
#define SEALED_RECORDS_MAX 256u

struct sealed;
struct sealed_record {
    struct str name, bytes;
};
struct sealed *sealed_new(struct cells *c);
void sealed_free(struct sealed **s);
struct sealed_query {
    enum role owner;
    struct str kind, name;
};
/* name empty = all of the kind; none is OK with n = 0. */
MUST_USE SUSPENDS enum status sealed_get(struct sealed *s, const struct sealed_query *q,
                                         struct arena *a, const struct sealed_record **out,
                                         size_t *n_out);
/* bytes empty = remove.  ERR_LIMIT: too large, or too many names of this kind. */
MUST_USE SUSPENDS enum status sealed_put(struct sealed *s, const struct sealed_query *q,
                                         struct str bytes);

#endif
