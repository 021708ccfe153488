/* channel_fuzz.c - a hostile peer at both ends: bytes as they come off the socket, and lying ring indices.
 *
 * The first byte chooses: bit 0 - our side answers requests, or has a call in flight and waits for a reply; bit 1 -
 * hello is sent for the fuzzer; bit 2 - there is a ring, and the next two bytes are what the peer claims
 * to have put into it.  The rest is what the peer sends.  Whatever it is, the call comes back, the channel can be
 * closed, and nothing of it is left.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"
#include "ipc/test_channel.h"
#include "rt/disk.h"
#include "rt/loop.h"
#include "rt/ring.h"

enum { BYTES_MAX = 65536, RING = 4096, HEAD = 20, TURNS = 20 };

struct input {
    bool asks, hello, ring;
    uint16_t ring_claim;
    struct str bytes;
};
static int gone;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
on_gone(struct ipc_peer *p)
{
    ASSERT(!ipc_is_open(p));
    gone++;
}

struct waiting {
    struct ipc_peer *p;
    bool done;
};

FIBER_ENTRY static void
ask(void *arg)
{
    struct waiting *w = arg;
    struct arena *a = arena_new(1u << 20);
    struct probe_echo req = {.number = 1, .text = STR("text")};
    struct probe_echo_reply rep;

    if (probe_echo_call(w->p, &req, a, &rep) == OK)
        ASSERT(rep.text.len <= PROBE_ECHO_REPLY_TEXT_MAX);
    arena_free(&a);
    w->done = true;
}

static void
send_all(int fd, const struct input *in, struct ring_pair *rings)
{
    static const char hello[HEAD + 2] = {2, [HEAD] = 1}; /* length 2; version 1, no services */

    if (in->hello)
        (void)!send(fd, hello, sizeof(hello), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (in->ring)
        ring_commit(&rings->out, in->ring_claim % (RING + 1));
    (void)!send(fd, in->bytes.ptr, in->bytes.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

FIBER_ENTRY static void
play(void *arg)
{
    const struct input *in = arg;
    struct ipc_channel_end ends[2];
    struct ipc_options o = probe_options(ROLE_STORE, ROLE_USER, !in->asks);
    struct waiting w = {.done = !in->asks};
    struct ring_pair rings = {0};

    gone = 0;
    o.gone = on_gone;
    ASSERT(ipc_pair(in->ring ? RING : 0, ends) == OK);
    if (in->ring)
        ASSERT(ring_map(ends[1].ring_fd, false, &rings) == OK);
    ASSERT(ipc_attach(&ends[0], &o, &w.p) == OK);
    if (in->asks)
        ASSERT(fiber_go(ask, &w) == OK);
    fiber_yield();
    send_all(ends[1].fd, in, &rings);
    for (int i = 0; i < TURNS && gone == 0; i++)
        fiber_yield();
    ipc_close(w.p);
    while (gone == 0 || !w.done || probe_seen.asleep > 0)
        fiber_yield();
    ASSERT(gone == 1);
    ring_unmap(&rings);
    fd_close(&ends[1].fd);
    fd_close(&ends[1].ring_fd);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in;

    if (size < 3 || size > BYTES_MAX)
        return 0;
    in.asks = (data[0] & 1) != 0;
    in.hello = (data[0] & 2) != 0;
    in.ring = (data[0] & 4) != 0;
    in.ring_claim = (uint16_t)(data[1] << 8 | data[2]);
    in.bytes = (struct str){(const char *)data + 3, size - 3};
    probe_run(play, &in);
    return 0;
}
