/* dkim_bench.c - CPU time of verifying DKIM: what a message costs by its size, its signatures and its header.
 *
 * Run:       build/dkim_bench [seconds per figure]
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/size.h"
#include "policy/dkim_testkit.h"

static double seconds_per_figure = 0.5;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Text like that of mail: lines of words. */
static void
add_body(struct buf *b, size_t size)
{
    size_t end = b->len + size;

    for (unsigned line = 0; b->len + 72 < end; line++)
        buf_addf(b, "%08u the quick brown fox jumps over the lazy dog, and so it goes. \r\n", line);
    while (b->len < end - 2)
        buf_add_char(b, 'x');
    buf_add_z(b, "\r\n");
}

static void
measure(const char *what, struct str message, const struct testkit_dns *dns)
{
    struct dkim_verdict v[LIMIT_DKIM_SIGNATURES];
    uint32_t n = 0, passed = 0;
    unsigned runs = 0;
    double begin = now(), took;

    do {
        AUTO_ARENA *a = arena_new(DKIM_ARENA);
        struct testkit_reading r = {.chunk = 65536, .now_s = 1800000000};
        n = testkit_judge(message, dns, &r, a, v);
        runs++;
        took = now() - begin;
    } while (took < seconds_per_figure);
    for (uint32_t i = 0; i < n; i++)
        passed += v[i].result == DKIM_PASS;
    printf("%-46s %9.3f ms  %7.0f MB/s  %u of %u pass\n", what, took * 1000 / runs,
           (double)message.len * runs / took / 1e6, passed, n);
}

#define TAGS                                                                   \
    "v=1; c=relaxed/relaxed; d=far.example; h=from:to:subject:date:message-id" \
    ":from:subject; t=1700000000; a="
#define HEADER                                                                   \
    "Received: from a.example by b.example; Mon, 30 Nov 2026 18:10:11 +0000\r\n" \
    "From: Ann <ann@far.example>\r\nTo: Bob <bob@ours.example>\r\n"              \
    "Subject: what it costs\r\nDate: Mon, 30 Nov 2026 18:10:10 +0000\r\n"        \
    "Message-ID: <1@far.example>\r\n\r\n"

int
main(int argc, char **argv)
{
    AUTO_ARENA *a = arena_new((size_t)512 << 20);
    AUTO_BUF b = BUF((size_t)64 << 20);
    EVP_PKEY *rsa = testkit_key(SIG_RSA, 2048), *ed = testkit_key(SIG_ED25519, 0);
    const struct testkit_record records[] = {
        {STR("r._domainkey.far.example"), testkit_record(rsa, "p=", a), KEY_FOUND},
        {STR("e._domainkey.far.example"), testkit_record(ed, "k=ed25519; p=", a), KEY_FOUND}};
    const struct testkit_dns dns = {records, COUNT_OF(records)};
    static const size_t sizes[] = {2000, 75000, 750000};

    if (argc > 1)
        seconds_per_figure = strtod(argv[1], NULL);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char what[64];
        struct str m;

        buf_reset(&b);
        buf_add_z(&b, HEADER);
        add_body(&b, sizes[i]);
        snprintf(what, sizeof(what), "%zu bytes, no signature", sizes[i]);
        measure(what, buf_str(&b), &dns);
        m = testkit_sign(ed, TAGS "ed25519-sha256; s=e", buf_str(&b), a);
        snprintf(what, sizeof(what), "%zu bytes, Ed25519", sizes[i]);
        measure(what, m, &dns);
        m = testkit_sign(rsa, TAGS "rsa-sha256; s=r", buf_str(&b), a);
        snprintf(what, sizeof(what), "%zu bytes, RSA-2048", sizes[i]);
        measure(what, m, &dns);
        m = testkit_sign(ed, TAGS "ed25519-sha256; s=e", m, a);
        snprintf(what, sizeof(what), "%zu bytes, RSA-2048 and Ed25519", sizes[i]);
        measure(what, m, &dns);
    }
    /* The worst that fits: as many signatures as are looked at, each over fields of a header of nearly 1 MB. */
    AUTO_BUF tags = BUF(20000);
    buf_add_z(&tags, "v=1; c=relaxed/relaxed; d=far.example; a=ed25519-sha256; s=e; h=from");
    buf_reset(&b);
    for (unsigned i = 0; i < 4900; i++)
        buf_addf(&b, "X%u: %0150u\r\n", i % 3000, i);
    for (unsigned i = 0; tags.len < LIMIT_DKIM_FIELD_BYTES - 300; i++)
        buf_addf(&tags, ":x%u", i % 3000);
    buf_add_char(&tags, '\0');
    buf_add_z(&b, HEADER "body\r\n");
    struct str m = buf_str(&b);
    for (unsigned i = 0; i < LIMIT_DKIM_SIGNATURES; i++)
        m = testkit_sign(ed, tags.ptr, m, a);
    measure("8 signatures over a header of 1 MB", m, &dns);
    EVP_PKEY_free(rsa);
    EVP_PKEY_free(ed);
    return 0;
}
