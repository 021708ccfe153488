/* codec_test.c - what generated codecs carry and refuse, on the interface `probe` and on all of them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/size.h"
#include "ipc/ipc_all.h"
#include "ipc/probe_ipc.h"
#include "rt/ipc_codec.h"

enum { FRAME_MAX = 4 << 20, BUDGET = 2 << 20 };

static struct probe_shapes
full_shapes(struct arena *a)
{
    struct probe_leaf *leaves = ARENA_ARRAY(a, struct probe_leaf, 2);
    struct probe_point *points = ARENA_ARRAY(a, struct probe_point, 3);
    uint64_t *weights = ARENA_ARRAY(a, uint64_t, 2);
    uint8_t *octets = ARENA_ARRAY(a, uint8_t, 70000);
    struct str *names = ARENA_ARRAY(a, struct str, 2);

    weights[0] = 7;
    weights[1] = UINT64_MAX;
    leaves[0] = (struct probe_leaf){.kind = 3, .label = STR("left")};
    leaves[1] = (struct probe_leaf){.label = STR(""), .weights = weights, .weights_count = 2};
    points[2] = (struct probe_point){.x = 5, .y = -9};
    octets[69999] = 0xa5;
    names[0] = STR("a");
    names[1] = STR("bc");
    return (struct probe_shapes){
        .tiny = 0xff,
        .small = 0xfffe,
        .medium = 0xfffffffd,
        .large = UINT64_MAX - 2,
        .signed_ = INT64_MIN,
        .yes = true,
        .choice = 2,
        .name = STR("name"),
        .raw = STR("\0\r\n\xff"),
        .tree = {.at = {1, -1}, .leaf = leaves[1], .leaves = leaves, .leaves_count = 2},
        .points = points,
        .points_count = 3,
        .names = names,
        .names_count = 2,
        .octets = octets,
        .octets_count = 70000,
        .many = str_from((const char *)octets, 1000),
        .second = STR("small bulk"),
    };
}

static bool
encode(const struct probe_shapes *v, struct ring *ring, struct buf *b, size_t *ring_used_out)
{
    struct ipc_writer w = {.b = b, .ring = ring, .ring_room = ring != NULL ? ring_room(ring) : 0};
    bool ok = probe_shapes_req_encode(&w, v);

    *ring_used_out = w.ring_used;
    return ok;
}

static bool
decode(struct str frame, struct arena *a, struct probe_shapes *out)
{
    struct ipc_reader r = {.pos = frame.ptr, .end = frame.ptr + frame.len, .a = a};

    return probe_shapes_req_decode(&r, out);
}

static void
check_equal(const struct probe_shapes *a, const struct probe_shapes *b)
{
    assert_int_equal(a->tiny, b->tiny);
    assert_int_equal(a->small, b->small);
    assert_int_equal(a->medium, b->medium);
    assert_true(a->large == b->large && a->signed_ == b->signed_);
    assert_true(a->yes == b->yes && a->choice == b->choice);
    assert_true(str_eq(a->name, b->name) && str_eq(a->raw, b->raw));
    assert_true(a->tree.at.x == b->tree.at.x && a->tree.at.y == b->tree.at.y);
    assert_int_equal(a->tree.leaves_count, b->tree.leaves_count);
    for (size_t i = 0; i < a->tree.leaves_count; i++) {
        const struct probe_leaf *l = &a->tree.leaves[i];
        const struct probe_leaf *m = &b->tree.leaves[i];
        assert_true(l->kind == m->kind && str_eq(l->label, m->label));
        assert_int_equal(l->weights_count, m->weights_count);
        for (size_t k = 0; k < l->weights_count; k++)
            assert_true(l->weights[k] == m->weights[k]);
    }
    assert_int_equal(a->points_count, b->points_count);
    for (size_t i = 0; i < a->points_count; i++)
        assert_true(a->points[i].x == b->points[i].x && a->points[i].y == b->points[i].y);
    assert_int_equal(a->names_count, b->names_count);
    for (size_t i = 0; i < a->names_count; i++)
        assert_true(str_eq(a->names[i], b->names[i]));
    assert_int_equal(a->octets_count, b->octets_count);
    assert_memory_equal(a->octets, b->octets, a->octets_count);
    assert_true(str_eq(a->many, b->many) && str_eq(a->second, b->second));
}

static void
test_round_trip(void **state)
{
    AUTO_ARENA *a = arena_new(BUDGET);
    AUTO_BUF b = BUF(FRAME_MAX);
    struct probe_shapes v = full_shapes(a), back;
    size_t used;

    (void)state;
    assert_true(encode(&v, NULL, &b, &used));
    assert_int_equal(used, 0);
    assert_true(decode(buf_str(&b), a, &back));
    check_equal(&v, &back);
}

/* Large bulk goes through the ring, small bulk and what no longer fits stays inside. */
static void
test_round_trip_by_ring(void **state)
{
    AUTO_ARENA *a = arena_new(BUDGET);
    AUTO_BUF b = BUF(FRAME_MAX);
    struct probe_shapes v = full_shapes(a), back;
    struct ring_pair left, right;
    size_t used;
    int fd = -1;

    (void)state;
    assert_int_equal(ring_memfd(4096, &fd), OK);
    assert_int_equal(ring_map(fd, true, &left), OK);
    assert_int_equal(ring_map(fd, false, &right), OK);
    close(fd);
    for (int round = 0; round < 20; round++) { /* the slice wraps in most rounds */
        buf_reset(&b);
        v.many.len = 1000 + (size_t)round;
        assert_true(encode(&v, &left.out, &b, &used));
        assert_int_equal(used, v.many.len);
        ring_commit(&left.out, used);

        assert_int_equal(ring_ready(&right.in), used);
        struct ipc_reader r = {
            .pos = b.ptr, .end = b.ptr + b.len, .a = a, .ring = &right.in, .ring_left = used};
        assert_true(probe_shapes_req_decode(&r, &back));
        ring_release(&right.in, used);
        check_equal(&v, &back);
    }
    v.second = str_from((const char *)v.octets, 4000);
    buf_reset(&b);
    assert_true(encode(&v, &left.out, &b, &used));
    assert_int_equal(used, v.many.len);
    ring_unmap(&left);
    ring_unmap(&right);
}

