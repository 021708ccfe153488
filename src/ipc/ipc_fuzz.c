/* ipc_fuzz.c - every codec of every interface against hostile bytes: both directions of every call.
 *
 * The first two bytes choose the codec, the rest is the frame's payload.  What decodes must encode to the
 * same bytes again: no value has two forms, and none is accepted that we would not send.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"
#include "ipc/ipc_all.h"
#include "rt/ipc_codec.h"

enum { PAYLOAD_MAX = 1 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2 || size > PAYLOAD_MAX)
        return 0;
    const struct ipc_interface *in = &ipc_interfaces[data[0] % IPC_INTERFACE_COUNT];
    const struct ipc_codec *c = &in->codecs[data[1] % *in->codec_count];
    struct str payload = {(const char *)data + 2, size - 2};
    AUTO_ARENA *a = arena_new(in->service->arena_budget);
    void *value = mem_alloc(c->size);
    struct ipc_reader r = {.pos = payload.ptr, .end = payload.ptr + payload.len, .a = a};

    if (c->decode(&r, value)) {
        AUTO_BUF b = BUF(PAYLOAD_MAX);
        struct ipc_writer w = {.b = &b};

        ASSERT(c->encode(&w, value));
        ASSERT(str_eq(buf_str(&b), payload));
    }
    ASSERT(arena_used(a) <= in->service->arena_budget);
    mem_free(value);
    return 0;
}
