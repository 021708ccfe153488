/* account_file_test.c - what other servers keep of their accounts, as their own tools write it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/account_file.h"

#include "base/buf.h"
#include "base/size.h"
#include "base/testing.h"

#define P ACCOUNT_PASSWD
#define C ACCOUNT_CSV
#define Q ACCOUNT_SQL

/* "1 m name hash q1024 off;", "2 a name: target target;", "3 d name;", "4 m name ? fault;" */
static void
write_entry(const struct account_entry *e, struct buf *b)
{
    buf_addf(b, "%u %c %.*s", e->line, "dma"[e->kind], STR_FMT(e->name));
    if (e->fault != NULL) {
        buf_addf(b, " ? %s;", e->fault);
        return;
    }
    for (size_t i = 0; i < e->alias.count; i++)
        buf_addf(b, "%s %.*s", i == 0 ? ":" : "", STR_FMT(e->alias.targets[i].text));
    if (e->kind == ACCOUNT_MAILBOX)
        buf_addf(b, " %.*s%s", STR_FMT(e->hash), e->hash_by_name ? " named" : "");
    if (e->has_quota)
        buf_addf(b, " q%llu", (unsigned long long)e->quota_bytes);
    buf_addf(b, "%s;", e->inactive ? " off" : "");
}

#define MYSQL "-- MySQL dump 10.13  Distrib 8.0.36\n"
#define TABLES                                                                                     \
    "CREATE TABLE `mailbox` (\n  `username` varchar(255) NOT NULL,\n  `password` varchar(255) "    \
    "COMMENT 'a, (b)',\n  `name` varchar(255) DEFAULT '',\n  `quota` bigint(20) NOT NULL DEFAULT " \
    "0,\n  `active` tinyint(1),\n  PRIMARY KEY (`username`),\n  KEY `domain` (`name`)\n) "         \
    "ENGINE=InnoDB;\n"

