/* sealed_test.c - records of keys and auth.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/sealed.h"

#include "store/testkit_internal.h"

static const struct sealed_query DKIM = {ROLE_KEYS, {"dkim", 4}, {"example.org", 11}};

static SUSPENDS size_t
count(struct kit *k, struct sealed *s, struct sealed_query q, struct str first)
{
    const struct sealed_record *r;
    size_t n;

    ASSERT(sealed_get(s, &q, k->a, &r, &n) == OK);
    ASSERT(n == 0 || first.ptr == NULL || str_eq(r[0].bytes, first));
    return n;
}

static SUSPENDS void
test_put_get_remove(struct kit *k)
{
    struct sealed *s = sealed_new(k->cs);
    struct sealed_query all = DKIM, other = DKIM;

    all.name = STR_NONE;
    ASSERT(count(k, s, DKIM, STR_NONE) == 0 && count(k, s, all, STR_NONE) == 0);
    ASSERT(sealed_put(s, &DKIM, STR("\0secret")) == OK);
    ASSERT(count(k, s, DKIM, STR("\0secret")) == 1);
    ASSERT(sealed_put(s, &DKIM, STR("newer")) == OK);
    ASSERT(count(k, s, all, STR("newer")) == 1);
    other.name = STR("example.net");
    ASSERT(sealed_put(s, &other, STR("net")) == OK);
    ASSERT(count(k, s, all, STR("net")) == 2);
    ASSERT(sealed_put(s, &DKIM, STR_NONE) == OK);
    ASSERT(sealed_put(s, &DKIM, STR_NONE) == OK); /* it is gone already */
    ASSERT(count(k, s, all, STR("net")) == 1);
    sealed_free(&s);
    kit_reopen(k);
    s = sealed_new(k->cs);
    ASSERT(count(k, s, all, STR("net")) == 1);
    sealed_free(&s);
}

static SUSPENDS void
test_roles_and_kinds_are_apart(struct kit *k)
{
    struct sealed *s = sealed_new(k->cs);
    struct sealed_query auth = DKIM, longer = DKIM, all = DKIM;

    auth.owner = ROLE_AUTH;
    longer.kind = STR("dkim2");
    ASSERT(sealed_put(s, &DKIM, STR("keys")) == OK);
    ASSERT(count(k, s, auth, STR_NONE) == 0);
    ASSERT(sealed_put(s, &auth, STR("auth")) == OK);
    ASSERT(sealed_put(s, &longer, STR("other kind")) == OK);
    ASSERT(count(k, s, DKIM, STR("keys")) == 1 && count(k, s, auth, STR("auth")) == 1);
    all.name = STR_NONE;
    ASSERT(count(k, s, all, STR("keys")) == 1);
    sealed_free(&s);
}

static SUSPENDS void
test_limits(struct kit *k)
{
    struct sealed *s = sealed_new(k->cs);
    struct sealed_query q = DKIM, bad = DKIM;
    char *big = arena_alloc(k->a, SEALED_BYTES_MAX + 1);
    enum status st = OK;
    size_t n = 0;

    ASSERT(sealed_put(s, &q, str_from(big, SEALED_BYTES_MAX + 1)) == ERR_LIMIT);
    bad.kind = STR("");
    ASSERT(sealed_put(s, &bad, STR("x")) == ERR_SYNTAX);
    bad.kind = STR("a\0b");
    ASSERT(sealed_put(s, &bad, STR("x")) == ERR_SYNTAX);
    bad = (struct sealed_query){ROLE_KEYS, STR("dkim"), str_from(big, SEALED_NAME_MAX + 1)};
    ASSERT(sealed_put(s, &bad, STR("x")) == ERR_SYNTAX);
    bad.name = STR_NONE;
    ASSERT(sealed_put(s, &bad, STR("x")) == ERR_SYNTAX);
    for (; st == OK && n < 1000; n++) { /* 1 MiB of a kind */
        q.name = arena_printf(k->a, "n%zu", n);
        st = sealed_put(s, &q, str_from(big, SEALED_BYTES_MAX));
    }
    ASSERT(st == ERR_LIMIT && n > 60 && n < 70);
    ASSERT(sealed_put(s, &DKIM, STR_NONE) == OK);
    for (q.kind = STR("small"), st = OK, n = 0; st == OK && n < 1000; n++) {
        q.name = arena_printf(k->a, "n%zu", n);
        st = sealed_put(s, &q, STR("x"));
    }
    ASSERT(st == ERR_LIMIT && n == SEALED_RECORDS_MAX);
    q.name = STR_NONE;
    ASSERT(count(k, s, q, STR("x")) == SEALED_RECORDS_MAX - 1);
    sealed_free(&s);
}

static const struct kit_row rows[] = {
    {"put_get_remove", test_put_get_remove, KIT_ALL},
    {"roles_and_kinds_are_apart", test_roles_and_kinds_are_apart, KIT_MEM | KIT_CLUSTER},
    {"limits", test_limits, KIT_MEM | KIT_CLUSTER},
};

int
main(int argc, char **argv)
{
    (void)argc;
    return kit_main("sealed", rows, COUNT_OF(rows), argv);
}
