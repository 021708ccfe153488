/* export_index.h - a page that lists messages, for whoever opens the folder of an export in a browser.
 *
 * Promises:  what strangers wrote is text there, and nothing else.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_EXPORT_INDEX_H
#define CTL_EXPORT_INDEX_H

#include "base/buf.h"
#include "base/time.h"

struct export_index {
    int fd;
    struct buf out;
    uint64_t at;
};
struct export_row {
    struct str mailbox;
    struct str file; /* beside the page; its parts are made fit for a link */
    struct instant received;
    struct str message;
};
/* path must not be there. */
MUST_USE enum status export_index_begin(struct export_index *x, const char *path, struct str title);
MUST_USE enum status export_index_add(struct export_index *x, const struct export_row *row);
/* Synced. */
MUST_USE enum status export_index_end(struct export_index *x);
void export_index_release(struct export_index *x);

#endif
