/* blocks.h - networks that may not connect: what `godwit block` keeps.
 *
 * Owns:      cell 'c' 2: key of the network (base/net.h) -> version, until and since when.
 * Promises:  a change is durable when it returns.  At most LIMIT_BLOCKS; those that are over count no more, and go when
 *            room is needed.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_BLOCKS_H
#define STORE_BLOCKS_H

#include "base/net.h"
#include "base/time.h"
#include "store/cell.h"

struct block {
    struct net net;
    struct instant since;
    struct instant until; /* 0: for good */
};
struct blocks;
struct blocks *blocks_new(struct cells *c);
void blocks_free(struct blocks **b);
/* In the place of the same network's block.  ERR_LIMIT: there are LIMIT_BLOCKS others. */
MUST_USE SUSPENDS enum status blocks_add(struct blocks *b, const struct block *one);
/* ERR_NOT_FOUND: this network has no block of its own. */
MUST_USE SUSPENDS enum status blocks_remove(struct blocks *b, const struct net *net,
                                            struct instant now);
/* Those that hold now, IPv4 first. */
MUST_USE SUSPENDS enum status blocks_list(struct blocks *b, struct instant now, struct arena *a,
                                          const struct block **out, size_t *n_out);

/* An entry of the cell, as it is kept. */
void block_value_write(const struct block *b, struct buf *value);
MUST_USE enum status block_read(struct str key, struct str value, struct block *out);

#endif
