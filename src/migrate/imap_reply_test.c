/* imap_reply_test.c - responses of IMAP servers, in tables.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/mem.h"
#include "base/size.h"
#include "base/testing.h"
#include "migrate/imap_reply.h"
#include "migrate/migrate.h"

static enum status
respond(const char *text, struct arena *a, struct imap_reply *r)
{
    *r = (struct imap_reply){0};
    return imap_reply_read(str_of(text), a, r);
}

static void
test_conditions(void **state)
{
    static const struct {
        const char *line;
        enum imap_reply_kind kind; /* OTHER with a condition of BYE: it is refused */
        enum imap_condition condition;
        const char *tag, *code;
        uint64_t number;
        unsigned has;
        const char *text;
    } rows[] = {
        {"g1 OK done", IMAP_REPLY_TAGGED, IMAP_SAYS_OK, "g1", "", 0, 0, "done"},
        {"g1 OK", IMAP_REPLY_TAGGED, IMAP_SAYS_OK, "g1", "", 0, 0, ""},
        {"g1 no [AUTHENTICATIONFAILED] wrong", IMAP_REPLY_TAGGED, IMAP_SAYS_NO, "g1",
         "AUTHENTICATIONFAILED", 0, 0, "wrong"},
        {"g12 BAD what?", IMAP_REPLY_TAGGED, IMAP_SAYS_BAD, "g12", "", 0, 0, "what?"},
        {"* OK [UIDNEXT 4392] x", IMAP_REPLY_CONDITION, IMAP_SAYS_OK, "", "UIDNEXT", 4392, 0, "x"},
        {"* OK [UIDVALIDITY 18446744073709551616] x", IMAP_REPLY_CONDITION, IMAP_SAYS_OK, "",
         "UIDVALIDITY", 0, 0, "x"},
        {"* OK [UIDNEXT] x", IMAP_REPLY_CONDITION, IMAP_SAYS_OK, "", "UIDNEXT", 0, 0, "x"},
        {"* OK [never closed", IMAP_REPLY_CONDITION, IMAP_SAYS_OK, "", "", 0, 0, "[never closed"},
        {"* PREAUTH hi", IMAP_REPLY_CONDITION, IMAP_SAYS_PREAUTH, "", "", 0, 0, "hi"},
        {"* BYE", IMAP_REPLY_CONDITION, IMAP_SAYS_BYE, "", "", 0, 0, ""},
        {"* OK [CAPABILITY IMAP4rev1 AUTH=PLAIN sasl-ir XSTARTTLS] hi", IMAP_REPLY_CONDITION,
         IMAP_SAYS_OK, "", "CAPABILITY", 0, IMAP_HAS_ANY | IMAP_HAS_AUTH_PLAIN | IMAP_HAS_SASL_IR,
         "hi"},
        {"* CAPABILITY IMAP4rev1 STARTTLS LOGINDISABLED ID NAMESPACE LIST-EXTENDED SPECIAL-USE",
         IMAP_REPLY_CAPABILITY, 0, "", "", 0,
         IMAP_HAS_ANY | IMAP_HAS_STARTTLS | IMAP_HAS_LOGINDISABLED | IMAP_HAS_ID |
             IMAP_HAS_NAMESPACE | IMAP_HAS_LIST_EXTENDED | IMAP_HAS_SPECIAL_USE,
         ""},
        {"* CAPABILITY", IMAP_REPLY_CAPABILITY, 0, "", "", 0, IMAP_HAS_ANY, ""},
        {"+ go on", IMAP_REPLY_MORE, 0, "", "", 0, 0, "go on"},
        {"+", IMAP_REPLY_MORE, 0, "", "", 0, 0, ""},
        {"* 23 EXISTS", IMAP_REPLY_EXISTS, 0, "", "", 23, 0, ""},
        {"* 4294967295 expunge", IMAP_REPLY_EXPUNGE, 0, "", "", UINT32_MAX, 0, ""},
        {"* 0 RECENT", IMAP_REPLY_OTHER, 0, "", "", 0, 0, ""},
        {"* FLAGS (\\Seen)", IMAP_REPLY_OTHER, 0, "", "", 0, 0, ""},
        {"* SEARCH 1 2", IMAP_REPLY_OTHER, 0, "", "", 0, 0, ""},
        {"* X-WHAT \"(", IMAP_REPLY_OTHER, 0, "", "", 0, 0, ""},
        {"", IMAP_REPLY_OTHER, IMAP_SAYS_BYE, "", "", 0, 0, ""},
        {"*", IMAP_REPLY_OTHER, IMAP_SAYS_BYE, "", "", 0, 0, ""},
        {"* ", IMAP_REPLY_OTHER, IMAP_SAYS_BYE, "", "", 0, 0, ""},
        {"g1", IMAP_REPLY_OTHER, IMAP_SAYS_BYE, "", "", 0, 0, ""},
        {"g1 BYE", IMAP_REPLY_OTHER, IMAP_SAYS_BYE, "", "", 0, 0, ""},
        {"g1 PERHAPS", IMAP_REPLY_OTHER, IMAP_SAYS_BYE, "", "", 0, 0, ""},
        {"* 4294967296 EXISTS", IMAP_REPLY_OTHER, IMAP_SAYS_BYE, "", "", 0, 0, ""},
        {"* 5", IMAP_REPLY_OTHER, IMAP_SAYS_BYE, "", "", 0, 0, ""},
        {"+OK POP3 ready", IMAP_REPLY_MORE, 0, "", "", 0, 0, "OK POP3 ready"},
        {"220 smtp", IMAP_REPLY_OTHER, IMAP_SAYS_BYE, "", "", 0, 0, ""},
    };
    AUTO_ARENA *a = arena_new(1u << 20);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        bool refused = rows[i].kind == IMAP_REPLY_OTHER && rows[i].condition == IMAP_SAYS_BYE;
        struct imap_reply r;
        ROW(i, respond(rows[i].line, a, &r) == (refused ? ERR_SYNTAX : OK));
        if (refused)
            continue;
        bool judged = r.kind == IMAP_REPLY_TAGGED || r.kind == IMAP_REPLY_CONDITION;
        ROW(i, r.kind == rows[i].kind && (!judged || r.condition == rows[i].condition));
        ROW(i, str_eq(r.tag, str_of(rows[i].tag)) && str_eq(r.code, str_of(rows[i].code)));
        ROW(i, r.number == rows[i].number && r.has == rows[i].has);
        ROW(i, str_eq(r.text, str_of(rows[i].text)));
    }
}

