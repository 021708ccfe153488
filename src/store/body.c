/* body.c - the bytes of a message.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/body.h"
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

enum status
message_bodies(struct cell *account, const struct bodies_range *r, struct arena *a,
               struct str *bodies_out, size_t *count_out)
{
    struct engine *e = cells_engine(cell_home(account));
    struct message_info info[BODIES_MAX];
    size_t room = r->all, n = 0;

    ASSERT(r->count <= BODIES_MAX);
    TRY(message_find_all(account, r->mids, r->count, info));
    for (; n < r->count && info[n].mid != 0 && info[n].size <= MIN(r->each, room); n++) {
        enum status s = engine_blob_read(e, info[n].blob, 0, info[n].size, a, &bodies_out[n]);
        if (s != OK && n > 0) /* whoever asks for that one alone hears why */
            break;
        TRY(s);
        room -= info[n].size;
    }
    *count_out = n;
    return OK;
}
