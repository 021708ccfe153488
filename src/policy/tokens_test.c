/* tokens_test.c - which tokens a message gives, and which it must not.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/tokens.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/size.h"
#include "base/testing.h"

#define HEAD       "From: Anna <anna@example.org>\r\nTo: bert@example.net\r\nSubject: Hi\r\n"
#define PLAIN(s)   STR(HEAD "\r\n" s)
#define HTML(s)    STR(HEAD "Content-Type: text/html; charset=utf-8\r\n\r\n" s)
#define ROWS_WORDS 8

static const struct {
    struct str message;
    const char *words[ROWS_WORDS]; /* behind "~": must not be there */
} rows[] = {
    /* words and pairs */
    {PLAIN("Click here now, DEAR friend"),
     {"click", "click here", "here now", "~click now", "dear", "~Click", "~now,"}},
    {PLAIN("v i a g r a"), {"odd:letters spread out", "v i", "~v"}},
    {PLAIN("f\xe2\x80\x8bree"), {"free", "odd:invisible characters in a word"}},
    {PLAIN("p\xd0\xb0ypal"), {"odd:two alphabets in a word"}},
    {PLAIN("\xe5\x85\x8d\xe8\xb4\xb9\xe9\x80\x81"),
     {"\xe5\x85\x8d\xe8\xb4\xb9", "\xe8\xb4\xb9\xe9\x80\x81"}},
    {PLAIN("1234567 $100 50%"), {"digits:4-7", "$100", "50%", "~1234567"}},
    {PLAIN("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa x"), {"long word:32-63"}},
    {PLAIN(""), {"words:0", "links:0", "~subject:Hi"}},
    /* links and addresses */
    {PLAIN("see http://Shop.Example.COM:8080/buy/now.html?x=1"),
     {"link:shop.example.com", "link:example.com", "link:com", "odd:a link with a port",
      "link path:buy", "link path:html", "~shop"}},
    {PLAIN("(http://10.1.2.3/x)"), {"odd:a link to a bare address", "~link:10.1.2.3"}},
    {PLAIN("http://www.bank.example@evil.example/"),
     {"odd:a link with a user name", "link:evil.example", "~link:www.bank.example"}},
    {PLAIN("www.example.net"), {"link:www.example.net", "links:1"}},
    {PLAIN("<https://a.example/>"), {"link scheme:https", "link:a.example"}},
    {PLAIN("mail carl@sub.example.net today"),
     {"address:sub.example.net", "address:example.net", "~carl"}},
    {PLAIN("a@b"), {"~address:b"}},
    /* HTML */
    {HTML("<p>Buy <b>this</b></p><a href='http://x.example/'>y</a>"),
     {"buy this", "link:x.example", "html links:1", "~href", "~html:a"}},
    {HTML("<span style=\"Font-Size: 0\">secret</span>"), {"odd:hidden text"}},
    {HTML("<span style=\"color: red\">plain</span>"), {"~odd:hidden text", "plain"}},
    {HTML("<img src=\"https://x.example/p\" width=1 height=1>"),
     {"odd:an image of one pixel", "images:1"}},
    {HTML("vi<!-- x -->agra"), {"odd:a comment inside a word", "comments:1", "viagra"}},
    {HTML("a <!-- x --> b"), {"~odd:a comment inside a word"}},
    {HTML("<form action=http://f.example><font color=#FF0000>r</font>"),
     {"html:form", "link:f.example", "font:color=#ff0000"}},
    {HTML("<a href=\"javascript:x()\">z</a>"), {"odd:a link to a script"}},
    {HTML("<!-- never closed <a href=http://x.example>"), {"~link:x.example"}},
    /* the header */
    {PLAIN("x"),
     {"from:anna@example.org", "from domain:example.org", "from name:anna", "to:bert@example.net",
      "recipients:1", "odd:no Message-ID", "odd:no Date", "~odd:no subject"}},
    {STR("\r\nx"), {"odd:no subject", "odd:no To field", "writers:0", "recipients:0"}},
    {STR("Subject: Re: MONEY NOW FOR YOU!     x77\r\n\r\n"),
     {"subject:an answer to nothing", "subject:all capitals", "subject:!", "subject:a gap",
      "subject:money now"}},
    {STR("Subject: Re: x\r\nIn-Reply-To: <1@x>\r\n\r\n"),
     {"subject:an answer", "~subject:an answer to nothing"}},
    {STR("Subject: =?utf-8?q?Gr=C3=BCn?=\r\n\r\n"), {"~subject:utf-8", "~subject:q"}},
    {STR("Subject: gr\xfcn\r\n\r\n"), {"odd:raw 8-bit text in the subject"}},
    {STR("From: a@x.example\r\nReply-To: b@y.example\r\n\r\n"),
     {"reply to:elsewhere", "reply domain:y.example", "odd:a writer without a name"}},
    {STR("From: a@x.example\r\nReply-To: A@X.example\r\n\r\n"), {"reply to:the writer"}},
    {STR("From: a@x.example\r\nTo: a@x.example\r\n\r\n"), {"odd:from and to are the same"}},
    {STR("To: undisclosed-recipients:;\r\n\r\n"), {"odd:nobody is named as recipient"}},
    {STR("From: q1w2e3r4@x.example\r\n\r\n"), {"digits in the writer:4-7"}},
    {STR("From: a@x.example\r\nMessage-ID: <123.AB-cd@mail.x.example>\r\n\r\n"),
     {"message-id:<0.A-a", "message-id domain:the writer's"}},
    {STR("From: a@x.example\r\nMessage-ID: <1@pc>\r\n\r\n"),
     {"message-id domain:another", "message-id domain:no domain"}},
    {STR("Date: Thu, 22 Aug 2002 07:36:19 -1600\r\n\r\n"), {"odd:a time zone that is none"}},
    {STR("Date: 22 Aug 2002 07:36:19 +0000\r\n\r\n"), {"odd:a Date without its day"}},
    {STR("Date: yesterday\r\n\r\n"), {"odd:a Date that is none"}},
    {STR("X-Mailer: Mass Sender 3.1 (pro)\r\nX-Odd: 1\r\n\r\n"),
     {"program:Mass Sender", "field:x-mailer", "field:x-odd"}},
    /* what servers add gives nothing */
    {STR("Received: from evil.example\r\nReturn-Path: <x@evil.example>\r\nX-Spam-Flag: YES\r\n"
         "Authentication-Results: x; spf=pass\r\nX-Godwit-Spam: junk\r\nDelivered-To: "
         "me@x\r\n\r\n"),
     {"~field:received", "~field:x-spam-flag", "~field:return-path", "~field:x-godwit-spam",
      "~field:authentication-results", "~field:delivered-to", "~evil"}},
    /* parts */
    {STR("Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n"
         "Content-Transfer-Encoding: base64\r\n\r\nQnV5IG5vdw==\r\n--b\r\n"
         "Content-Type: application/octet-stream; name=\"x.PIF\"\r\n\r\nhello\r\n--b--\r\n"),
     {"type:multipart/mixed", "part:text/plain", "encoding:base64", "buy now", "file:.pif",
      "~hello"}},
    {STR("Content-Type: image/gif\r\n\r\nGIF"), {"file:without name", "~gif"}},
    {STR("Content-Type: text/plain; charset=KOI8-R\r\n\r\n\xf2\xf2\xf2 "
         "\xf2\xf2\xf2\xf2\xf2\xf2\xf2"),
     {"charset:koi8-r", "script:cyrillic"}},
};

