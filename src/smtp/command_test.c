/* command_test.c - tables of MAIL and RCPT lines.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/size.h"
#include "smtp/command.h"

#define X10    "xxxxxxxxxx"
#define X50    X10 X10 X10 X10 X10
#define X100   X50 X50
#define DOMAIN "example.org"
#define NOW_US INT64_C(1796083200000000) /* 2026-12-01T00:00:00Z */

static const struct {
    const char *line, *verb, *args;
} lines[] = {
    {"NOOP", "NOOP", ""},
    {"", "", ""},
    {" ", "", ""},
    {"NOOP ", "NOOP", ""},
    {" NOOP", "", "NOOP"},
    {"MAIL FROM:<>", "MAIL", "FROM:<>"},
    {"MAIL  \tFROM:<> \t", "MAIL", "FROM:<>"},
    {"MAIL\tFROM:<>", "MAIL\tFROM:<>", ""}, /* RFC 5321 section 4.1.1: one SP */
};

static void
test_line(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(lines); i++) {
        struct str verb, args;
        smtp_line_split(str_of(lines[i].line), &verb, &args);
        ROW(i, str_eq(verb, str_of(lines[i].verb)) && str_eq(args, str_of(lines[i].args)));
    }
}

static const struct {
    const char *args;
    enum status status;
    uint64_t size;
    bool last;
} bdats[] = {
    {"0", OK, 0, false},
    {"0 LAST", OK, 0, true},
    {"12 last", OK, 12, true},
    {"12  LAST", OK, 12, true},
    {"00000000000000000012", OK, 12, false},
    {"18446744073709551615 LAST", OK, UINT64_MAX, true},
    {"18446744073709551616", ERR_SYNTAX, 0, false},
    {"000000000000000000012", ERR_SYNTAX, 0, false}, /* 21 digits */
    {"", ERR_SYNTAX, 0, false},
    {"LAST", ERR_SYNTAX, 0, false},
    {"-1", ERR_SYNTAX, 0, false},
    {"+1", ERR_SYNTAX, 0, false},
    {"1x", ERR_SYNTAX, 0, false},
    {"0x10", ERR_SYNTAX, 0, false},
    {"1\tLAST", ERR_SYNTAX, 0, false},
    {"1 LASTLY", ERR_SYNTAX, 0, false},
    {"1 LAST LAST", ERR_SYNTAX, 0, false},
    {"1 2", ERR_SYNTAX, 0, false},
};

static void
test_bdat(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bdats); i++) {
        uint64_t size = 77;
        bool last = false;

        ROW(i, smtp_bdat_read(str_of(bdats[i].args), &size, &last) == bdats[i].status);
        ROW(i, bdats[i].status != OK || (size == bdats[i].size && last == bdats[i].last));
        ROW(i, bdats[i].status == OK || size == 77);
    }
}

