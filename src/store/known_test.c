/* known_test.c - whose mail was taken before: by network and domain, kept over a restart.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/known.h"

#include "base/size.h"
#include "store/testkit_internal.h"

static uint64_t
hash_of(const char *client, const char *domain)
{
    struct subnet net;

    ASSERT(subnet_read_around(str_of(client), &net));
    return known_hash(&net, str_of(domain));
}

static SUSPENDS bool
has(struct known *n, const char *client, const char *domain)
{
    bool found = false;

    ASSERT(known_has(n, hash_of(client, domain), &found) == OK);
    return found;
}

static SUSPENDS void
test_they_are_kept(struct kit *k)
{
    struct known *n = known_new(k->cs);

    ASSERT(!has(n, "192.0.2.1", "far.example"));
    ASSERT(known_add(n, hash_of("192.0.2.1", "far.example"), k->now) == OK);
    ASSERT(known_add(n, hash_of("192.0.2.1", "far.example"), k->now) == OK);
    ASSERT(known_add(n, hash_of("2001:db8::1", "far.example"), k->now) == OK);
    known_free(&n);
    kit_reopen(k);
    n = known_new(k->cs);
    ASSERT(has(n, "192.0.2.1", "far.example") && has(n, "192.0.2.200", "FAR.example"));
    ASSERT(!has(n, "192.0.3.1", "far.example") && !has(n, "192.0.2.1", "farther.example"));
    ASSERT(has(n, "2001:db8::ffff", "far.example") && !has(n, "2001:db8:0:1::1", "far.example"));
    known_free(&n);
}

int
main(int argc, char **argv)
{
    static const struct kit_row rows[] = {
        {"they are kept", test_they_are_kept, KIT_ALL},
    };

    (void)argc;
    return kit_main("known", rows, COUNT_OF(rows), argv);
}
