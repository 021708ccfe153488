/* contract_crash_test.c - what must hold after the engine went away: by closing, power cut, or failure.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "engine/contract_internal.h"
#include "rt/random.h"

void
contract_reopen(struct subject *s)
{
    uint64_t number = 5;
    struct str record;
    struct batch *b = batch_new(s->a);
    struct cell_version v;

    batch_put(b, STR("k"), STR("v"));
    batch_record_put(b, number, STR("record"));
    ASSERT(commit_retry(s, CELL(1), CELL_ABSENT, b, &v) == OK);
    for (int i = 0; i < 3; i++) {
        subject_reopen(s);
        ASSERT(version_ok(s, CELL(1)).v == v.v);
        ASSERT(str_eq(get_ok(s, CELL(1), STR("k")), STR("v")));
        ASSERT(engine_records(s->e, CELL(1), &number, 1, s->a, &record) == OK);
        ASSERT(str_eq(record, STR("record")));
        struct cell_version next = put_ok(s, CELL(1), STR("n"), STR("x"));
        ASSERT(next.v > v.v);
        v = next;
    }
}

/* Cuts the power, or lets a call fail, at every call of a piece of work. */
void
contract_mem_crash(struct subject *s)
{
    struct ledger ledgers[WRITERS];
    bool finished = false;

    for (uint64_t nth = 1; !finished; nth++) {
        ASSERT(nth < 2000);
        for (int kind = 0; kind < 2; kind++) {
            struct engine_faults f = {.crash_call = kind ? nth : 0,
                                      .io_error_call = kind ? 0 : nth};
            engine_mem_faults(s->e, &f);
            ledger_run(s, ledgers);
            finished = !engine_failed(s->e);
            subject_reopen(s);
            for (size_t i = 0; i < WRITERS; i++)
                ledger_check(s, &ledgers[i]);
            engine_close(&s->e);
            engine_mem_forget(s->path);
            arena_reset(s->a);
            subject_open(s);
        }
    }
}

void
contract_mem_faults(struct subject *s)
{
    struct batch *b = batch_new(s->a);
    struct cell_version v = put_ok(s, CELL(1), STR("k"), STR("v")), now;
    struct blob_writer *w;
    struct str bytes;

    engine_mem_faults(s->e, &(struct engine_faults){.temp_percent = 100});
    batch_put(b, STR("k"), STR("x"));
    ASSERT(engine_commit(s->e, CELL(1), v, b, &now) == ERR_TEMP);
    engine_mem_faults(s->e, &(struct engine_faults){.conflict_call = 2});
    ASSERT(version_ok(s, CELL(1)).v == v.v);
    ASSERT(engine_commit(s->e, CELL(1), v, b, &now) == ERR_CONFLICT);
    engine_mem_faults(s->e, &(struct engine_faults){.full = true});
    ASSERT(engine_commit(s->e, CELL(1), v, b, &now) == ERR_NO_SPACE);
    ASSERT(engine_blob_new(s->e, 1, &w) == ERR_NO_SPACE);
    ASSERT(str_eq(get_ok(s, CELL(1), STR("k")), STR("v")));
    engine_mem_faults(s->e, &(struct engine_faults){.ambiguous_percent = 50});
    for (int i = 0; i < 50; i++)
        ASSERT(engine_commit(s->e, CELL(1), version_ok(s, CELL(1)), b, &now) == OK);

    engine_mem_faults(s->e, &(struct engine_faults){0});
    struct blob_id id = blob_ok(s, STR("body"), 100);
    ref_ok(s, CELL(1), id, true);
    engine_mem_damage(s->e, id);
    ASSERT(blob_get(s, id, &bytes) == ERR_CORRUPT && !engine_failed(s->e));
    uint64_t before = engine_mem_calls(s->e);
    engine_mem_faults(s->e, &(struct engine_faults){.io_error_call = 1});
    ASSERT(engine_version(s->e, CELL(1), &v) == ERR_IO && engine_failed(s->e));
    ASSERT(engine_mem_calls(s->e) == before + 1);
    ASSERT(engine_version(s->e, CELL(1), &v) == ERR_IO);
    ASSERT(engine_commit(s->e, CELL(1), v, b, &now) == ERR_IO);
    ASSERT(engine_upkeep(s->e) == ERR_IO);
}

/* ---- two stores on one set of cells ---- */
struct adder {
    struct engine *e;
    int rounds;
};

static FIBER_ENTRY void
adder_fiber(void *arg)
{
    struct adder *w = arg;
    struct str key = STR("n"), value;
    struct cell_version v;

    while (w->rounds > 0) {
        AUTO_ARENA *a = arena_new(1u << 20);
        ASSERT(engine_get(w->e, CELL(1), &key, 1, a, &value, &v) == OK);
        char next[8];
        be64_put(next, (value.ptr ? be64_get(value.ptr) : 0) + 1);
        struct batch *b = batch_new(a);
        batch_put(b, key, str_from(next, 8));
        enum status status = engine_commit(w->e, CELL(1), v, b, &v);
        ASSERT(status == OK || status == ERR_CONFLICT);
        w->rounds -= status == OK;
    }
    crowd_left();
}

static void
shared_note(void *arg, struct cell_id c, uint64_t hint)
{
    int *count = arg;

    *count += c.id == 9 && hint == 1;
}

void
contract_mem_shared(struct subject *s)
{
    struct subject other = *s;
    struct adder adders[6];
    int count = 0;

    subject_open(&other);
    for (size_t i = 0; i < COUNT_OF(adders); i++) {
        adders[i] = (struct adder){.e = i % 2 ? s->e : other.e, .rounds = 15};
        crowd_go(adder_fiber, &adders[i]);
    }
    crowd_wait();
    ASSERT(be64_get(get_ok(s, CELL(1), STR("n")).ptr) == 15 * COUNT_OF(adders));

    engine_subscribe(other.e, shared_note, &count);
    for (int i = 0; i < 200 && count == 0; i++) {
        engine_publish(s->e, CELL(9), 1);
        ASSERT(fiber_sleep(5) == OK);
    }
    ASSERT(count > 0);

    /* One goes away in the middle of its work; the other one carries on. */
    struct ledger ledgers[WRITERS];
    struct engine_faults f = {.crash_call = 20, .delay_max_ms = 2};
    engine_mem_faults(other.e, &f);
    ledger_run(&other, ledgers);
    ASSERT(engine_failed(other.e) && !engine_failed(s->e));
    engine_close(&other.e);
    put_ok(s, CELL(100), STR("k"), STR("v"));
}