static void
test_lists(void **state)
{
    static const struct {
        const char *line, *raw; /* NULL: it is refused */
        char separator;
        bool selectable, subscribed;
        uint8_t special;
    } rows[] = {
        {"* LIST (\\HasNoChildren \\Sent) \"/\" \"Sent Items\"", "Sent Items", '/', true, false, 2},
        {"* LIST () NIL a", "a", '\0', true, false, 0},
        {"* LIST (\\Noselect) \".\" INBOX.x", "INBOX.x", '.', false, false, 0},
        {"* list (\\nonexistent \\subscribed) \"\\\\\" \"a\\\"b\"", "a\"b", '\\', false, true, 0},
        {"* LSUB () \"/\" {3}\r\na b", "a b", '/', true, true, 0},
        {"* LIST (\\Junk) \"/\" x (\"CHILDINFO\" (\"SUBSCRIBED\"))", "x", '/', true, false, 3},
        {"* LIST (\\All) \"/\" {4}\r\n{2}\"", "{2}\"", '/', true, false, 0},
        {"* LIST (\\Trash \\Archive) \"/\" y", "y", '/', true, false, 5},
        {"* LIST", NULL},
        {"* LIST (", NULL},
        {"* LIST (\\Sent \"/\" a", NULL},
        {"* LIST () \"ab\" a", NULL},
        {"* LIST () / a", NULL},
        {"* LIST () \"/\"", NULL},
        {"* LIST () \"/\" \"\"", NULL},
        {"* LIST () \"/\" \"a", NULL},
        {"* LIST () \"/\" {5}\r\nab", NULL},
        {"* LIST () \"/\" \"a\"b", NULL},
    };
    AUTO_ARENA *a = arena_new(1u << 20);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct imap_reply r;
        ROW(i, respond(rows[i].line, a, &r) == (rows[i].raw != NULL ? OK : ERR_SYNTAX));
        if (rows[i].raw == NULL)
            continue;
        ROW(i, r.kind == IMAP_REPLY_LIST && str_eq(r.list.raw, str_of(rows[i].raw)));
        ROW(i, r.list.separator == rows[i].separator && r.list.special == rows[i].special);
        ROW(i, r.list.selectable == rows[i].selectable && r.list.subscribed == rows[i].subscribed);
    }
}

