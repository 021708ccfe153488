/* outbound_test.c - what an account may send within a day: counted, refused, forgotten hour by hour.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/outbound.h"

#include "base/limits.h"
#include "base/size.h"
#include "store/correspondents.h"
#include "store/testkit_internal.h"

#define HOUR_US INT64_C(3600000000)

static struct instant
hour(int64_t n)
{
    return (struct instant){(480000 + n) * HOUR_US};
}

/* To so many addresses from this number on. */
static SUSPENDS struct outbound_answer
send(struct cell *c, uint64_t first, size_t count, int64_t when)
{
    struct outbound_answer answer;
    uint64_t rcpts[32];

    ASSERT(count <= COUNT_OF(rcpts));
    for (size_t i = 0; i < count; i++)
        rcpts[i] = (first + i) * UINT64_C(0x9e3779b97f4a7c15);
    const struct outbound_message m = {
        .rcpts = rcpts, .count = count, .foreign = count, .messages_max = 3, .recipients_max = 10};
    ASSERT(outbound_charge(c, &m, hour(when), &answer) == OK);
    return answer;
}

static SUSPENDS void
test_messages(struct kit *k)
{
    struct cell *c = kit_account(k, 7);
    struct outbound_answer a = send(c, 1, 1, 0);

    ASSERT(a.fits && a.messages == 1 && a.recipients == 1 && a.fresh == 1 && !a.tell);
    a = send(c, 1, 1, 0);
    ASSERT(a.fits && a.messages == 2 && a.recipients == 1 && a.fresh == 0);
    ASSERT(send(c, 1, 1, 5).fits);
    a = send(c, 1, 1, 6);
    ASSERT(!a.fits && !a.by_recipients && a.tell && !a.too_much && a.messages == 3);
    cell_close(&c);
    kit_reopen(k);
    c = account_open(k->cs, 7);
    a = send(c, 1, 1, 23);
    ASSERT(!a.fits && !a.tell); /* was told already */
    a = send(c, 1, 1, 24);      /* those of hour 0 count no more */
    ASSERT(a.fits && a.messages == 2);
    ASSERT(send(c, 1, 1, 20).fits); /* a clock that was set back */
    a = send(c, 1, 1, 24);
    ASSERT(!a.fits && !a.tell);
    a = send(c, 1, 1, 28);
    ASSERT(!a.fits && !a.tell);
    a = send(c, 1, 1, 30); /* one of hour 5 is gone by 29 */
    ASSERT(a.fits);
    a = send(c, 1, 1, 30);
    ASSERT(!a.fits && a.tell); /* a day after the last notice */
    ASSERT(send(c, 1, 1, 1000).fits);
    kit_check(k, c);
    cell_close(&c);
}

static SUSPENDS void
test_recipients(struct kit *k)
{
    struct cell *c = kit_account(k, 7);
    struct outbound_answer a = send(c, 1, 8, 0);
    bool known = true;

    ASSERT(a.fits && a.recipients == 8);
    a = send(c, 1, 11, 0);
    ASSERT(!a.fits && a.by_recipients && a.fresh == 3 && a.recipients == 8);
    ASSERT(correspondents_has(c, 9 * UINT64_C(0x9e3779b97f4a7c15), &known) == OK && !known);
    a = send(c, 1, 10, 1);
    ASSERT(a.fits && a.recipients == 10);
    ASSERT(correspondents_has(c, 9 * UINT64_C(0x9e3779b97f4a7c15), &known) == OK && known);
    a = send(c, 1, 10, 1);
    ASSERT(a.fits && a.fresh == 0); /* to all of them once more */
    a = send(c, 30, 11, 100);
    ASSERT(!a.fits && a.by_recipients); /* alone more than a day's */
    cell_close(&c);
}

