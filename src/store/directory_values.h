/* directory_values.h - what stands in the 'd' cells.
 *
 *     cell 0-255, by hash_stable(address)   'a' address            -> struct directory_entry
 *                                           'i' account(8)         -> its address: what it was made with
 *     cell 256                              't' domain             -> struct directory_domain_value
 *                                           'r' due(8) account(8)  -> address: look at the account then; of a removed
 *                                                                     one (version 2) also its entry as it stood
 *                                           'g' account(8)         -> due(8): the note of its removal
 * Values begin with a version byte; numbers are varints.  Readers refuse what the writers cannot have written.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef STORE_DIRECTORY_VALUES_H
#define STORE_DIRECTORY_VALUES_H

#include "store/directory.h"

#define DIRECTORY_SHARDS      256u
#define DIRECTORY_DOMAIN_CELL 256u
#define DIRECTORY_VALUE_MAX   65536u

struct directory_domain_value {
    uint32_t tenant; /* 0 = the host */
    struct str selector, dkim_record;
};

void directory_entry_write(const struct directory_entry *e, struct buf *b);
/* The address is the caller's: it stands in the key.  Strings borrow from value, lists live in a.
 * ERR_CORRUPT: not one of ours. */
MUST_USE enum status directory_entry_read(struct str value, struct arena *a,
                                          struct directory_entry *out);
void directory_domain_write(const struct directory_domain_value *v, struct buf *b);
MUST_USE enum status directory_domain_read(struct str value, struct directory_domain_value *out);

#endif
