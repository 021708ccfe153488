/* foreign_test.c - hashes that other programs made (doveadm pw, openssl passwd, crypt(3), libargon2, hashlib), of one
 * password; and those that are refused.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/testing.h"

#include "auth/foreign.h"
#include "auth/verifier.h"
#include "base/buf.h"
#include "base/size.h"

#define PASSWORD "correct horse"

static const struct {
    struct str hash;
    enum foreign_kind kind;
} good[] = {
    {STR("{PLAIN}correct horse"), FOREIGN_PLAIN},
    {STR("{CLEAR}correct horse"), FOREIGN_PLAIN},
    {STR("{cleartext}correct horse"), FOREIGN_PLAIN},
    {STR("{PLAIN.HEX}636f727265637420686f727365"), FOREIGN_PLAIN},
    {STR("{PLAIN.b64}Y29ycmVjdCBob3JzZQ=="), FOREIGN_PLAIN},
    {STR("{SHA1}L55TUjtiq8FBorTWAZ0jy6g129A="), FOREIGN_DIGEST},
    {STR("{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="), FOREIGN_DIGEST},
    {STR("{SHA1.B64}L55TUjtiq8FBorTWAZ0jy6g129A="), FOREIGN_DIGEST},
    {STR("{SHA256}QQTTb42iwlQ0n4WDZ5Pr4CngyVcGOjTJHC6SAxh7VjE="), FOREIGN_DIGEST},
    {STR("{SHA256.HEX}4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631"),
     FOREIGN_DIGEST},
    {STR("{SHA256}4104d36f8da2c254349f85836793ebe029e0c957063a34c91c2e9203187b5631"),
     FOREIGN_DIGEST},
    {STR("{SHA512}VraY3v7bWkNbY0r+MyC7rz/c2SC2xQOkRvx7endrKY1HnRumqLYXgI6wv1ec6aldZoNHvKtxSQhay"
         "TyyeZUZew=="),
     FOREIGN_DIGEST},
    {STR("{SHA512.HEX}56b698defedb5a435b634afe3320bbaf3fdcd920b6c503a446fc7b7a776b298d479d1ba6a8b61"
         "7808eb0bf579ce9a95d668347bcab7149085ac93cb27995197b"),
     FOREIGN_DIGEST},
    {STR("{SSHA}AkPsmAU+LOJtRv2GTYdb9bE26vYuvVNC"), FOREIGN_DIGEST},
    {STR("{SSHA.HEX}93880d498e812cd0da838539ec0c815aa02aee74b57a676d"), FOREIGN_DIGEST},
    {STR("{SSHA256}DQSlgb/h12C+LmFjpNMESuE/Rzfnc4zh+bqdC/QVyLhD51a0"), FOREIGN_DIGEST},
    {STR("{SSHA256.HEX}6dd7705f84aae1c93fd330c58f344e19c4fb302c3dac1db8b9f2b2ac219604786f345784"),
     FOREIGN_DIGEST},
    {STR("{SSHA512}O6lgAB3m8umzM3XZRa66x2Sjxl1GgXox35xlHEx4v0BWEzezw4hp6h7WvFWvRunjDgTFx59520y6avEA"
         "Rtfzhy8hIs4="),
     FOREIGN_DIGEST},
    {STR("{SSHA512.B64}3RTlSAwiPP7/80A6HBZ6ydJ/pRXpmabEz0dN8sGb5VPw8/bxbOfvxZ+NO87vBYNi6SQF0Sjd0LIt"
         "thcIahJmi2hESh8="),
     FOREIGN_DIGEST},
    {STR("{SMD5}fRuwL75a6RNmlq39rY7VxJ2uE7I="), FOREIGN_DIGEST},
    {STR("{LDAP-MD5}PLTnMmMfR+brlh80VUt83g=="), FOREIGN_DIGEST},
    {STR("{PLAIN-MD5}3cb4e732631f47e6eb961f34554b7cde"), FOREIGN_DIGEST},
    {STR("{PBKDF2}$1$jPY16Nu8hAkt8oEr$5000$434d36aa09335cac223cff7f9e40c2b9b5d0095e"),
     FOREIGN_PBKDF2},
    {STR("{PBKDF2.HEX}"
         "243124566257754549666b7142784b5535664624353030302437336530643033663430333663633"
         "634376362303934616130616235623935646633643563633136"),
     FOREIGN_PBKDF2},
    {STR("$pbkdf2$1000$MDEyMzQ1Njc4OWFiY2RlZg$aUfE2vx5Q7zgbb0jx49AaNpXUQQ"), FOREIGN_PBKDF2},
    {STR("$pbkdf2-sha256$1000$MDEyMzQ1Njc4OWFiY2RlZg$cBg8D2DungRB9k76szThf5ehfyBz991ay6PT8Srwk4M"),
     FOREIGN_PBKDF2},
    {STR("$pbkdf2-sha512$i=1000$MDEyMzQ1Njc4OWFiY2RlZg$OM0FAoIqCVK1sWtxDiffVlBejtLa."
         "ks4TP71JiecwuSZCG"
         "8iLbnlIEPOMoVX.i2B2wkSxjQ8CRGR9OkNGuIPMQ"),
     FOREIGN_PBKDF2},
    {STR("{ARGON2I}$argon2i$v=19$m=32768,t=4,p=1$iTtU6Pjy8vBh/GyUoO5JpQ$GRc5DKN8nZ3tqb0oJb/"
         "puLIet5f5J8eRPCTK8L3Gddk"),
     FOREIGN_ARGON2},
    {STR("{ARGON2ID}$argon2id$v=19$m=65536,t=3,p=1$lPcaGjiDmgGvngBOlxBZ7A$wzbmMm3/"
         "yFdDNdy/ZfXcNywWdT5gHiJdIU1u8VCiqug"),
     FOREIGN_ARGON2},
    {STR("$argon2id$v=19$m=64,t=3,p=2$c29tZXNhbHQ$7ZgA2Fcc4wWe1/3JW4KZUgFufg103vcN"),
     FOREIGN_ARGON2},
    {STR("$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$TXMHh8p/Z1XrJD4QWXdkAcy59teiSmbNEB+LDyrgyFk"),
     FOREIGN_ARGON2},
    {STR("$argon2i$v=16$m=64,t=2,p=1$c29tZXNhbHQ$to9ApYOCO1mOnupCHG8+hTT2TtHwSvUqgsIld3ObyHY"),
     FOREIGN_ARGON2},
    {STR("$argon2i$m=64,t=2,p=1$c29tZXNhbHQ$to9ApYOCO1mOnupCHG8+hTT2TtHwSvUqgsIld3ObyHY"),
     FOREIGN_ARGON2},
    {STR("{SCRAM-SHA-256}4096,Vzltzrzxco/Dc97d+0qD6A==,1FpIbEDhBV2rP1O1ltxVZMPu7/"
         "3oQSUpdnp7T1hVdOM=,"
         "xAyVvTdoa3CC+kZl8wD13ecZgqfgWHi76D00UoDzzHk="),
     FOREIGN_SCRAM},
    {STR("{DES-CRYPT}aPtvr7nYmS3VA"), FOREIGN_CRYPT}, /* sees eight bytes of the password */
    {STR("aPtvr7nYmS3VA"), FOREIGN_CRYPT},
    {STR("{MD5-CRYPT}$1$SCcE9UQM$13IbAzqZJXh6HFp.LjH7K/"), FOREIGN_CRYPT},
    {STR("{MD5}$1$yFULVvu5$fsRv9iepwbNBI.fzOdrv60"), FOREIGN_CRYPT},
    {STR("$1$saltsalt$NuzA7WTAelpl95xgBGWN60"), FOREIGN_CRYPT},
    {STR("{BLF-CRYPT}$2y$04$qyzwi8aichEdZ.wgNPMwFO5VefXKjQHmB1z5.SLmlyzTOfkGS1ssi"), FOREIGN_CRYPT},
    {STR("{CRYPT}$2y$05$LSv7MUlDu8ebK3gB5I2BxOIs6SdaZEcycAImWrSHnzcoqfudy/P.m"), FOREIGN_CRYPT},
    {STR("$2a$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"), FOREIGN_CRYPT},
    {STR("$2b$05$abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"), FOREIGN_CRYPT},
    {STR("{SHA256-CRYPT}$5$AIx6Es3LrRrzWPsD$Q9rsj1PPgR82BwQVR.onZyEOhpCwCgbdTkpxXVOs076"),
     FOREIGN_CRYPT},
    {STR("$5$rounds=1000$abcdefgh$ue35C0ITbth1b5zVUjrjm2mMmsmMKiodEeH2UV/Hq10"), FOREIGN_CRYPT},
    {STR("{SHA512-CRYPT}$6$mPFCDseEL6w8Z6Lt$"
         "eLtIxYXZCPs0XlA8l1bGJbmiuHOOoy4A8Rv0uA3UAFfH5WhgCNbhzYETP"
         "3GTA97d.HCaDW4jikIobzcxqW6GB/"),
     FOREIGN_CRYPT},
    {STR("{SHA512-CRYPT.B64}"
         "JDYkSUY2YVZ3aWZURUYzLll3SiQuL3JPZk9wazN2dnkwbDQwdWFIYmtLSTR5VzEwdTJrQ3lse"
         "k5HOW5BVGxUcG5kL0s2MkJrOHhnaWpzc0N5aWJRaGpzcVBtRVVJbWlrWm9oZWRTdG1wMA=="),
     FOREIGN_CRYPT},
    {STR("$6$saltsalt$"
         "hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/"
         "uamSo5z0"),
     FOREIGN_CRYPT},
    {STR("$y$j9T$abcdefgh$4mqd6JVlUo/.JMgenptcdPqIowfqDPoC9lSyWQhPMf1"), FOREIGN_CRYPT},
    {STR("$gy$j9T$abcdefgh$yhoLJn0JpE7C2QxfG8fCICu.Z3PJY/dhTuRqn7Sv6i/"), FOREIGN_CRYPT},
};