/* A reader whose frame promised other ring bytes than its fields use. */
static void
test_ring_bytes_must_add_up(void **state)
{
    AUTO_ARENA *a = arena_new(BUDGET);
    AUTO_BUF b = BUF(FRAME_MAX);
    struct probe_shapes v = full_shapes(a), back;
    struct ring_pair left;
    size_t used;
    int fd = -1;

    (void)state;
    assert_int_equal(ring_memfd(4096, &fd), OK);
    assert_int_equal(ring_map(fd, true, &left), OK);
    close(fd);
    assert_true(encode(&v, &left.out, &b, &used));
    for (int change = -1; change <= 1; change += 2) {
        struct ipc_reader r = {.pos = b.ptr,
                               .end = b.ptr + b.len,
                               .a = a,
                               .ring = &left.out,
                               .ring_left = used + (size_t)change};
        assert_false(probe_shapes_req_decode(&r, &back));
    }
    struct ipc_reader none = {.pos = b.ptr, .end = b.ptr + b.len, .a = a};
    assert_false(probe_shapes_req_decode(&none, &back)); /* no ring at all */
    ring_unmap(&left);
}

static void
test_encode_refuses(void **state)
{
    AUTO_ARENA *a = arena_new(BUDGET);
    AUTO_BUF b = BUF(FRAME_MAX);
    struct probe_shapes good = full_shapes(a);
    size_t used;
    char *long_text = arena_alloc(a, 70000);
    struct probe_shapes bad[8];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        bad[i] = good;
    bad[0].choice = 3;
    bad[1].name = str_from(long_text, 256);
    bad[2].raw = str_from(long_text, 65536);
    bad[3].points_count = 1001;
    bad[4].tree.leaves_count = 17;
    bad[5].tree.leaf.kind = 4;
    bad[6].many = str_from(long_text, 65537);
    bad[7].octets_count = 100001;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        assert_false(encode(&bad[i], NULL, &b, &used));
        assert_int_equal(b.len, 0);
    }
}