static const struct {
    enum account_form form;
    struct str in;
    const char *out;
} rows[] = {
    /* passwd-file */
    {P, STR("anna@x.example:{SHA}abc\n"), "1 m anna@x.example {SHA}abc;"},
    {P, STR("# c\n\nanna:{SHA}abc:1000:1000::/home/anna:/bin/sh:\r\nbert:x"),
     "3 m anna {SHA}abc;4 m bert x;"},
    {P, STR("anna:$6$a$b:::Anna:/h::userdb_quota_rule=*:storage=1G userdb_mail=maildir:~/M\n"),
     "1 m anna $6$a$b q1073741824;"},
    {P, STR("a:x::::::userdb_quota_rule=*:storage=100\n"), "1 m a x q102400;"}, /* kilobytes */
    {P, STR("a:x::::::userdb_quota_rule=*:bytes=100\n"), "1 m a x q100;"},
    {P, STR("a:x::::::userdb_quota_rule=*:bytes=5M:messages=10\n"), "1 m a x q5242880;"},
    {P, STR("a:x::::::userdb_quota_rule=*:messages=10:storage=1T\n"), "1 m a x q1099511627776;"},
    {P, STR("a:x::::::userdb_quota_storage_size=2G\n"), "1 m a x q2147483648;"},
    {P, STR("a:x::::::userdb_quota_storage_size=1000\n"), "1 m a x q1000;"},
    {P, STR("a:x::::::userdb_quota_rule=*:storage=10%\n"), "1 m a ? the quota cannot be read;"},
    {P, STR("a:x::::::userdb_quota_rule=Trash:storage=+10M\n"),
     "1 m a ? the quota cannot be read;"},
    {P, STR("a:x::::::nologin userdb_quota_storage_size=0\n"), "1 m a x q0 off;"},
    {P, STR("a::1:1::/h\n"), "1 m a ;"},
    {P, STR(":x\nb:y\nc\n"),
     "1 m  ? there is no name;2 m b y;3 m c ? there is no \":\" behind the name;"},
    /* CSV */
    {C, STR("email,password,quota,active\nanna@x.example,{SHA}a,1G,1\nbert@x.example,,0,0\n"),
     "2 m anna@x.example {SHA}a q1073741824;3 m bert@x.example  q0 off;"},
    {C, STR("\xef\xbb\xbfName;E-Mail;User;Hash;Quota_MB\r\n\"a; \"\"b\"\"\";x;anna;h;10\r\n"),
     "2 m anna h named q10485760;"},
    {C, STR("user\tdomain\tsuspended\nanna\tx.example\tyes\n"), "2 m anna  off;"},
    {C, STR("local_part,domain,password\nanna,x.example,h\n"), "2 m anna@x.example h;"},
    {C, STR("address,password,note\na,h,\"two\nlines\"\nb,h,n\n"), "2 m a h;4 m b h;"},
    {C, STR("address,password\na\nb,h,x\nc,\"h\n"),
     "2 m a ? there are more values, or fewer, than names in the first line;"
     "3 m b ? there are more values, or fewer, than names in the first line;"
     "4 m c ? a quote is not closed;"},
    {C, STR("address,quota\na,1X\nb,-1\nc,18446744073709551616\nd,5 G\ne,9223372036854775807\n"),
     "2 m a ? the quota cannot be read;3 m b  q0;4 m c ? the quota cannot be read;"
     "5 m d ? the quota cannot be read;6 m e ? the quota cannot be read;"},
    {C, STR("address\nanna\n"), "2 m anna ;"},
    {C, STR("address,password,password_hash\na,clear,\nb,,{SHA}h\nc,clear,{SHA}h\n"),
     "2 m a clear;3 m b {SHA}h named;4 m c {SHA}h named;"},
    {C, STR("crypt,mail\nh,a\n"), "2 m a h named;"},
    /* MySQL */
    {Q,
     STR(MYSQL TABLES
         "INSERT INTO `mailbox` VALUES ('anna@x.example','{SHA}a','O\\'Neil, (A)',1024,1),"
         "('bert@x.example','$1$b','',0,0);\nINSERT INTO `mailbox` VALUES "
         "('c@x.example',NULL,'x',-1,1);\n"),
     "11 m anna@x.example {SHA}a q1024;11 m bert@x.example $1$b q0 off;12 m c@x.example  q0;"},
    {Q,
     STR(MYSQL "INSERT INTO `domain` (`domain`,`description`,`active`,`backupmx`) VALUES\n"
               "('x.example','it''s; me',1,0),\n('y.example','',0,0),\n('z.example','',1,1);\n"
               "INSERT INTO alias (address, goto, active) VALUES "
               "('i@x.example','a@x.example,b@y.example',1),('@x.example','a@x.example',1),"
               "('n@x.example','',1),('o@x.example','o@x.example',0);"),
     "3 d x.example;4 d y.example off;5 d z.example off;6 a i@x.example: a@x.example b@y.example;"
     "6 a @x.example: a@x.example;6 a n@x.example ? there is no target;"
     "6 a o@x.example: o@x.example off;"},
    {Q,
     STR("-- MariaDB\nCREATE TABLE `users` (`id` int, `username` text);\nINSERT INTO `users` "
         "VALUES (1,'roundcube');\nINSERT INTO `log` VALUES ('a;b','c'),('d',_binary 'e');\nINSERT "
         "IGNORE INTO `virtual_users` (`id`,`email`,`password`) VALUES (1,'a@x.example','h');\n"),
     "5 m a@x.example h;"},
    {Q, STR(MYSQL TABLES "INSERT INTO mailbox VALUES ('a','h'),('b','h','n',1,1);"),
     "11 m a ? there are more values, or fewer, than columns;11 m b h q1;"},
    {Q, STR(MYSQL TABLES "INSERT INTO mailbox VALUES ('a','h"), "11 m a ? the row is not closed;"},
    {Q, STR(MYSQL TABLES "INSERT INTO mailbox VALUES ('a"), "11 m  ? the row is not closed;"},
    /* Vimbadmin has bit(1) */
    {Q,
     STR(MYSQL "INSERT INTO mailbox (username,password,active) VALUES ('a','h',_binary "
               "'\\0'),('b','h',_binary '\1');"),
     "2 m a h off;2 m b h;"},
    /* PostgreSQL */
    {Q,
     STR("-- PostgreSQL database dump\nSET x = 'a';\nCREATE TABLE public.mailbox (\n    username "
         "character varying(255) NOT NULL,\n    active boolean DEFAULT true\n);\nCOPY public.log "
         "(username, data) FROM stdin;\na\tINSERT INTO mailbox\n\\.\n\nCOPY public.mailbox "
         "(username, password, name, quota, active) FROM stdin;\na@x.example\t{SHA}a\tA\\tB\t0\tt\n"
         "b@x.example\t\\N\t\\N\t12\tf\nc@x.example\n\\.\n\nCOPY public.alias (address, goto) FROM "
         "stdin;\ni@x.example\ta@x.example, b@x.example\n\\.\n"),
     "12 m a@x.example {SHA}a q0;13 m b@x.example  q12 off;"
     "14 m c@x.example ? there are more values, or fewer, than columns;"
     "18 a i@x.example: a@x.example b@x.example;"},
    {Q,
     STR("CREATE TABLE public.mailbox (\n username text,\n password text,\n active boolean\n);\n"
         "INSERT INTO public.mailbox VALUES ('a\\', 'h', true);\nINSERT INTO public.mailbox VALUES "
         "(E'b\\'', 'h', false);\n"),
     "6 m a\\ h;7 m b' h off;"},
    /* SQLite */
    {Q,
     STR("PRAGMA foreign_keys=OFF;\nBEGIN TRANSACTION;\nCREATE TABLE IF NOT EXISTS \"mailbox\" "
         "(username TEXT PRIMARY KEY, password TEXT, [quota] INTEGER CHECK (quota > 0), UNIQUE "
         "(username, password));\nINSERT INTO mailbox VALUES('a@x.example','h',5);\n"
         "INSERT INTO \"mailbox\" VALUES(replace('a\\nb','\\n',char(10)),'h',5);\nCOMMIT;\n"),
     "4 m a@x.example h q5;5 m replace('a\\nb','\\n',char(10)) h q5;"},
    {Q, STR("INSERT INTO mailbox VALUES ('a','h');\nCREATE TABLE \x01;\nINSERT INTO"), ""},
};