static void
passwords_are_known(void **state)
{
    struct secret right = {0}, wrong = {0}, zero = {0};

    (void)state;
    assert_true(secret_set(&right, STR(PASSWORD)) && secret_set(&wrong, STR("Correct horse")) &&
                secret_set(&zero, STR(PASSWORD "\0x")));
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct foreign f = {0};
        const char *fault = foreign_read(good[i].hash, &f);
        if (fault != NULL)
            fail_msg("row %zu: %s", i, fault);
        ROW(i, f.kind == good[i].kind);
        ROW(i, foreign_check(&f, &right) == OK);
        ROW(i, foreign_check(&f, &wrong) == ERR_DENIED);
        ROW(i, foreign_check(&f, &zero) == ERR_DENIED);
    }
}

#define T22 "NuzA7WTAelpl95xgBGWN60"
#define T43 "Q9rsj1PPgR82BwQVR.onZyEOhpCwCgbdTkpxXVOs076"
#define T53 "abcdefghijklmnopqrstuuHNbAKRhpaujgo33bRWs.NLUTJO3lOy2"
#define T86 "hRM5XZ86KXEw9UOmjigeVqFgULtFB2sgpC9lXQDfMib3Zgw7mEiUvBJI2EplzfAqxL5Vvwp2scFtv/uamSo5z0"
#define B32 "1FpIbEDhBV2rP1O1ltxVZMPu7/3oQSUpdnp7T1hVdOM="
#define A32 "TXMHh8p/Z1XrJD4QWXdkAcy59teiSmbNEB+LDyrgyFk"
static const char costly[] = "checking it would take too long or too much memory";
static const char malformed[] = "the hash is not well formed";
static const char unknown[] = "this kind of hash is not known";