static void
find(struct str message, struct arena *a, struct tokens *out)
{
    struct mime_tree t;

    mime_parse(message, a, &t);
    tokens_find(message, &t, a, out);
}

static bool
has(const struct tokens *t, struct str word)
{
    for (uint32_t i = 0; i < t->count; i++)
        if (str_eq(t->at[i].word, word))
            return true;
    return false;
}

static void
words(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_ARENA *a = arena_new(MIME_ARENA_MAX + TOKENS_ARENA + rows[i].message.len);
        struct tokens t;

        find(rows[i].message, a, &t);
        ROW(i, !t.cut);
        for (size_t j = 0; j < ROWS_WORDS && rows[i].words[j] != NULL; j++) {
            const char *word = rows[i].words[j];
            bool absent = word[0] == '~';
            if (has(&t, str_of(word + absent)) == absent)
                FAIL_AND_STOP("row %zu: %s \"%s\"", i, absent ? "has" : "lacks", word + absent);
        }
    }
}

/* What comes on the way changes nothing, nor does the order of looking. */
static void
the_same_again(void **state)
{
    static const struct str plain = STR(HEAD "\r\nhello there\r\n");
    static const struct str later =
        STR("Authentication-Results: h; dmarc=pass\r\nReceived: from x by y\r\n" HEAD
            "\r\nhello there\r\n");
    AUTO_ARENA *a = arena_new(2 * (MIME_ARENA_MAX + TOKENS_ARENA));
    struct tokens x, y;

    (void)state;
    find(plain, a, &x);
    find(later, a, &y);
    assert_int_equal(x.count, y.count);
    for (uint32_t i = 0; i < x.count; i++)
        assert_true(x.at[i].hash == y.at[i].hash);
}

/* One spelling of each word, whatever its case. */
static void
without_case(void **state)
{
    static const struct str small = STR("Subject: x\r\n\r\n\xc3\xa9t\xc3\xa9 Word");
    static const struct str large = STR("Subject: X\r\n\r\n\xc3\x89T\xc3\x89 WORD");
    AUTO_ARENA *a = arena_new(2 * (MIME_ARENA_MAX + TOKENS_ARENA));
    struct tokens x, y;

    (void)state;
    find(small, a, &x);
    find(large, a, &y);
    assert_int_equal(x.count, y.count);
    for (uint32_t i = 0; i < x.count; i++)
        assert_str(x.at[i].word, y.at[i].word);
}

static void
bounds(void **state)
{
    AUTO_BUF b = BUF(8u << 20);
    struct tokens t;

    (void)state;
    buf_add(&b, STR(HEAD "\r\n"));
    for (unsigned i = 0; b.len < 1u << 20; i++)
        buf_addf(&b, "word%x and other%x\r\n", i * 2654435761u, i);
    AUTO_ARENA *a = arena_new(MIME_ARENA_MAX + TOKENS_ARENA + b.len);
    find(buf_str(&b), a, &t);
    assert_true(t.cut && t.count == LIMIT_SPAM_TOKENS);
    for (uint32_t i = 0; i < t.count; i++)
        assert_true(t.at[i].word.len > 0 && t.at[i].word.len < 128 && utf8_valid(t.at[i].word));
}

static void
personal(void **state)
{
    (void)state;
    assert_true(token_is_personal(STR("from:a@b")) && token_is_personal(STR("to:a@b")) &&
                token_is_personal(STR("list:x")));
    assert_false(token_is_personal(STR("from domain:b")) || token_is_personal(STR("from")));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words),  cmocka_unit_test(the_same_again), cmocka_unit_test(without_case),
        cmocka_unit_test(bounds), cmocka_unit_test(personal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
