/* heap_test.c - what a burst left behind goes back once the loop is quiet.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/mem.h"
#include "base/size.h"
#include "rt/clock.h"
#include "rt/fiber_internal.h"
#include "rt/heap.h"

enum { PIECES = 20000, PIECE_BYTES = 1000, WAIT_MS = 20000 };

/* Pages in memory. */
static long
resident(void)
{
    char line[128];
    char *rest = NULL;
    FILE *f = fopen("/proc/self/statm", "re");

    assert_non_null(f);
    assert_non_null(fgets(line, sizeof(line), f));
    fclose(f);
    (void)strtol(line, &rest, 10); /* all of the address space */
    long pages = strtol(rest, NULL, 10);
    return pages;
}

/* Every hundredth piece stays, so that the top of the heap cannot simply fall. */
static FIBER_ENTRY void
burst(void *arg)
{
    static void *pieces[PIECES];
    bool *fell = arg;

    for (size_t i = 0; i < PIECES; i++) {
        pieces[i] = mem_alloc(PIECE_BYTES);
        *(char *)pieces[i] = 1;
    }
    long full = resident();
    for (size_t i = 0; i < PIECES; i++)
        if (i % 100 != 0)
            mem_free(pieces[i]);
    int64_t end = clock_mono_ms() + WAIT_MS;
    while (!*fell && clock_mono_ms() < end && fiber_sleep(100) == OK)
        *fell = resident() < full - PIECES * PIECE_BYTES / 4096 / 2;
    for (size_t i = 0; i < PIECES; i += 100)
        mem_free(pieces[i]);
    loop_stop();
}

static void
memory_goes_back(void **state)
{
    bool fell = false;

    (void)state;
    if (FIBER_ASAN || FIBER_TSAN)
        skip(); /* another allocator */
    loop_init();
    heap_trim_when_quiet();
    heap_turn(); /* what the loop says of a turn with input */
    assert_int_equal(fiber_go(burst, &fell), OK);
    loop_run();
    loop_release();
    assert_true(fell);
}

static void
blocks_are_whole_and_go_back(void **state)
{
    static const size_t sizes[] = {1, 4096, (2u << 20) - 1, 2u << 20, (2u << 20) + 1, 19456u << 10};
    const size_t huge = 2u << 20;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        long before = resident();
        char *block = heap_block_new(sizes[i]);
        assert_non_null(block);
        assert_int_equal((uintptr_t)block % huge, 0);
        for (size_t at = 0; at < sizes[i]; at += 512) {
            assert_int_equal(block[at], 0);
            block[at] = 'x';
        }
        block[sizes[i] - 1] = 'x';
        heap_block_free(block, sizes[i]);
        if (FIBER_ASAN + FIBER_TSAN == 0) /* they keep notes of it */
            assert_true(resident() < before + (long)(huge / 4096));
    }
    assert_null(heap_block_new(0));
    assert_null(heap_block_new(SIZE_MAX));
    assert_null(heap_block_new(SIZE_MAX / 2));
    heap_block_free(NULL, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_goes_back),
        cmocka_unit_test(blocks_are_whole_and_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