static const struct {
    struct str hash;
    const char *fault; /* NULL: it is taken */
} limits[] = {
    {STR(""), "there is none"},
    {STR("{PLAIN}"), "there is none"},
    {STR("correct horse"), unknown},
    {STR("!"), unknown},
    {STR("*"), unknown},
    {STR("!$6$saltsalt$" T86), unknown},
    {STR("{}x"), unknown},
    {STR("{NOTHING}x"), unknown},
    {STR("{CRAM-MD5}38b57fd1a0c4b46c814aa05f20318edd71c455380655f2c0ac35c5b359528d29"), unknown},
    {STR("{PLAIN.rot13}x"), unknown},
    {STR("{PLAIN"), malformed},
    {STR("{PLAIN.hex}abc"), malformed},
    {STR("{PLAIN.hex}610061"), malformed},
    {STR("{PLAIN}a\0b"), malformed},
    {STR("{SHA}"), malformed},
    {STR("{SHA}L55TUjtiq8FBorTWAZ0jy6g129B="), malformed}, /* bits left over */
    {STR("{SHA}L55TUjtiq8FBorTWAZ0jy6g129AA"), malformed},
    {STR("{SHA256}L55TUjtiq8FBorTWAZ0jy6g129A="), malformed},
    {STR("{SSHA512}L55TUjtiq8FBorTWAZ0jy6g129A="), malformed},
    /* crypt(3) */
    {STR("$1$saltsalt$" T22), NULL},
    {STR("$1$saltsalt$" T22 "x"), malformed},
    {STR("$1$salt salt$" T22), malformed},
    {STR("$3$$8846f7eaee8fb117ad06bdd830b7586c"), unknown},
    {STR("$apr1$saltsalt$" T22), unknown},
    {STR("$2y$14$" T53), NULL},
    {STR("$2y$15$" T53), costly},
    {STR("$2y$31$" T53), costly},
    {STR("$2y$03$" T53), malformed},
    {STR("$2y$5$" T53), malformed},
    {STR("$2y$005$" T53), malformed},
    {STR("$2x$05$" T53), unknown},
    {STR("$2y$05$" T43), malformed},
    {STR("$5$rounds=1000000$salt$" T43), NULL},
    {STR("$5$rounds=1000001$salt$" T43), costly},
    {STR("$6$rounds=999999999$salt$" T86), costly},
    {STR("$6$rounds=4294967296$salt$" T86), malformed},
    {STR("$6$rounds=999$salt$" T86), malformed},
    {STR("$6$rounds=x$salt$" T86), malformed},
    {STR("$6$saltsalt"), malformed},
    {STR("$6$saltsalt$" T43), malformed},
    {STR("$y$jBT$salt$" T43), NULL}, /* 64 MiB */
    {STR("$y$jCT$salt$" T43), costly},
    {STR("$y$jjj$salt$" T43), costly},
    {STR("$y$jzT$salt$" T43), malformed},
    {STR("$y$j9T5$salt$" T43), malformed},
    {STR("$y$/9T$salt$" T43), unknown},
    {STR("aPtvr7nYmS3V"), unknown},
    {STR("aPtvr7nYmS3V:"), unknown},
    /* the others */
    {STR("$argon2id$v=19$m=262144,t=4,p=1$c29tZXNhbHQ$" A32), NULL},
    {STR("$argon2id$v=19$m=262144,t=5,p=1$c29tZXNhbHQ$" A32), costly},
    {STR("$argon2id$v=19$m=262145,t=1,p=1$c29tZXNhbHQ$" A32), costly},
    {STR("$argon2id$v=19$m=8,t=4294967295,p=1$c29tZXNhbHQ$" A32), costly},
    {STR("$argon2id$v=19$m=8,t=4294967296,p=1$c29tZXNhbHQ$" A32), malformed},
    {STR("$argon2id$v=19$m=4096,t=1,p=16$c29tZXNhbHQ$" A32), NULL},
    {STR("$argon2id$v=19$m=4096,t=1,p=17$c29tZXNhbHQ$" A32), costly},
    {STR("$argon2id$v=19$m=15,t=1,p=2$c29tZXNhbHQ$" A32), malformed},
    {STR("$argon2id$v=19$m=8,t=0,p=1$c29tZXNhbHQ$" A32), malformed},
    {STR("$argon2id$v=19$m=8,t=1,p=0$c29tZXNhbHQ$" A32), malformed},
    {STR("$argon2id$v=18$m=8,t=1,p=1$c29tZXNhbHQ$" A32), unknown},
    {STR("$argon2d$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" A32), unknown},
    {STR("$argon2id$v=19$m=8,t=1,p=1$c2FsdA$" A32), malformed},
    {STR("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ"), malformed},
    {STR("$argon2id$v=19$m=8,t=1,p=1$c29tZXNhbHQ$" A32 "$x"), malformed},
    {STR("{PBKDF2}$1$salt$2000000$434d36aa09335cac223cff7f9e40c2b9b5d0095e"), NULL},
    {STR("{PBKDF2}$1$salt$2000001$434d36aa09335cac223cff7f9e40c2b9b5d0095e"), costly},
    {STR("{PBKDF2}$1$salt$0$434d36aa09335cac223cff7f9e40c2b9b5d0095e"), malformed},
    {STR("{PBKDF2}$2$salt$1000$434d36aa09335cac223cff7f9e40c2b9b5d0095e"), malformed},
    {STR("{PBKDF2}$1$salt$1000$434d36aa09335cac223cff7f9e40c2b9b5d009"), malformed},
    {STR("$pbkdf2-sha256$2000001$MDEyMzQ1Njc4OWFiY2RlZg$" A32), costly},
    {STR("$pbkdf2-md5$1000$MDEyMzQ1Njc4OWFiY2RlZg$" A32), unknown},
    {STR("{SCRAM-SHA-256}2000001,c2FsdA==," B32 "," B32), costly},
    {STR("{SCRAM-SHA-256}4096,c2FsdA==," B32 ",c2FsdA=="), malformed},
    {STR("{SCRAM-SHA-256}4096,," B32 "," B32), malformed},
    {STR("{SCRAM-SHA-256}0,c2FsdA==," B32 "," B32), malformed},
};