static void
test_names(void **state)
{
    static const struct {
        const char *raw;
        char separator;
        const char *name; /* NULL: refused */
    } rows[] = {
        {"a", '/', "a"},
        {"inbox", '.', "INBOX"},
        {"Inbox.a.b", '.', "INBOX/a/b"},
        {"INBOXES", '.', "INBOXES"},
        {"a.b", '\0', "a.b"},
        {"a.b", '/', "a.b"},
        {"Entw&APw-rfe", '/', "Entw\xc3\xbcrfe"},
        {"Entw\xc3\xbcrfe", '/',
         "Entw\xc3\xbcrfe"}, /* UTF8=ACCEPT, or a server that never minded */
        {"&ZeVnLIqe-.x", '.', "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e/x"},
        {"Q&A", '/', "Q&A"}, /* no modified UTF-7, but how it is named */
        {"a&-b", '/', "a&b"},
        {"a/b", '.', NULL},
        {"a/b", '\0', NULL},
        {"a..b", '.', NULL},
        {".a", '.', NULL},
        {"a.", '.', NULL},
        {"a\x01", '.', NULL},
        {"a\xff", '.', NULL},
        {"", '.', NULL},
    };
    AUTO_ARENA *a = arena_new(1u << 20);
    AUTO_BUF longest = BUF(LIMIT_MAILBOX_NAME_BYTES + 1);
    struct str name;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum status s = imap_reply_name(str_of(rows[i].raw), rows[i].separator, a, &name);
        ROW(i, s == (rows[i].name != NULL ? OK : ERR_SYNTAX));
        if (rows[i].name != NULL)
            assert_str(name, str_of(rows[i].name));
    }
    while (longest.len < LIMIT_MAILBOX_NAME_BYTES)
        buf_add_char(&longest, 'x');
    assert_int_equal(imap_reply_name(buf_str(&longest), '/', a, &name), OK);
    buf_add_char(&longest, 'x');
    assert_int_equal(imap_reply_name(buf_str(&longest), '/', a, &name), ERR_SYNTAX);
}

