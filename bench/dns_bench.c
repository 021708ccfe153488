/* dns_bench.c - what a question to the resolver costs whose answer is known.
 *
 * Run:       build/dns_bench ADDRESS@PORT NAME, of a server that has an A record for it
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "dns/resolver.h"
#include "rt/clock.h"
#include "rt/loop.h"

enum { WARM_UP = 100, QUESTIONS = 20000 };

struct bench {
    struct str server, name;
    int failed;
};

static SUSPENDS enum status
ask(struct resolver *r, struct str name, unsigned times)
{
    AUTO_ARENA *a = arena_new(RESOLVER_RECORDS_ARENA);
    const struct dns_query q = {.name = name, .type = DNS_TYPE_A};
    struct dns_records found;

    for (unsigned i = 0; i < times; i++) {
        arena_reset(a);
        TRY(resolver_records(r, &q, a, &found));
        if (found.count == 0)
            return ERR_NOT_FOUND;
    }
    return OK;
}

FIBER_ENTRY static void
measure(void *arg)
{
    struct bench *b = arg;
    const struct resolver_options o = {.forward = &b->server, .forward_count = 1};
    struct resolver *r = NULL;
    struct problem why = {0};
    enum status st = resolver_new(&o, &r, &why);

    if (st == OK)
        st = ask(r, b->name, WARM_UP);
    int64_t began = clock_mono_us();
    if (st == OK)
        st = ask(r, b->name, QUESTIONS);
    if (st == OK)
        printf("%.2f us a question\n", (double)(clock_mono_us() - began) / QUESTIONS);
    else
        fprintf(stderr, "no answer: %s %s\n", status_name(st), why.text);
    b->failed = st != OK;
    resolver_free(&r);
    loop_stop();
}

int
main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: dns_bench ADDRESS@PORT NAME\n");
        return 2;
    }
    struct bench b = {str_of(argv[1]), str_of(argv[2]), 1};

    loop_init();
    if (fiber_go(measure, &b) == OK)
        loop_run();
    loop_release();
    return b.failed;
}
