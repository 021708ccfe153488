/* dkim_suite_test.c - the corpus of Mail::DKIM, where it is present (base/suites.h): messages of twenty years.
 *
 * Most were signed in ways that RFC 8301 forbids by now.  So each is judged twice: by the old rules, under which the
 * names of the files say what must come out (good and mine pass, bad, badkey and ignore do not, but for what the rows
 * note), and by today's.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "policy/dkim.h"

#include "base/size.h"
#include "base/suites.h"
#include "base/testing.h"
#include "policy/dkim_testkit.h"

enum { FILE_MAX = 1 << 20, RECORDS_MAX = 64 };

static struct str
read_file(const char *folder, const char *name, struct arena *a)
{
    char path[4096];
    static char bytes[FILE_MAX];
    AUTO_BUF b = BUF(2 * FILE_MAX);

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        FAIL_AND_STOP("%s is missing", path);
    size_t n = fread(bytes, 1, sizeof(bytes), f);
    fclose(f);
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] == '\n' && (i == 0 || bytes[i - 1] != '\r'))
            buf_add_char(&b, '\r');
        buf_add_char(&b, bytes[i]);
    }
    return arena_str(a, buf_str(&b));
}

/* "name  text", or after the name "NXDOMAIN" or "~~a failure~~". */
static struct testkit_dns
read_dns(struct str text, struct arena *a)
{
    struct testkit_record *at = ARENA_ARRAY(a, struct testkit_record, RECORDS_MAX);
    size_t n = 0;
    struct str rest = text, line = STR_NONE;

    while (str_split(&rest, '\n', &line)) {
        ssize_t space = str_find(line, ' ');
        if (space <= 0 || line.ptr[0] == '#')
            continue;
        struct str value = str_trim(str_skip(line, (size_t)space));
        assert_true(n < RECORDS_MAX);
        at[n++] = (struct testkit_record){.name = str_sub(line, 0, (size_t)space),
                                          .text = value,
                                          .found = str_eq(value, STR("NXDOMAIN")) ? KEY_ABSENT
                                                   : str_starts(value, STR("~~")) ? KEY_UNKNOWN
                                                                                  : KEY_FOUND};
    }
    return (struct testkit_dns){at, n};
}