static void
entries_are_read(void **state)
{
    AUTO_ARENA *a = arena_new(ACCOUNT_ENTRY_BYTES);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_BUF out = BUF(8192);
        struct account_cursor c;
        struct account_entry e;
        if (account_file_form(rows[i].in) != rows[i].form)
            fail_msg("row %zu: form %u", i, account_file_form(rows[i].in));
        account_cursor_init(&c, rows[i].in, rows[i].form);
        for (; account_next(&c, a, &e); arena_reset(a))
            write_entry(&e, &out);
        if (!str_eq(buf_str(&out), str_of(rows[i].out)))
            fail_msg("row %zu: \"%.*s\"", i, STR_FMT(buf_str(&out)));
    }
}

static void
forms_are_told_apart(void **state)
{
    static const struct {
        struct str in;
        enum account_form form;
    } files[] = {
        {STR(""), ACCOUNT_UNKNOWN},
        {STR("# only this\n"), ACCOUNT_UNKNOWN},
        {STR("no colon here\n"), ACCOUNT_UNKNOWN},
        {STR("name,colour\na,b\n"), ACCOUNT_UNKNOWN},
        {STR("copy:me\n"), ACCOUNT_PASSWD},
        {STR("# INSERT INTO x\na:b\n"), ACCOUNT_PASSWD},
        {STR("E-Mail,Address\na,b\n"), ACCOUNT_CSV},
        {STR("insert into x values (1);\n"), ACCOUNT_SQL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(files); i++)
        ROW(i, account_file_form(files[i].in) == files[i].form);
}

/* As long as a value may be, and longer; as many columns as there may be, and more; tables too many. */
static void
limits_hold(void **state)
{
    AUTO_ARENA *a = arena_new(ACCOUNT_ENTRY_BYTES);
    AUTO_BUF in = BUF(1 << 20);
    struct account_cursor c;
    struct account_entry e;

    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        buf_reset(&in);
        buf_add_z(&in, "INSERT INTO mailbox (username,password) VALUES ('a','");
        for (int i = 0; i < LIMIT_ALIAS_LINE_BYTES + extra; i++)
            buf_add_char(&in, 'x');
        buf_add_z(&in, "'),('b','h');");
        account_cursor_init(&c, buf_str(&in), ACCOUNT_SQL);
        assert_true(account_next(&c, a, &e) && (e.fault != NULL) == (extra == 1));
        assert_true(account_next(&c, a, &e) && str_eq(e.name, STR("b")));
        assert_false(account_next(&c, a, &e));
        arena_reset(a);
        buf_reset(&in);
        buf_add_z(&in, "address");
        for (int i = 1; i < LIMIT_IMPORT_COLUMNS + extra; i++)
            buf_add_z(&in, ",x");
        assert_int_equal(account_file_form(buf_str(&in)),
                         extra == 0 ? ACCOUNT_CSV : ACCOUNT_UNKNOWN);
        buf_reset(&in);
        for (int i = 0; i < LIMIT_IMPORT_TABLES + extra - 1; i++)
            buf_add_z(&in, "CREATE TABLE alias (x int);");
        buf_add_z(&in,
                  "CREATE TABLE mailbox (username,password);INSERT INTO mailbox VALUES (1,2);");
        account_cursor_init(&c, buf_str(&in), ACCOUNT_SQL);
        assert_int_equal(account_next(&c, a, &e), extra == 0);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_read),
        cmocka_unit_test(forms_are_told_apart),
        cmocka_unit_test(limits_hold),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