static void
test_spaces(void **state)
{
    static const struct {
        const char *line, *found; /* NULL: refused */
    } rows[] = {
        {"* NAMESPACE ((\"\" \"/\")) NIL NIL", "+/ "},
        {"* NAMESPACE ((\"INBOX.\" \".\")) ((\"user.\" \".\")) ((\"#shared.\" \".\")(\"x\" NIL))",
         "+INBOX.. -user.. -#shared.. -x "},
        {"* namespace nil nil nil", ""},
        {"* NAMESPACE ((\"\" \"/\" \"X-PARAM\" (\"a\" (\"b\")))) NIL NIL", "+/ "},
        {"* NAMESPACE ((\"\" \"/\") (\"a/\" \"/\")) NIL NIL", "+/ +a// "},
        {"* NAMESPACE NIL NIL", NULL},
        {"* NAMESPACE", NULL},
        {"* NAMESPACE () NIL NIL", NULL},
        {"* NAMESPACE ((\"\" \"ab\")) NIL NIL", NULL},
        {"* NAMESPACE ((\"\" \"/\" ((((((((", NULL},
        {"* NAMESPACE NIL NIL NIL NIL", NULL},
    };
    AUTO_ARENA *a = arena_new(1u << 20);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF b = BUF(1024);
        struct imap_reply r;
        ROW(i, respond(rows[i].line, a, &r) == (rows[i].found != NULL ? OK : ERR_SYNTAX));
        for (size_t k = 0; rows[i].found != NULL && k < r.space_count; k++) {
            buf_addf(&b, "%c%.*s", r.spaces[k].personal ? '+' : '-', STR_FMT(r.spaces[k].prefix));
            if (r.spaces[k].separator != '\0')
                buf_add_char(&b, r.spaces[k].separator);
            buf_add_char(&b, ' ');
        }
        if (rows[i].found != NULL)
            assert_str(buf_str(&b), str_of(rows[i].found));
    }
}

static void
test_programs(void **state)
{
    static const struct {
        const char *line, *name; /* NULL: refused */
    } rows[] = {
        {"* ID (\"name\" \"Dovecot\")", "Dovecot"},
        {"* ID (\"version\" NIL \"NAME\" {3}\r\nx y \"os\" \"z\")", "x y"},
        {"* ID NIL", ""},
        {"* ID ()", ""},
        {"* ID (\"name\" NIL)", ""},
        {"* ID (\"name\")", NULL},
        {"* ID (name \"x\")", NULL},
        {"* ID", NULL},
    };
    AUTO_ARENA *a = arena_new(1u << 20);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct imap_reply r;
        ROW(i, respond(rows[i].line, a, &r) == (rows[i].name != NULL ? OK : ERR_SYNTAX));
        ROW(i, rows[i].name == NULL ||
                   (r.kind == IMAP_REPLY_ID && str_eq(r.program, str_of(rows[i].name))));
    }
}

static const struct {
    const char *line; /* behind "* 7 FETCH " */
    unsigned has;     /* 0: it is refused */
    uint32_t uid, flags;
    const char *keywords;
    size_t lost;
    uint64_t size;
    int64_t seconds;
    const char *body; /* NULL: NIL, or none */
} fetches[] = {
    {"(UID 5 FLAGS (\\Seen $Forwarded a.b \\Recent \\X) RFC822.SIZE 99)", 7, 5, MIGRATE_SEEN,
     "$Forwarded a.b ", 0, 99},
    {"(FLAGS () UID 4294967295)", 3, UINT32_MAX, 0, ""},
    {"(flags (\\answered \\FLAGGED \\Deleted \\Seen \\Draft))", 2, 0, 31, ""},
    {"(UID 1 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\" BODY[] {4}\r\na\r\nb)", 25, 1, 0, "", 0, 0,
     837596665, "a\r\nb"},
    {"(INTERNALDATE \" 1-Jan-1970 00:00:01 +0000\" BODY[] {0}\r\n UID 9)", 25, 9, 0, "", 0, 0, 1,
     ""},
    {"(BODY[] \"q\\\"\" UID 2)", 17, 2, 0, "", 0, 0, 0, "q\""},
    {"(BODY[] NIL UID 2)", 17, 2, 0, "", 0, 0, 0, NULL},
    {"(MODSEQ (12345) UID 3 X-GM-LABELS (\"\\\\Inbox\" a (b \"c)\")) BODY[HEADER.FIELDS (A "
     "B)]<0> "
     "{2}\r\n)) ENVELOPE NIL)",
     1, 3, 0, ""},
    {"(FLAGS (\xe9t\xe9 ok a%b x]y) UID 1)", 3, 1, 0, "ok ", 3},
    {"(UID 1 RFC822.SIZE 9223372036854775807)", 5, 1, 0, "", 0, INT64_MAX},
    {"(UID 1 FLAGS (aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b))", 3, 1, 0,
     "b ", 1},
    {"()", 0},
    {"(UID 0)", 0},
    {"(UID x)", 0},
    {"(UID 4294967296)", 0},
    {"(UID 5", 0},
    {"(UID 5) x", 0},
    {"UID 5", 0},
    {"(FLAGS \\Seen)", 0},
    {"(FLAGS (\\Seen)", 0},
    {"(FLAGS (a) FLAGS (b))", 0},
    {"(RFC822.SIZE 9223372036854775808)", 0},
    {"(INTERNALDATE \"yesterday\" UID 4)", 1, 4, 0, ""},
    {"(INTERNALDATE NIL UID 4)", 1, 4, 0, ""},
    {"(INTERNALDATE \"yesterday)", 0},
    {"(BODY[] {5}\r\nab)", 0},
    {"(BODY[] ab UID 1)", 0},
    {"(BODY[HEADER x)", 0},
    {"(X-Y ((((a)", 0},
    {"(X-Y )))", 0},
};

