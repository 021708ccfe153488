/* life_test.c - lines joined to the life of a message, lists of an address, and words.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>
#include <stdint.h>

#include "base/testing.h"

#include <dirent.h>

#include "base/size.h"
#include "trace/life.h"
#include "trace/words.h"
#include "trace/writer.h"

#define T1         "1111111111111111"
#define T2         "2222222222222222"
#define Q1         "00000000000000a1"
#define Q2         "00000000000000b2"
#define AT(second) "t=2026-11-30T10:00:" second ".000000Z lvl=info ev="

/* n numbers them, for the tests. */
static const char *const lines[] = {
    /* a message for one mailbox, which is moved twice, copied, and deleted from the last place */
    AT("01") "store.deliver n=2 qid=- account=anna@x mailbox=INBOX uid=7 size=100 tid=" T1
             " asked=info@x msgid=one@w aid=5 box=1",
    AT("00") "smtp.message n=1 peer=192.0.2.1 helo=h from=ben@w rcpts=1 size=100 tls=yes code=250 "
             "tid=" T1 " to=info@x",
    AT("02") "mail.expunge n=3 aid=6 box=1 uids=7 name=INBOX",     /* another account */
    AT("03") "mail.expunge n=4 aid=5 box=1 uids=1:6,8 name=INBOX", /* other messages */
    AT("04") "mail.copy n=5 aid=5 box=1 uids=3:9 target=2 into=40:46 name=INBOX target_name=Two",
    AT("05") "mail.move n=6 aid=5 box=1 uids=2,7 target=3 into=11,20 name=INBOX target_name=Three",
    AT("06") "mail.expunge n=7 aid=5 box=1 uids=7 name=INBOX", /* a later one of that UID: no more */
    AT("07") "mail.expunge n=8 aid=5 box=3 uids=20 name=Three",
    AT("08") "mail.drop n=9 aid=5 box=2 name=Two",
    /* one that is queued, tried twice, fails, and is reported */
    AT("10") "queue.rcpt n=10 qid=" Q1 " to=cleo@far asked=cleo@far",
    AT("11") "queue.add n=11 qid=" Q1 " from=anna@x rcpts=1 size=200 tid=" T2 " msgid=two@x",
    AT("12") "submit.message n=12 account=anna@x peer=192.0.2.2 from=anna@x rcpts=1 size=200 "
             "code=250 "
             "qid=" Q1 " tid=" T2 " to=cleo@far",
    AT("13") "out.attempt n=13 qid=" Q1 " domain=far host=mx.far address=192.0.2.9 tls=no ms=3 "
             "result=\"connection refused\"",
    AT("14") "queue.result n=14 qid=" Q1
             " to=cleo@far state=later code=0 text=refused remote=mx.far "
             "tries=1",
    AT("15") "queue.result n=15 qid=" Q1
             " to=cleo@far state=failed code=550 text=\"No \\x1b user\" "
             "remote=mx.far tries=2",
    AT("16") "queue.add n=16 qid=" Q2 " from=\"\" rcpts=1 size=900 tid=0000000000000000",
    AT("17") "queue.notice n=17 qid=" Q1 " kind=failure to=anna@x report=" Q2,
    AT("18") "store.deliver n=18 qid=" Q2
             " account=anna@x mailbox=INBOX uid=8 size=900 aid=5 box=1",
    AT("19") "queue.done n=19 qid=" Q1 " seconds=5",
    AT("20") "queue.done n=20 qid=" Q2 " seconds=0",
    /* refused before it came */
    AT("30") "smtp.rcpt n=30 peer=192.0.2.3 helo=spam from=eve@bad to=nobody@x code=550 "
             "enhanced=5.1.1 tid=3333333333333333",
};

static char place[] = "/tmp/godwit-life-XXXXXX";
static struct trace_reader *reader;

static int
make_trace(void **state)
{
    const struct trace_limits l = {30, 1u << 30, 700};
    struct trace_writer *w = NULL;
    struct instant now = {1796032800000000};

    (void)state;
    if (mkdtemp(place) == NULL || trace_writer_open(place, &l, now, &w) != OK)
        return 1;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        AUTO_BUF line = BUF(4096);
        buf_addf(&line, "%s\n", lines[i]);
        if (trace_writer_add(w, buf_str(&line), now) != OK)
            return 1;
    }
    trace_writer_free(&w);
    return trace_reader_open(place, &reader) != OK;
}

static int
remove_trace(void **state)
{
    DIR *d = opendir(place);
    const struct dirent *e;
    char name[400];

    (void)state;
    trace_reader_free(&reader);
    while ((e = readdir(d)) != NULL) {
        snprintf(name, sizeof(name), "%s/%s", place, e->d_name);
        if (e->d_name[0] != '.')
            unlink(name);
    }
    closedir(d);
    return rmdir(place);
}

static const struct {
    const char *id, *steps, *result;
} lives[] = {
    {T1, "1 2 5 6 8 9", "delivered"},
    {T2, "10 11 12 13 14 15 16 17 18 19 20", "partly delivered"},
    {Q1, "10 11 12 13 14 15 16 17 18 19 20", "partly delivered"},
    {Q2, "10 11 12 13 14 15 16 17 18 19 20", "partly delivered"},
    {"3333333333333333", "30", "refused"},
    {"4444444444444444", "", ""},
    {"0000000000000000", "", ""},
    {"short", "", ""},
};

static void
test_lives(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lives); i++) {
        AUTO_ARENA *a = arena_new(16 << 20);
        AUTO_BUF steps = BUF(4096);
        struct trace_life life;

        trace_life(reader, str_of(lives[i].id), a, &life);
        for (size_t k = 0; k < life.count; k++)
            buf_addf(&steps, "%s%.*s", k > 0 ? " " : "",
                     STR_FMT(trace_value(life.steps[k].line, "n", a)));
        assert_str(buf_str(&steps), str_of(lives[i].steps));
        if (life.count > 0)
            assert_string_equal(trace_summary(&life, a).result, lives[i].result);
    }
}

