/* keys.c - the readers of keys, for walks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/keys.h"

static bool is_key(struct str key, enum key_tag tag, size_t len);

struct key
key_delivered(uint64_t qid, uint32_t rcpt)
{
    struct key k = {13, {KEY_DELIVERED}};
    be64_put(k.bytes + 1, qid);
    be32_put(k.bytes + 9, rcpt);
    return k;
}

bool
key_read_u32(struct str key, enum key_tag tag, uint32_t *a_out)
{
    if (!is_key(key, tag, 5))
        return false;
    *a_out = be32_get(key.ptr + 1);
    return true;
}

bool
key_read_u64(struct str key, enum key_tag tag, uint64_t *a_out)
{
    if (!is_key(key, tag, 9))
        return false;
    *a_out = be64_get(key.ptr + 1);
    return true;
}

bool
key_read_u48(struct str key, enum key_tag tag, uint64_t *a_out)
{
    if (!is_key(key, tag, 7))
        return false;
    *a_out = be48_get(key.ptr + 1);
    return true;
}

bool
key_read_u32_u32(struct str key, enum key_tag tag, uint32_t *a_out, uint32_t *b_out)
{
    if (!is_key(key, tag, 9))
        return false;
    *a_out = be32_get(key.ptr + 1);
    *b_out = be32_get(key.ptr + 5);
    return true;
}

bool
key_read_u32_u64(struct str key, enum key_tag tag, uint32_t *a_out, uint64_t *b_out)
{
    if (!is_key(key, tag, 13))
        return false;
    *a_out = be32_get(key.ptr + 1);
    *b_out = be64_get(key.ptr + 5);
    return true;
}

bool
key_read_name(struct str key, uint32_t *parent_out, struct str *level_out)
{
    if (key.len < 6 || key.ptr[0] != KEY_NAME)
        return false;
    *parent_out = be32_get(key.ptr + 1);
    *level_out = str_skip(key, 5);
    return true;
}

static bool
is_key(struct str key, enum key_tag tag, size_t len)
{
    return key.len == len && key.ptr[0] == (char)tag;
}