static void
test_fetches(void **state)
{
    AUTO_ARENA *a = arena_new(1u << 20);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(fetches); i++) {
        AUTO_BUF line = BUF(1024);
        AUTO_BUF words = BUF(1024);
        struct imap_reply r = {0};
        const struct imap_reply_fetch *f = &r.fetch;
        buf_addf(&line, "* 7 FETCH %s", fetches[i].line);
        ROW(i, imap_reply_read(buf_str(&line), a, &r) == (fetches[i].has != 0 ? OK : ERR_SYNTAX));
        if (fetches[i].has == 0)
            continue;
        ROW(i, r.kind == IMAP_REPLY_FETCH && r.number == 7 && f->has == fetches[i].has);
        ROW(i,
            f->uid == fetches[i].uid && f->flags == fetches[i].flags && f->size == fetches[i].size);
        ROW(i,
            f->received.us == fetches[i].seconds * 1000000 && f->keywords_lost == fetches[i].lost);
        for (size_t k = 0; k < f->keyword_count; k++)
            buf_addf(&words, "%.*s ", STR_FMT(f->keywords[k]));
        if (fetches[i].keywords != NULL)
            assert_str(buf_str(&words), str_of(fetches[i].keywords));
        ROW(i, (f->body.ptr != NULL) == (fetches[i].body != NULL));
        if (fetches[i].body != NULL)
            assert_str(f->body, str_of(fetches[i].body));
    }
}

/* More keywords than a response is allowed to have. */
static void
test_many_keywords(void **state)
{
    AUTO_ARENA *a = arena_new(1u << 20);
    AUTO_BUF line = BUF(4096);
    struct imap_reply r = {0};

    (void)state;
    buf_addf(&line, "* 1 FETCH (FLAGS (");
    for (unsigned i = 0; i < IMAP_REPLY_KEYWORDS + 3; i++)
        buf_addf(&line, "k%u ", i);
    buf_addf(&line, "))");
    assert_int_equal(imap_reply_read(buf_str(&line), a, &r), OK);
    assert_int_equal(r.fetch.keyword_count, IMAP_REPLY_KEYWORDS);
    assert_int_equal(r.fetch.keywords_lost, 3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_conditions),    cmocka_unit_test(test_lists),
        cmocka_unit_test(test_names),         cmocka_unit_test(test_spaces),
        cmocka_unit_test(test_programs),      cmocka_unit_test(test_fetches),
        cmocka_unit_test(test_many_keywords),
    };

    return cmocka_run_group_tests_name("migrate: what IMAP servers say", tests, NULL, NULL);
}