static SUSPENDS void
test_what_is_not_counted(struct kit *k)
{
    struct cell *c = kit_account(k, 7);
    const uint64_t rcpts[] = {1, 2};
    struct outbound_message m = {.rcpts = rcpts, .count = 2, .messages_max = 1};
    struct outbound_answer a;
    bool known = false;

    for (int i = 0; i < 3; i++) /* to mailboxes here */
        ASSERT(outbound_charge(c, &m, hour(0), &a) == OK && a.fits);
    ASSERT(correspondents_has(c, 2, &known) == OK && known);
    m = (struct outbound_message){.rcpts = rcpts, .count = 2, .foreign = 2};
    for (int i = 0; i < 3; i++) /* without a limit */
        ASSERT(outbound_charge(c, &m, hour(0), &a) == OK && a.fits);
    m.messages_max = 1;
    ASSERT(outbound_charge(c, &m, hour(0), &a) == OK && a.fits);
    m.again = true;
    ASSERT(outbound_charge(c, &m, hour(0), &a) == OK && !a.fits && !a.tell);
    m.again = false;
    for (uint32_t i = 0; i < LIMIT_OUTBOUND_HELD; i++)
        ASSERT(outbound_charge(c, &m, hour(0), &a) == OK && !a.fits && !a.too_much &&
               a.tell == (i == 0));
    ASSERT(outbound_charge(c, &m, hour(23), &a) == OK && a.too_much);
    m.again = true; /* what is held goes all the same */
    ASSERT(outbound_charge(c, &m, hour(24), &a) == OK && a.fits && !a.too_much);
    cell_close(&c);
    c = account_open(k->cs, 8);
    ASSERT(outbound_charge(c, &m, hour(0), &a) == ERR_NOT_FOUND);
    cell_close(&c);
}

static SUSPENDS struct outbound_answer
ask(struct cell *c, uint64_t first, size_t count, int64_t when, struct outbound_message m)
{
    struct outbound_answer answer;
    uint64_t rcpts[32];

    ASSERT(count <= COUNT_OF(rcpts));
    for (size_t i = 0; i < count; i++)
        rcpts[i] = (first + i) * UINT64_C(0x9e3779b97f4a7c15);
    m.rcpts = rcpts;
    m.count = m.foreign = count;
    ASSERT(outbound_charge(c, &m, hour(when), &answer) == OK);
    return answer;
}

/* To more new recipients than a whole day has: it is held for a day at least, and goes when it is alone. */
static SUSPENDS void
test_more_than_a_day(struct kit *k)
{
    struct cell *c = kit_account(k, 7);
    const struct outbound_message held = {
        .messages_max = 3, .recipients_max = 10, .again = true, .arrived = hour(0)};
    struct outbound_answer a = send(c, 30, 11, 0);

    ASSERT(!a.fits && a.by_recipients && a.fresh == 11);
    ASSERT(!ask(c, 30, 11, 0, held).fits && !ask(c, 30, 11, 23, held).fits);
    ASSERT(send(c, 1, 1, 1).fits);
    a = ask(c, 30, 11, 24, held); /* another went meanwhile */
    ASSERT(!a.fits && a.by_recipients && a.recipients == 1);
    a = ask(c, 30, 11, 25, held);
    ASSERT(a.fits && !a.by_recipients && a.recipients == 11 && a.fresh == 11);
    ASSERT(!send(c, 2, 1, 48).fits);  /* the day is used up */
    ASSERT(send(c, 30, 11, 48).fits); /* but not for those that it knows */
    ASSERT(send(c, 2, 1, 49).fits);
    cell_close(&c);
}

/* While others are held new mail takes neither new recipients nor the last message's place from them. */
static SUSPENDS void
test_behind(struct kit *k)
{
    struct cell *c = kit_account(k, 7);
    const struct outbound_message behind = {
        .messages_max = 3, .recipients_max = 10, .behind = true};
    struct outbound_message m = behind;
    struct outbound_answer a;

    ASSERT(send(c, 1, 1, 0).fits);
    a = ask(c, 2, 1, 0, behind);
    ASSERT(!a.fits && a.by_recipients && a.tell && a.messages == 1);
    a = ask(c, 1, 1, 0, behind); /* to somebody it knows */
    ASSERT(a.fits && a.messages == 2);
    a = ask(c, 1, 1, 0, behind);
    ASSERT(!a.fits && !a.by_recipients && a.messages == 2);
    m.recipients_max = 0;
    a = ask(c, 2, 1, 100, m);
    ASSERT(!a.fits && !a.by_recipients);
    m = behind;
    m.messages_max = 0;
    a = ask(c, 2, 1, 100, m);
    ASSERT(!a.fits && a.by_recipients);
    ASSERT(ask(c, 1, 1, 100, m).fits);
    m.behind = false;
    m.again = true;
    ASSERT(ask(c, 2, 1, 100, m).fits); /* the first of those that are held */
    cell_close(&c);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"messages", test_messages, KIT_ALL},
        {"recipients", test_recipients, KIT_MEM | KIT_CLUSTER},
        {"more than a day", test_more_than_a_day, KIT_MEM | KIT_CLUSTER},
        {"behind", test_behind, KIT_MEM},
        {"what is not counted", test_what_is_not_counted, KIT_MEM},
    };

    (void)argc;
    return kit_main("outbound", rows, COUNT_OF(rows), argv);
}
