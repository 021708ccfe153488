/* body.c - the bytes of a message.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/work.h"

enum status
message_body(struct cell *account, uint64_t mid, const struct body_range *r, struct arena *a,
             struct body_reply *out)
{
    struct message_info info;
    struct str bytes;

    TRY(message_find(account, mid, &info));
    if (r->offset >= info.size) {
        *out = (struct body_reply){info.size, STR("")};
        return OK;
    }
    TRY(engine_blob_read(cells_engine(cell_home(account)), info.blob, r->offset,
                         MIN(r->max, info.size - r->offset), a, &bytes));
    *out = (struct body_reply){info.size, bytes};
    return OK;
}
