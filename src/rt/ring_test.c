/* ring_test.c - two threads through one ring, and a peer that lies about its index.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "rt/ring.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/size.h"

enum { SIZE = 4096, TOTAL = 4 << 20 };

static void
make(struct ring_pair *left, struct ring_pair *right)
{
    int fd = -1;

    assert_int_equal(ring_memfd(SIZE, &fd), OK);
    assert_int_equal(ring_map(fd, true, left), OK);
    assert_int_equal(ring_map(fd, false, right), OK);
    close(fd);
}

/* Slices of every length at every place, so that wraps happen at every offset. */
static void
test_slices(void **state)
{
    struct ring_pair left, right;
    char bytes[SIZE];

    (void)state;
    make(&left, &right);
    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 7);
    for (size_t n = 1; n <= SIZE; n = n < 80 ? n + 1 : n + 97) {
        assert_int_equal(ring_room(&left.out), SIZE);
        ring_put(&left.out, 0, str_from(bytes, n));
        assert_int_equal(ring_ready(&right.in), 0); /* not before the commit */
        ring_commit(&left.out, n);
        assert_int_equal(ring_ready(&right.in), n);
        assert_int_equal(ring_room(&left.out), SIZE - n);
        assert_memory_equal(ring_at(&right.in, 0, n), bytes, n);
        ring_release(&right.in, n);
    }
    ring_unmap(&left);
    ring_unmap(&right);
    ring_unmap(&right);
}

static void
test_directions_are_separate(void **state)
{
    struct ring_pair left, right;

    (void)state;
    make(&left, &right);
    ring_put(&left.out, 0, STR("to the right"));
    ring_put(&right.out, 0, STR("to the left!"));
    ring_commit(&left.out, 12);
    ring_commit(&right.out, 12);
    assert_memory_equal(ring_at(&right.in, 0, 12), "to the right", 12);
    assert_memory_equal(ring_at(&left.in, 0, 12), "to the left!", 12);
    ring_unmap(&left);
    ring_unmap(&right);
}

static void *
write_all(void *arg)
{
    struct ring *r = arg;
    uint32_t next = 0;

    while (next < TOTAL / 4) {
        size_t room = ring_room(r) / 4;
        uint32_t words[64];
        size_t n = MIN(MIN(room, COUNT_OF(words)), TOTAL / 4 - next);
        if (n == 0) {
            sched_yield();
            continue;
        }
        for (size_t i = 0; i < n; i++)
            words[i] = next++;
        ring_put(r, 0, str_from((const char *)words, n * 4));
        ring_commit(r, n * 4);
    }
    return NULL;
}

static void
test_two_threads(void **state)
{
    struct ring_pair left, right;
    pthread_t thread;
    uint32_t next = 0;

    (void)state;
    make(&left, &right);
    assert_int_equal(pthread_create(&thread, NULL, write_all, &left.out), 0);
    while (next < TOTAL / 4) {
        size_t n = ring_ready(&right.in) / 4;
        if (n == 0) {
            sched_yield();
            continue;
        }
        const char *p = ring_at(&right.in, 0, n * 4);
        for (size_t i = 0; i < n; i++) {
            uint32_t word;
            memcpy(&word, p + 4 * i, 4);
            if (word != next++)
                fail_msg("word %u lost", next - 1);
        }
        ring_release(&right.in, n * 4);
    }
    pthread_join(thread, NULL);
    ring_unmap(&left);
    ring_unmap(&right);
}

/* The peer writes what it likes over both index pages. */
static void
test_lying_indices(void **state)
{
    static const uint64_t lies[] = {SIZE + 1, UINT64_MAX - SIZE, 1ull << 63, 1ull << 32};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(lies); i++) {
        struct ring_pair left, right;

        make(&left, &right);
        ring_put(&left.out, 0, STR("abc"));
        ring_commit(&left.out, 3);
        uint64_t *head = (uint64_t *)(void *)right.in.shared;
        uint64_t *tail = (uint64_t *)(void *)((char *)left.out.shared + 64);
        *head = lies[i];
        *tail = lies[i];
        assert_int_equal(ring_ready(&right.in), 0);
        assert_int_equal(ring_room(&left.out), 0);
        /* A lie is not forgiven when it is taken back. */
        *head = 3;
        *tail = 0;
        assert_true(right.in.broken && left.out.broken);
        assert_int_equal(ring_ready(&right.in), 0);
        assert_int_equal(ring_room(&left.out), 0);
        ring_unmap(&left);
        ring_unmap(&right);
    }
}

/* A reader that moves its index within bounds only hurts itself: offers stay inside the mapping. */
static void
test_every_index_stays_inside(void **state)
{
    struct ring_pair left, right;

    (void)state;
    make(&left, &right);
    uint64_t *tail = (uint64_t *)(void *)((char *)left.out.shared + 64);
    char bytes[SIZE] = {0};
    for (size_t i = 0; i < 3 * SIZE; i += 61) {
        size_t room = ring_room(&left.out);
        assert_in_range(room, 0, SIZE);
        ring_put(&left.out, 0, str_from(bytes, room)); /* ASan and the guard see an overrun */
        ring_commit(&left.out, room);
        *tail += MIN(61, left.out.own - *tail);
    }
    assert_false(left.out.broken);
    ring_unmap(&left);
    ring_unmap(&right);
}

static void
test_refused_descriptors(void **state)
{
    struct ring_pair pair = {0};
    int plain = memfd_create("plain", MFD_CLOEXEC);
    int odd = memfd_create("odd", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    (void)state;
    assert_int_equal(ftruncate(plain, 2 * (4096 + SIZE)), 0);
    assert_int_equal(ring_map(plain, true, &pair), ERR_DENIED); /* not sealed: could shrink */
    assert_int_equal(ftruncate(odd, 2 * (4096 + SIZE) + 4096), 0);
    assert_int_equal(fcntl(odd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
    assert_int_equal(ring_map(odd, true, &pair), ERR_DENIED);
    assert_int_equal(ring_map(-1, true, &pair), ERR_DENIED);
    assert_null(pair.base);
    close(plain);
    close(odd);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_directions_are_separate),
        cmocka_unit_test(test_two_threads),
        cmocka_unit_test(test_lying_indices),
        cmocka_unit_test(test_every_index_stays_inside),
        cmocka_unit_test(test_refused_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
