/* each_test.c - LMTP's delivery: an outcome for each recipient, one copy for each account.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "ipc/outcome.h"
#include "role/store/testkit_store.h"

#define LETTER STR("From: s@far.example\r\nSubject: hi\r\n\r\nText\r\n")

/* Of role/role.c, which this program does without. */
void
role_stopped(void)
{
    UNREACHABLE();
}

/* rcpts: addresses with blanks between; wanted: a letter for each outcome. */
static SUSPENDS void
expect(const char *rcpts, const char *wanted)
{
    static const char letters[OUTCOME_COUNT + 1] = {
        [OUTCOME_LATER] = 'l',    [OUTCOME_KEPT] = 'k',     [OUTCOME_FULL] = 'f',
        [OUTCOME_NO_SPACE] = 's', [OUTCOME_NO_USER] = 'u',  [OUTCOME_DISABLED] = 'd',
        [OUTCOME_DENIED] = 'r',   [OUTCOME_OVERFULL] = 'F',
    };
    struct str rest = str_of(rcpts), to[16];
    struct store_deliver_each req = {.body = LETTER, .sender = STR("s@far.example"), .rcpts = to};
    struct store_deliver_each_reply rep;

    while (str_split(&rest, ' ', &to[req.rcpts_count]))
        req.rcpts_count++;
    ASSERT(store_deliver_each_call(town.mx, &req, town.a, &rep) == OK);
    ASSERT(rep.outcomes_count == req.rcpts_count && strlen(wanted) == req.rcpts_count);
    for (size_t i = 0; i < req.rcpts_count; i++)
        ASSERT(letters[rep.outcomes[i]] == wanted[i]);
}

static SUSPENDS void
test_each_has_its_outcome(void)
{
    town_people();
    expect("anna@here.example who@here.example bert@here.example a@far.example", "kukr");
    ASSERT(town_inbox(1) == 1 && town_inbox(2) == 1);
    expect("who@here.example a@far.example", "ur"); /* nobody has it: nothing is left behind */
    ASSERT(directory_account_disable(town.store->directory, STR("bert"), true) == OK);
    expect("bert@here.example anna@here.example", "dk");
    ASSERT(town_inbox(1) == 2 && town_inbox(2) == 1);
    ASSERT(directory_account_disable(town.store->directory, STR("bert"), false) == OK);
    ASSERT(directory_account_quota(town.store->directory, STR("bert"), 1) == OK);
    expect("bert@here.example anna@here.example",
           "fk"); /* the first to fail is not the last to get it */
    ASSERT(town_inbox(1) == 3 && town_inbox(2) == 1);
}

static SUSPENDS void
test_one_copy_for_an_account(void)
{
    town_people();
    expect("anna@here.example anna+x@here.example ANNA@here.example", "kkk");
    ASSERT(town_inbox(1) == 1);
    /* team is both of them: bert's copy comes by the queue, anna has hers. */
    expect("team@here.example anna@here.example", "kk");
    TOWN_UNTIL(town_inbox(2) == 1);
    ASSERT(town_inbox(1) == 2);
    expect("anna@here.example team@here.example bert@here.example", "kkk");
    ASSERT(town_inbox(1) == 3 && town_inbox(2) == 2); /* nothing was left for the queue */
    expect("team@here.example team@here.example", "kk");
    TOWN_UNTIL(town_inbox(1) == 4 && town_inbox(2) == 3);
}

static SUSPENDS void
test_a_forward_is_kept_by_the_queue(void)
{
    town_people();
    uint32_t before = town.out_work;
    expect("away@here.example anna@here.example", "kk");
    ASSERT(town_inbox(1) == 1);
    TOWN_UNTIL(town.out_work > before);
}

static SUSPENDS void
test_a_bad_call(void)
{
    struct store_deliver_each req = {.body = LETTER, .sender = STR("s@far.example")};
    struct store_deliver_each_reply rep;

    town_people();
    ASSERT(store_deliver_each_call(town.mx, &req, town.a, &rep) == ERR_SYNTAX);
}

int
main(int argc, char **argv)
{
    static const struct town_row rows[] = {
        {"each has its outcome", test_each_has_its_outcome},
        {"one copy for an account", test_one_copy_for_an_account},
        {"a forward is kept by the queue", test_a_forward_is_kept_by_the_queue},
        {"a bad call", test_a_bad_call},
    };
    (void)argc;
    return town_main("store_each", rows, COUNT_OF(rows), argv);
}