enum { MX, SUBMIT, UTF8 = 2, TLS = 4, RELAY = 8 };
static const struct {
    int where;
    const char *args;
    int reply; /* 0: it is fine */
    const char *enhanced;
    const char *want; /* sender, size, "full", "utf8", "binary", envid */
} mails[] = {
    {MX, "FROM:<a@b.example>", 0, "", "a@b.example 0 "},
    {MX, "from:<a@B.Example>", 0, "", "a@b.example 0 "},
    {MX, "FROM:<>", 0, "", " 0 "},
    {MX, "FROM:<> SIZE=1", 0, "", " 1 "},
    {MX, "FROM:<\"a b\"@b.example>", 0, "", "\"a b\"@b.example 0 "},
    {MX, "FROM:<@x.example,@y.example:a@b.example>", 0, "", "a@b.example 0 "},
    {MX, "", 501, "5.1.7", NULL},
    {MX, "<a@b.example>", 501, "5.1.7", NULL},
    {MX, "FROM <a@b.example>", 501, "5.1.7", NULL},
    {MX, "FROM:", 501, "5.1.7", NULL},
    {MX, "FROM:a@b.example", 501, "5.1.7", NULL},
    {MX, "FROM: <a@b.example>", 501, "5.1.7", NULL},
    {MX, "FROM:<a>", 501, "5.1.7", NULL},
    {MX, "FROM:<postmaster>", 501, "5.1.7", NULL},
    {MX, "FROM:<a@b.example", 501, "5.1.7", NULL},
    {MX, "FROM:<a@b.example>SIZE=1", 501, "5.1.7", NULL},
    {MX, "FROM:<a@b.example><c@d.example>", 501, "5.1.7", NULL},
    /* SMTPUTF8, RFC 6531 */
    {MX, "FROM:<\xc3\xa4@b.example> SMTPUTF8", 0, "", "\xc3\xa4@b.example 0 utf8 "},
    {MX, "FROM:<\"\xc3\xa4 x\"@B\xc3\xbc.example> size=1 smtputf8", 0, "",
     "\"\xc3\xa4 x\"@xn--b-eha.example 1 utf8 "},
    {MX, "FROM:<a@b.example> SMTPUTF8 BODY=8BITMIME", 0, "", "a@b.example 0 utf8 "},
    {MX, "FROM:<> SMTPUTF8", 0, "", " 0 utf8 "},
    {MX, "FROM:<\xc3\xa4@b.example>", 553, "5.6.7", NULL},
    {MX, "FROM:<a@b\xc3\xbc.example>", 553, "5.6.7", NULL},
    {UTF8, "FROM:<\xc3\xa4@b.example> AUTH=<>", 553, "5.6.7", NULL}, /* not of a MAIL before it */
    {MX, "FROM:<@x\xc3\xbc.example:a@b.example>", 501, "5.1.7",
     NULL}, /* a source route is not worth it */
    {SUBMIT, "FROM: \xc3\xa4@b.example", 553, "5.6.7", NULL},
    {MX, "FROM:<\xc3@b.example> SMTPUTF8", 501, "5.1.7", NULL},
    {MX, "FROM:<\xc0\x80@b.example> SMTPUTF8", 501, "5.1.7", NULL},
    {MX, "FROM:<\xed\xa0\x80@b.example> SMTPUTF8", 501, "5.1.7", NULL}, /* a surrogate */
    {MX, "FROM:<a@\xe2\x80\xa8.example> SMTPUTF8", 501, "5.1.7", NULL},
    {MX, "FROM:<\xc3\xa4@b.example> SMTPUTF8=1", 501, "5.5.4", NULL},
    {MX, "FROM:<\xc3\xa4@b.example> SMTPUTF8=", 501, "5.5.4", NULL},
    {MX, "FROM:<\xc3\xa4@b.example> SMTPUTF8 SMTPUTF8", 501, "5.5.4", NULL},
    {MX, "TO:<a@b.example>", 501, "5.1.7", NULL},
    {SUBMIT, "FROM: <a@b.example>", 0, "", "a@b.example 0 "},
    {SUBMIT, "FROM:a@b.example", 0, "", "a@b.example 0 "},
    {SUBMIT, "FROM:<a@b.example", 501, "5.1.7", NULL},
    /* SIZE, RFC 1870 */
    {MX, "FROM:<> SIZE=0", 0, "", " 0 "},
    {MX, "FROM:<> size=0010", 0, "", " 10 "},
    {MX, "FROM:<> SIZE=18446744073709551615", 0, "", " 18446744073709551615 "},
    {MX, "FROM:<> SIZE=18446744073709551616", 501, "5.5.4", NULL},
    {MX, "FROM:<> SIZE=000000000000000000001", 501, "5.5.4", NULL}, /* 21 digits */
    {MX, "FROM:<> SIZE=-1", 501, "5.5.4", NULL},
    {MX, "FROM:<> SIZE=1k", 501, "5.5.4", NULL},
    {MX, "FROM:<> SIZE=", 501, "5.5.4", NULL},
    {MX, "FROM:<> SIZE", 501, "5.5.4", NULL},
    {MX, "FROM:<> SIZE=1 SIZE=1", 501, "5.5.4", NULL},
    /* BODY, RFC 6152 */
    {MX, "FROM:<> BODY=7BIT", 0, "", " 0 "},
    {MX, "FROM:<> body=8bitmime SIZE=3", 0, "", " 3 "},
    {MX, "FROM:<> BODY=BINARYMIME", 0, "", " 0 binary "},
    {MX, "FROM:<> body=binarymime SMTPUTF8", 0, "", " 0 utf8 binary "},
    {MX, "FROM:<> BODY=BINARY", 501, "5.5.4", NULL},
    {MX, "FROM:<> BODY=7BIT BODY=BINARYMIME", 501, "5.5.4", NULL},
    {MX, "FROM:<> BODY", 501, "5.5.4", NULL},
    {MX, "FROM:<> BODY=7BIT BODY=8BITMIME", 501, "5.5.4", NULL},
    /* AUTH, RFC 4954 section 5 */
    {MX, "FROM:<> AUTH=<>", 0, "", " 0 "},
    {MX, "FROM:<> AUTH=a+2Bb@c.example", 0, "", " 0 "},
    {MX, "FROM:<> AUTH=a+2bb", 501, "5.5.4", NULL},
    {MX, "FROM:<> AUTH=a+", 501, "5.5.4", NULL},
    {MX, "FROM:<> AUTH", 501, "5.5.4", NULL},
    /* what is not announced */
    {MX, "FROM:<> RET=FULL", 555, "5.5.4", NULL},
    {MX, "FROM:<> ENVID=a", 555, "5.5.4", NULL},
    {MX, "FROM:<> NOTIFY=NEVER", 555, "5.5.4", NULL},
    {MX, "FROM:<> X-WHAT", 555, "5.5.4", NULL},
    /* what is no parameter */
    {MX, "FROM:<> =", 501, "5.5.4", NULL},
    {MX, "FROM:<> SIZE=1=2", 501, "5.5.4", NULL},
    {MX, "FROM:<> -A", 501, "5.5.4", NULL},
    {MX, "FROM:<> SIZE =1", 501, "5.5.4", NULL},
    {MX, "FROM:<> \x01", 501, "5.5.4", NULL},
    /* DSN, RFC 3461 */
    {SUBMIT, "FROM:<> RET=FULL ENVID=QQ314159", 0, "", " 0 full QQ314159"},
    {SUBMIT, "FROM:<> ret=hdrs envid=a+2Bb", 0, "", " 0 a+2Bb"},
    {SUBMIT, "FROM:<> RET=ALL", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> RET=FULL RET=FULL", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> ENVID=a ENVID=b", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> ENVID", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> ENVID=+", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> ENVID=a+0D+0AX:+20y", 501, "5.5.4", NULL}, /* a line of the report */
    {SUBMIT, "FROM:<> ENVID=a+FF", 501, "5.5.4", NULL},
    /* FUTURERELEASE, RFC 4865; the clock says 2026-12-01T00:00:00Z */
    {SUBMIT, "FROM:<> HOLDFOR=1", 0, "", " 0  hold=1 for;1"},
    {SUBMIT, "FROM:<> holdfor=31536000 ENVID=a", 0, "", " 0 a hold=31536000 for;31536000"},
    {SUBMIT, "FROM:<> HOLDFOR=31536001", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> HOLDFOR=999999999", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> HOLDFOR=0", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> HOLDFOR=", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> HOLDFOR", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> HOLDFOR=1 HOLDFOR=1", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> HOLDFOR=1 HOLDUNTIL=2026-12-01T00:00:01Z", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> HOLDUNTIL=2026-12-01T00:00:01Z HOLDFOR=1", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> HOLDUNTIL=2026-12-01T01:00:00Z", 0, "",
     " 0  hold=3600 until;2026-12-01T01:00:00Z"},
    {SUBMIT, "FROM:<> holduntil=2027-12-01t00:00:00z", 0, "",
     " 0  hold=31536000 until;2027-12-01t00:00:00z"},
    {SUBMIT, "FROM:<> HOLDUNTIL=2027-12-01T00:00:01Z", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> HOLDUNTIL=2026-12-01T00:00:00Z", 501, "5.5.4", NULL}, /* over */
    {SUBMIT, "FROM:<> HOLDUNTIL=2026-12-01T02:00:00+01:00", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> HOLDUNTIL=3600", 501, "5.5.4", NULL},
    {MX, "FROM:<> HOLDFOR=1", 555, "5.5.4", NULL},
    {MX, "FROM:<> HOLDUNTIL=2026-12-01T01:00:00Z", 555, "5.5.4", NULL},
    /* DELIVERBY, RFC 2852 */
    {RELAY, "FROM:<> BY=120;R", 0, "", " 0  by=120;R"},
    {RELAY, "FROM:<> by=120;rt SIZE=1", 0, "", " 1  by=120;RT"},
    {SUBMIT, "FROM:<> BY=-3;N", 0, "", " 0  by=-3;N"},
    {RELAY, "FROM:<> BY=5;R", 0, "", " 0  by=5;R"},
    {RELAY, "FROM:<> BY=4;R", 555, "5.5.4", NULL},
    {RELAY, "FROM:<> BY=4;N", 0, "", " 0  by=4;N"},
    {RELAY, "FROM:<> BY=0;R", 501, "5.5.4", NULL},
    {RELAY, "FROM:<> BY=-1;R", 501, "5.5.4", NULL},
    {RELAY, "FROM:<> BY=1000000000;N", 501, "5.5.4", NULL},
    {RELAY, "FROM:<> BY=120", 501, "5.5.4", NULL},
    {RELAY, "FROM:<> BY", 501, "5.5.4", NULL},
    {RELAY, "FROM:<> BY=120;R BY=120;R", 501, "5.5.4", NULL},
    {MX, "FROM:<> BY=120;R", 555, "5.5.4", NULL}, /* it is not for strangers */
    {MX, "FROM:<> BY=1;N", 555, "5.5.4", NULL},
    {MX, "FROM:<> BY", 555, "5.5.4", NULL},
    {RELAY, "FROM:<> HOLDFOR=1", 555, "5.5.4", NULL},
    {SUBMIT, "FROM:<> BY=120;R HOLDFOR=120", 0, "", " 0  hold=120 for;120 by=120;R"},
    {SUBMIT, "FROM:<> BY=120;R HOLDFOR=121", 501, "5.5.4", NULL},
    {SUBMIT, "FROM:<> HOLDUNTIL=2026-12-01T00:02:01Z BY=120;N", 501, "5.5.4", NULL},
    /* MT-PRIORITY, RFC 6710 */
    {MX, "FROM:<> MT-PRIORITY=9", 0, "", " 0  priority=9"},
    {SUBMIT, "FROM:<> mt-priority=-9 BY=60;R", 0, "", " 0  by=60;R priority=-9"},
    {MX, "FROM:<> MT-PRIORITY=0", 0, "", " 0  priority=0"},
    {MX, "FROM:<> MT-PRIORITY=10", 501, "5.5.4", NULL},
    {MX, "FROM:<> MT-PRIORITY", 501, "5.5.4", NULL},
    {MX, "FROM:<> MT-PRIORITY=1 MT-PRIORITY=1", 501, "5.5.4", NULL},
    /* REQUIRETLS, RFC 8689 */
    {TLS, "FROM:<> REQUIRETLS", 0, "", " 0  tls"},
    {TLS, "FROM:<> requiretls SIZE=1", 0, "", " 1  tls"},
    {TLS, "FROM:<> REQUIRETLS=", 501, "5.5.4", NULL},
    {TLS, "FROM:<> REQUIRETLS=YES", 501, "5.5.4", NULL},
    {TLS, "FROM:<> REQUIRETLS REQUIRETLS", 501, "5.5.4", NULL},
    {MX, "FROM:<> REQUIRETLS", 555, "5.5.4", NULL},
    {SUBMIT, "FROM:<> REQUIRETLS", 555, "5.5.4", NULL},
    {SUBMIT, "FROM:<> ENVID=" X100, 0, "", " 0 " X100},
    {SUBMIT, "FROM:<> ENVID=" X100 "x", 501, "5.5.4", NULL},
};

static void
test_mail(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(mails); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct smtp_dialect d = {.submission = mails[i].where == SUBMIT,
                                 .utf8 = mails[i].where == UTF8,
                                 .domain = STR(DOMAIN),
                                 .now = {NOW_US},
                                 .tls = mails[i].where == TLS,
                                 .ours = mails[i].where == SUBMIT || mails[i].where == RELAY};
        struct smtp_mail m = {.size = 77};
        struct problem why = {0};
        AUTO_BUF text = BUF(4096);
        enum status e = smtp_mail_read(str_of(mails[i].args), &d, a, &m, &why);

        ROW(i, (e == OK) == (mails[i].reply == 0) && why.reply == mails[i].reply);
        ROW(i, strcmp(why.enhanced, mails[i].enhanced) == 0);
        ROW(i, e == OK || m.size == 77);
        if (e != OK)
            continue;
        buf_addf(&text, "%.*s %llu %s%s%s%.*s", STR_FMT(m.sender), (unsigned long long)m.size,
                 m.full_return ? "full " : "", m.smtputf8 ? "utf8 " : "", m.binary ? "binary " : "",
                 STR_FMT(m.envid));
        if (m.terms.hold_until.us != 0)
            buf_addf(&text, " hold=%lld %.*s",
                     (long long)((m.terms.hold_until.us - NOW_US) / 1000000),
                     STR_FMT(m.terms.hold_asked));
        if (m.terms.by_mode != SMTP_BY_NONE) {
            buf_add_z(&text, " by=");
            smtp_by_write(&text, &m.terms, d.now);
        }
        if (m.terms.require_tls)
            buf_add_z(&text, " tls");
        if (m.terms.has_priority)
            buf_addf(&text, " priority=%d", m.terms.priority);
        ROW(i, str_eq(buf_str(&text), str_of(mails[i].want)));
    }
}

static const struct {
    int where;
    const char *args;
    int reply;
    const char *enhanced;
    const char *want; /* address, notify, orcpt */
} rcpts[] = {
    {MX, "TO:<a@b.example>", 0, "", "a@b.example 0 "},
    {MX, "to:<Postmaster>", 0, "", "postmaster@" DOMAIN " 0 "},
    {MX, "TO:<\"a\\\"b\"@b.example>", 0, "", "\"a\\\"b\"@b.example 0 "},
    {MX, "TO:<a@[192.0.2.1]>", 0, "", "a@[192.0.2.1] 0 "},
    {MX, "TO:<>", 501, "5.1.3", NULL},
    {MX, "TO:<a>", 501, "5.1.3", NULL},
    {MX, "TO:a@b.example", 501, "5.1.3", NULL},
    {MX, "TO: <a@b.example>", 501, "5.1.3", NULL},
    {MX, "FROM:<a@b.example>", 501, "5.1.3", NULL},
    {MX, "TO:<a@b.example> <c@d.example>", 501, "5.5.4", NULL},
    {MX, "TO:<a@b.example>,<c@d.example>", 501, "5.1.3", NULL},
    {MX, "TO:<" X100 X100 X50 "xxxxx@b.example>", 0, "", X100 X100 X50 "xxxxx@b.example 0 "},
    {MX, "TO:<" X100 X100 X50 "xxxxxx@b.example>", 501, "5.1.3", NULL},
    {MX, "TO:<a@b.example> NOTIFY=NEVER", 555, "5.5.4", NULL},
    {MX, "TO:<a@b.example> SIZE=1", 555, "5.5.4", NULL},
    {SUBMIT, "TO: a@b.example", 0, "", "a@b.example 0 "},
    {SUBMIT, "TO:<a@b.example> NOTIFY=NEVER", 0, "", "a@b.example 1 "},
    {SUBMIT, "TO:<a@b.example> notify=Success,DELAY,failure", 0, "", "a@b.example 14 "},
    {SUBMIT, "TO:<a@b.example> NOTIFY=DELAY,DELAY", 0, "", "a@b.example 8 "},
    {SUBMIT, "TO:<a@b.example> NOTIFY=NEVER,DELAY", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> NOTIFY=", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> NOTIFY", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> NOTIFY=DELAY,", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> NOTIFY=,DELAY", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> NOTIFY=ALWAYS", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> NOTIFY=DELAY NOTIFY=DELAY", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> ORCPT=rfc822;a+2Bc@b.example", 0, "",
     "a@b.example 0 rfc822;a+2Bc@b.example"},
    {SUBMIT, "TO:<a@b.example> ORCPT=rfc822;x ORCPT=rfc822;x", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> ORCPT=rfc822", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> ORCPT=rfc822;", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> ORCPT=;x", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> ORCPT=r:c;x", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> ORCPT=rfc822;x+0D+0Ay", 501, "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> ORCPT=rfc822;" X100 X100 X100 X100 X50 X10 X10 X10 X10 "xxx", 0, "",
     "a@b.example 0 rfc822;" X100 X100 X100 X100 X50 X10 X10 X10 X10 "xxx"},
    {SUBMIT, "TO:<a@b.example> ORCPT=rfc822;" X100 X100 X100 X100 X50 X10 X10 X10 X10 "xxxx", 501,
     "5.5.4", NULL},
    {SUBMIT, "TO:<a@b.example> SIZE=1", 555, "5.5.4", NULL},
    /* SMTPUTF8 is of the transaction; RFC 6533 section 3 for ORCPT */
    {UTF8, "TO:<\xc3\xa4@B\xc3\xbc.example>", 0, "", "\xc3\xa4@xn--b-eha.example 0 "},
    {UTF8, "TO:<a@b.example>", 0, "", "a@b.example 0 "},
    {UTF8, "TO:<a@b.example> SMTPUTF8", 555, "5.5.4", NULL},
    {UTF8, "TO:<\xff@b.example>", 501, "5.1.3", NULL},
    {MX, "TO:<\xc3\xa4@b.example>", 553, "5.6.7", NULL},
    {MX, "TO:<a@b\xc3\xbc.example>", 553, "5.6.7", NULL},
    {MX, "TO:<a@xn--b-eha.example>", 0, "", "a@xn--b-eha.example 0 "},
    {SUBMIT, "TO:\xc3\xa4@b.example", 553, "5.6.7", NULL},
    {SUBMIT, "TO:<a@b.example> ORCPT=utf-8;\\x{E4}@b.example", 0, "",
     "a@b.example 0 utf-8;\\x{E4}@b.example"},
    {SUBMIT, "TO:<a@b.example> ORCPT=utf-8;\xc3\xa4@b.example", 501, "5.5.4", NULL},
    {SUBMIT | UTF8, "TO:<a@b.example> ORCPT=utf-8;\xc3\xa4@b.example", 0, "",
     "a@b.example 0 utf-8;\xc3\xa4@b.example"},
    {SUBMIT | UTF8, "TO:<a@b.example> ORCPT=rfc822;\xc3\xa4@b.example", 501, "5.5.4", NULL},
    {SUBMIT | UTF8, "TO:<a@b.example> ORCPT=utf-8;\xc3", 501, "5.5.4", NULL},
    {SUBMIT | UTF8, "TO:<a@b.example> ORCPT=utf-8;", 501, "5.5.4", NULL},
};

static void
test_rcpt(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rcpts); i++) {
        AUTO_ARENA *a = arena_new(65536);
        struct smtp_dialect d = {.submission = (rcpts[i].where & SUBMIT) != 0,
                                 .utf8 = (rcpts[i].where & UTF8) != 0,
                                 .domain = STR(DOMAIN)};
        struct smtp_rcpt r = {.notify = 77};
        struct problem why = {0};
        AUTO_BUF text = BUF(4096);
        enum status e = smtp_rcpt_read(str_of(rcpts[i].args), &d, a, &r, &why);

        ROW(i, (e == OK) == (rcpts[i].reply == 0) && why.reply == rcpts[i].reply);
        ROW(i, strcmp(why.enhanced, rcpts[i].enhanced) == 0);
        ROW(i, e == OK || r.notify == 77);
        if (e != OK)
            continue;
        buf_addf(&text, "%.*s %u %.*s", STR_FMT(r.address), r.notify, STR_FMT(r.orcpt));
        ROW(i, str_eq(buf_str(&text), str_of(rcpts[i].want)));
    }
}

/* A quoted local part takes twice its bytes: what is too long for the store must be refused here. */
static void
test_longest_path(void **state)
{
    (void)state;
    for (size_t quoted = 240; quoted <= LIMIT_LOCAL_PART_BYTES; quoted++) {
        AUTO_ARENA *a = arena_new(65536);
        AUTO_BUF args = BUF(4096);
        struct smtp_dialect d = {.domain = STR(DOMAIN)};
        struct smtp_rcpt r;
        struct problem why;

        buf_add_z(&args, "TO:<\"");
        for (size_t i = 0; i < quoted; i++)
            buf_add_z(&args, "\\\"");
        buf_add_z(&args, "\"@b.example>");
        size_t written = 2 * quoted + 2 + 10;
        enum status e = smtp_rcpt_read(buf_str(&args), &d, a, &r, &why);
        ROW(quoted, (e == OK) == (written <= LIMIT_SMTP_PATH_BYTES));
        ROW(quoted, e != OK || r.address.len == written);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),         cmocka_unit_test(test_bdat),
        cmocka_unit_test(test_mail),         cmocka_unit_test(test_rcpt),
        cmocka_unit_test(test_longest_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