static void
test_summary(void **state)
{
    AUTO_ARENA *a = arena_new(16 << 20);
    struct trace_life life;

    (void)state;
    trace_life(reader, STR(T2), a, &life);
    struct trace_summary s = trace_summary(&life, a);
    assert_str(s.message_id, STR("two@x"));
    assert_str(s.size, STR("200"));
    assert_str(s.code, STR("550"));
    assert_str(s.time, STR("2026-11-30T10:00:10.000000Z"));
}

static const struct {
    enum trace_kind kind;
    const char *value, *since;
    size_t max;
    const char *ids;
    bool more;
} lists[] = {
    {TRACE_ADDRESS, "anna@x", "", 10, Q2 " " Q1 " " T2 " " T1, false},
    {TRACE_ADDRESS, "anna@x", "", 2, Q2 " " Q1, true},
    {TRACE_ADDRESS, "anna@x", "2026-11-30T10:00:12", 10, Q2 " " Q1 " " T2, false},
    {TRACE_ADDRESS, "info@x", "", 10, T1, false},
    {TRACE_ADDRESS, "eve@bad", "", 10, "3333333333333333", false},
    {TRACE_ADDRESS, "eve@bad", "2026-12", 10, "", false},
    {TRACE_MESSAGE_ID, "<two@x>", "", 10, T2, false},
    {TRACE_MESSAGE_ID, "anna@x", "", 10, "", false},
};

static void
test_lists(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lists); i++) {
        AUTO_ARENA *a = arena_new(1 << 20);
        AUTO_BUF text = BUF(4096);
        const struct trace_query q = {lists[i].kind, str_of(lists[i].value), str_of(lists[i].since),
                                      lists[i].max};
        struct trace_ids ids;

        trace_ids(reader, &q, a, &ids);
        for (size_t k = 0; k < ids.count; k++)
            buf_addf(&text, "%s%.*s", k > 0 ? " " : "", STR_FMT(ids.list[k]));
        assert_str(buf_str(&text), str_of(lists[i].ids));
        ROW(i, ids.more == lists[i].more);
    }
}

static const struct {
    const char *ranges;
    uint32_t uid;
    bool has;
    size_t range;
    uint32_t offset;
} uids[] = {
    {"7", 7, true, 0, 0},
    {"1:3,5,7:9", 8, true, 2, 1},
    {"1:3,5,7:9", 5, true, 1, 0},
    {"1:3,5,7:9", 6, false, 0, 0},
    {"4294967295", 4294967295u, true, 0, 0},
    {"4294967296", 0, false, 0, 0},
    {"", 0, false, 0, 0},
    {"9:7", 8, false, 0, 0},
    {"1:", 1, false, 0, 0},
    {"x,7", 7, false, 0, 0},
    {"1;7", 7, false, 0, 0},
};

static void
test_uids(void **state)
{
    uint32_t uid;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(uids); i++) {
        size_t range = 0;
        uint32_t offset = 0;
        ROW(i,
            trace_uids_have(str_of(uids[i].ranges), uids[i].uid, &range, &offset) == uids[i].has);
        ROW(i, range == uids[i].range && offset == uids[i].offset);
        if (uids[i].has)
            ROW(i, trace_uid_at(str_of(uids[i].ranges), range, offset, &uid) && uid == uids[i].uid);
    }
    assert_false(trace_uid_at(STR("1:3"), 0, 3, &uid) || trace_uid_at(STR("1:3"), 1, 0, &uid) ||
                 trace_uid_at(STR("3:1"), 0, 0, &uid) || trace_uid_at(STR(""), 0, 0, &uid));
}

static const struct {
    size_t line;
    const char *words;
} told[] = {
    {0, "is in the mailbox of anna@x: INBOX, UID 7; it was addressed to <info@x>"},
    {1, "came from 192.0.2.1 (calls itself h) with TLS: from <ben@w> to <info@x>, 1 recipient, 100 "
        "bytes: accepted, 250"},
    {5, "moved from \"INBOX\" (UID 2,7) to \"Three\" (UID 11,20)"},
    {7, "deleted from \"Three\" (UID 20)"},
    {8, "its mailbox was deleted: \"Two\""},
    {9, "goes to <cleo@far>"},
    {10, "went into the queue as " Q1 " for 1 recipient"},
    {12, "tried mx.far at 192.0.2.9 for far without TLS: connection refused, after 3 ms"},
    {13, "<cleo@far>: not yet, will be tried again; mx.far said: refused (try 1)"},
    {14, "<cleo@far>: failed for good; mx.far said: 550 No \x1b user (try 2)"},
    {16, "a report (failure) goes to <anna@x>, queued as " Q2},
    {18, "left the queue after 5 seconds"},
    {20, "192.0.2.3 (calls itself spam) offered mail from <eve@bad> for <nobody@x>: refused, 550 "
         "5.1.1"},
};

static void
test_words(void **state)
{
    AUTO_BUF other = BUF(1000);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        AUTO_BUF b = BUF(4096);
        trace_words(str_of(lines[told[i].line]), &b);
        assert_str(buf_str(&b), str_of(told[i].words));
    }
    trace_words(STR(AT("00") "new.event n=1"), &other);
    assert_str(buf_str(&other), STR("new.event"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lives), cmocka_unit_test(test_summary), cmocka_unit_test(test_lists),
        cmocka_unit_test(test_uids),  cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, make_trace, remove_trace);
}