static const struct {
    const char *file, *old, *now;
} rows[] = {
    {"bad_1.txt", "fail, the signature does not fit", "permerror, no v= tag"},
    {"bad_1878954.txt", "fail, the signature does not fit", "permerror, rsa-sha1 is not safe"},
    /* DomainKeys, the predecessor, is not DKIM: no verdict; so are dk_ and good_dk_ */
    {"bad_dk_1.txt", "", ""},
    {"bad_dk_2.txt", "", ""},
    {"bad_dk_3.txt", "", ""},
    {"bad_dk_4.txt", "", ""},
    {"bad_dk_5.txt", "", ""},
    {"bad_ietf01_1.txt", "fail, the body was changed", "permerror, no v= tag"},
    {"bad_ietf01_2.txt", "fail, the signature does not fit", "permerror, no v= tag"},
    {"bad_ietf01_3.txt", "fail, the signature does not fit", "permerror, no v= tag"},
    {"badkey1_ed25519.txt", "permerror, the key is broken", "permerror, the key is broken"},
    {"badkey2_ed25519.txt", "fail, the signature does not fit", "fail, the signature does not fit"},
    {"badkey3_ed25519.txt", "fail, the body was changed", "fail, the body was changed"},
    {"badkey4_ed25519.txt", "permerror, no key", "permerror, no key"},
    {"badkey5_ed25519.txt", "permerror, the key record is broken",
     "permerror, the key record is broken"},
    {"badkey_1.txt", "permerror, no key", "permerror, another version"},
    {"badkey_10.txt", "permerror, the key is not for subdomains",
     "permerror, rsa-sha1 is not safe"},
    {"badkey_11.txt", "permerror, the key is for another algorithm",
     "permerror, the key is for another algorithm"},
    {"badkey_12.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"badkey_13.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"badkey_14.txt", "temperror, the key cannot be asked for now",
     "permerror, rsa-sha1 is not safe"},
    {"badkey_15.txt", "temperror, the key cannot be asked for now",
     "permerror, rsa-sha1 is not safe"},
    {"badkey_2.txt", "permerror, the key is revoked", "permerror, another version"},
    {"badkey_3.txt", "permerror, the key is of another version", "permerror, another version"},
    {"badkey_4.txt", "permerror, the key record is broken", "permerror, another version"},
    {"badkey_5.txt", "permerror, the key is of an unknown kind", "permerror, another version"},
    {"badkey_6.txt", "permerror, the key is not for mail", "permerror, another version"},
    {"badkey_7.txt", "permerror, the key is for another algorithm", "permerror, another version"},
    /* g= of its key, which RFC 6376 no longer knows, forbids it; likewise badkey_9, _12 and _13 */
    {"badkey_8.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"badkey_9.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"dk_headers_1.txt", "", ""},
    {"dk_headers_2.txt", "", ""},
    {"dk_multiple_1.txt", "", ""},
    {"good_1878523.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"good_83176.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"good_dk_1.txt", "", ""},
    {"good_dk_2.txt", "", ""},
    {"good_dk_3.txt", "", ""},
    {"good_dk_4.txt", "", ""},
    {"good_dk_5.txt", "", ""},
    {"good_dk_6.txt", "", ""},
    {"good_dk_7.txt", "", ""},
    {"good_dk_gmail.txt", "", ""},
    {"good_dk_yahoo.txt", "", ""},
    /* of a draft without bh= */
    {"good_ietf00_1.txt", "permerror, no bh= tag", "permerror, no v= tag"},
    {"good_ietf00_2.txt", "permerror, no bh= tag", "permerror, no v= tag"},
    {"good_ietf00_3.txt", "permerror, no bh= tag", "permerror, no v= tag"},
    {"good_ietf00_4.txt", "permerror, no bh= tag", "permerror, no v= tag"},
    {"good_ietf00_5.txt", "permerror, no bh= tag", "permerror, no v= tag"},
    {"good_ietf01_1.txt", "pass", "permerror, no v= tag"},
    {"good_ietf01_2.txt", "pass", "permerror, no v= tag"},
    {"good_qp_1.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"good_qp_2.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"good_qp_3.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"good_rfc4871_3.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"good_rfc4871_4.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"goodkey_1.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"goodkey_2.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"goodkey_3.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"goodkey_4.txt", "pass", "permerror, rsa-sha1 is not safe"},
    {"goodkey_ed25519.txt", "pass", "pass"},
    {"ignore_1.txt", "permerror, another version", "permerror, another version"},
    {"ignore_2.txt", "permerror, unknown algorithm", "permerror, another version"},
    {"ignore_3.txt", "permerror, unknown algorithm", "permerror, another version"},
    {"ignore_4.txt", "permerror, unknown canonicalisation", "permerror, another version"},
    {"ignore_5.txt", "permerror, unknown way to the key", "permerror, rsa-sha1 is not safe"},
    {"ignore_6.txt", "permerror, unknown way to the key", "permerror, rsa-sha1 is not safe"},
    {"ignore_7.txt", "policy, the signature has expired", "permerror, rsa-sha1 is not safe"},
    {"ignore_8.txt", "permerror, i= is not in d=", "permerror, rsa-sha1 is not safe"},
    {"mine_ietf01_1.txt", "pass", "permerror, no v= tag"},
    {"mine_ietf01_2.txt", "pass", "permerror, no v= tag"},
    {"mine_ietf01_3.txt", "pass", "permerror, no v= tag"},
    {"mine_ietf01_4.txt", "pass", "permerror, no v= tag"},
    {"mine_ietf05_1.txt", "pass", "permerror, another version"},
    {"multiple_1.txt",
     "fail, the signature does not fit; pass; permerror, bh= is no hash; fail, the signature does "
     "not fit",
     "permerror, no v= tag; permerror, no v= tag; permerror, no v= tag; permerror, no v= tag"},
    {"multiple_2.txt",
     "permerror, unknown canonicalisation; pass; fail, the signature does not fit; permerror, "
     "syntax error",
     "permerror, rsa-sha1 is not safe; permerror, rsa-sha1 is not safe; permerror, rsa-sha1 is not "
     "safe; permerror, syntax error"},
    {"no_body_1.txt", "pass", "permerror, another version"},
    {"no_body_2.txt", "pass", "permerror, another version"},
    {"no_body_3.txt", "pass", "permerror, another version"},
};

static void
judge(size_t row, struct str message, const struct testkit_dns *dns, enum sig_rules rules)
{
    AUTO_ARENA *a = arena_new(DKIM_ARENA);
    AUTO_BUF got = BUF(1024);
    struct dkim_verdict v[LIMIT_DKIM_SIGNATURES];
    struct testkit_reading r = {.rules = rules, .now_s = 1800000000};
    const char *want = rules == SIG_RULES_OLD ? rows[row].old : rows[row].now;
    uint32_t n = testkit_judge(message, dns, &r, a, v);

    for (uint32_t i = 0; i < n; i++)
        buf_addf(&got, "%s%s%s%s", i > 0 ? "; " : "", dkim_result_name(v[i].result),
                 v[i].reason[0] != '\0' ? ", " : "", v[i].reason);
    if (!str_eq(buf_str(&got), str_of(want)))
        FAIL_AND_STOP("%s by the %s rules: \"%.*s\", want \"%s\"", rows[row].file,
                      rules == SIG_RULES_OLD ? "old" : "new", STR_FMT(buf_str(&got)), want);
}

static void
corpus(void **state)
{
    char folder[2048], messages[2100];
    DIR *d = suite_open("dkim", folder, sizeof(folder));
    size_t found = 0;

    (void)state;
    if (d == NULL) {
        print_message("no suite of DKIM on this machine\n");
        skip();
    }
    AUTO_ARENA *a = arena_new(16 * FILE_MAX);
    closedir(d);
    struct testkit_dns dns = read_dns(read_file(folder, "FAKE_DNS.dat", a), a);
    snprintf(messages, sizeof(messages), "%s/corpus", folder);
    d = opendir(messages);
    assert_non_null(d);
    for (const struct dirent *e = readdir(d); e != NULL; e = readdir(d))
        found += e->d_name[0] != '.';
    closedir(d);
    assert_int_equal(found, COUNT_OF(rows));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct str message = read_file(messages, rows[i].file, a);
        judge(i, message, &dns, SIG_RULES_OLD);
        judge(i, message, &dns, SIG_RULES_NOW);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(corpus)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