static void
limits_hold(void **state)
{
    char longest[7 + FOREIGN_MAX] = "{PLAIN}";
    struct foreign f;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(limits); i++) {
        const char *fault = foreign_read(limits[i].hash, &f);
        if (fault == NULL || limits[i].fault == NULL)
            ROW(i, fault == limits[i].fault);
        else if (!str_eq(str_of(fault), str_of(limits[i].fault)))
            fail_msg("row %zu: %s", i, fault);
    }
    memset(longest + 7, 'x', FOREIGN_MAX);
    assert_null(foreign_read(str_from(longest, FOREIGN_MAX), &f));
    assert_non_null(foreign_read(str_from(longest, FOREIGN_MAX + 1), &f));
}

/* A verifier out of every hash, and what SCRAM can do with it. */
static void
verifiers_are_made_of_them(void **state)
{
    struct secret right = {0}, wrong = {0};
    struct scram_keys keys;
    const char *why = NULL;

    (void)state;
    assert_true(secret_set(&right, STR(PASSWORD)) && secret_set(&wrong, STR("Correct horse")));
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        AUTO_BUF v = BUF(VERIFIER_MAX);
        ROW(i, verifier_take(good[i].hash, &v, &why) == OK && verifier_is_foreign(buf_str(&v)));
        ROW(i, verifier_check(buf_str(&v), &right) == OK);
        if (good[i].kind == FOREIGN_PLAIN)
            ROW(i, str_find_str(buf_str(&v), STR(PASSWORD)) < 0);
        bool scram = good[i].kind == FOREIGN_PLAIN || good[i].kind == FOREIGN_SCRAM;
        ROW(i, verifier_scram(buf_str(&v), &keys) == (scram ? OK : ERR_NOT_FOUND));
        ROW(i, !scram || (keys.iterations == SCRAM_ITERATIONS && keys.salt_len == 16));
    }
    AUTO_BUF none = BUF(VERIFIER_MAX);
    assert_int_equal(verifier_take(STR("{NOTHING}x"), &none, &why), ERR_SYNTAX);
    assert_true(str_eq(str_of(why), str_of(unknown)) && none.len == 0);
    assert_int_equal(verifier_check(STR("\2{NOTHING}x"), &right), ERR_CORRUPT);
    assert_int_equal(verifier_scram(STR("\2{NOTHING}x"), &keys), ERR_CORRUPT);
    assert_int_equal(verifier_check(STR("\2"), &right), ERR_CORRUPT);
    AUTO_BUF own = BUF(VERIFIER_MAX);
    assert_int_equal(verifier_make(&right, &own), OK);
    assert_false(verifier_is_foreign(buf_str(&own)) || verifier_is_foreign(STR("")));
}

/* What follows is not known to be the password: it must not become the only one. */
static void
some_look_at_a_beginning(void **state)
{
    static const struct {
        struct str hash;
        size_t at;
    } rows[] = {
        {STR("{PLAIN}correct horse"), SIZE_MAX},
        {STR("{SHA}L55TUjtiq8FBorTWAZ0jy6g129A="), SIZE_MAX},
        {STR("$2y$05$abcdefghijklmnopqrstuuEJwvS1/IgUeWCSYiNAjpBQGJ2JTXCoC"), 72},
        {STR("{CRYPT}abJnggxhB/yWI"), 8},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        AUTO_FOREIGN f = {0};
        ROW(i, foreign_read(rows[i].hash, &f) == NULL && foreign_looks_at(&f) == rows[i].at);
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passwords_are_known),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(some_look_at_a_beginning),
        cmocka_unit_test(verifiers_are_made_of_them),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