/* Every shorter frame and one that is longer are refused, and leave the struct alone. */
static void
test_decode_refuses_other_lengths(void **state)
{
    AUTO_ARENA *a = arena_new(BUDGET);
    AUTO_BUF b = BUF(FRAME_MAX);
    struct probe_shapes v = full_shapes(a), back;
    size_t used;

    (void)state;
    v.octets_count = 3;
    v.many.len = 5;
    assert_true(encode(&v, NULL, &b, &used));
    memset(&back, 0x5a, sizeof(back));
    for (size_t n = 0; n < b.len; n++) {
        assert_false(decode(str_from(b.ptr, n), a, &back));
        assert_int_equal(back.tiny, 0x5a);
    }
    buf_add_char(&b, '\0');
    assert_false(decode(buf_str(&b), a, &back));
}

/* Bytes of a frame of call `fail`: u8 status, u8 length, text. */
static void
test_decode_refuses_values(void **state)
{
    static const struct {
        struct str frame;
        bool good;
    } rows[] = {
        {STR("\x01\x02hi"), true},  {STR("\x01\x00"), true}, {STR("\x01\x03hi"), false},
        {STR("\x01\x01hi"), false}, {STR(""), false},
    };
    AUTO_ARENA *a = arena_new(BUDGET);
    struct probe_fail out;
    char text[202] = {1, (char)200};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct ipc_reader r = {
            .pos = rows[i].frame.ptr, .end = rows[i].frame.ptr + rows[i].frame.len, .a = a};
        assert_int_equal(probe_fail_req_decode(&r, &out), rows[i].good);
    }
    struct ipc_reader longer = {.pos = text, .end = text + sizeof(text), .a = a};
    assert_false(probe_fail_req_decode(&longer, &out)); /* 200 > 199, all bytes present */
}

/* The budget of the arena is a limit of its own: told apart from a frame that breaks the grammar. */
static void
test_decode_keeps_the_budget(void **state)
{
    AUTO_ARENA *a = arena_new(BUDGET);
    AUTO_ARENA *small = arena_new(4096);
    AUTO_BUF b = BUF(FRAME_MAX);
    struct probe_shapes v = full_shapes(a), back;
    size_t used;

    (void)state;
    assert_true(encode(&v, NULL, &b, &used));
    struct ipc_reader r = {.pos = b.ptr, .end = b.ptr + b.len, .a = small};
    assert_false(probe_shapes_req_decode(&r, &back));
    assert_true(r.over);
}

/* A zeroed struct of each message of each interface survives a round trip. */
static void
test_every_codec(void **state)
{
    size_t seen = 0;

    (void)state;
    for (size_t i = 0; i < IPC_INTERFACE_COUNT; i++) {
        for (size_t k = 0; k < *ipc_interfaces[i].codec_count; k++) {
            const struct ipc_codec *c = &ipc_interfaces[i].codecs[k];
            AUTO_ARENA *a = arena_new(BUDGET);
            AUTO_BUF b = BUF(FRAME_MAX);
            void *value = mem_alloc(c->size);
            struct ipc_writer w = {.b = &b};

            assert_true(c->encode(&w, value));
            struct ipc_reader r = {.pos = b.ptr, .end = b.ptr + b.len, .a = a};
            assert_true(c->decode(&r, value));
            mem_free(value);
            seen++;
        }
    }
    assert_true(seen > 50);
}

static void
test_hashes_differ(void **state)
{
    (void)state;
    for (size_t i = 0; i < IPC_INTERFACE_COUNT; i++)
        for (size_t k = 0; k < i; k++)
            assert_true((uint32_t)ipc_interfaces[i].service->schema_hash !=
                        (uint32_t)ipc_interfaces[k].service->schema_hash);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_round_trip_by_ring),
        cmocka_unit_test(test_ring_bytes_must_add_up),
        cmocka_unit_test(test_encode_refuses),
        cmocka_unit_test(test_decode_refuses_other_lengths),
        cmocka_unit_test(test_decode_refuses_values),
        cmocka_unit_test(test_decode_keeps_the_budget),
        cmocka_unit_test(test_every_codec),
        cmocka_unit_test(test_hashes_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
