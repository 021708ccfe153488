/* account_many.c - godwit account add --from FILE: a JSON object on each line, as the API takes it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "api/many.h"
#include "ctl/account.h"

enum { PIECE_BYTES = 65536 };

/* Accounts that are not made are told; the exit status says that there were some. */
static int
tell(struct ctl *c, const struct many *m)
{
    struct str results = many_results(m), line;
    uint64_t made = 0;

    if (c->json) {
        printf("[%.*s]\n", STR_FMT(results));
        return many_refused(m) == 0 ? CTL_OK : CTL_FAILED;
    }
    while (str_split(&results, '\n', &line)) {
        json_t *j = json_loadb(line.ptr, line.len, 0, NULL);
        const char *detail = json_string_value(json_object_get(j, "detail"));
        const char *password = json_string_value(json_object_get(j, "password"));
        json_int_t number = json_integer_value(json_object_get(j, "line"));
        if (detail != NULL)
            fprintf(stderr, "line %lld: %s\n", (long long)number, ctl_text(c, str_of(detail)));
        else if (password != NULL)
            printf("%s %s\n", json_string_value(json_object_get(j, "address")), password);
        made += j != NULL && detail == NULL ? 1u : 0u;
        json_decref(j);
    }
    printf("%llu accounts are ready\n", (unsigned long long)made);
    if (many_is_full(m))
        fprintf(stderr, "godwit account add: the rest was not looked at: give fewer at a time\n");
    return many_refused(m) == 0 && !many_is_full(m) ? CTL_OK : CTL_FAILED;
}

SUSPENDS int
ctl_account_add_many(struct ctl *c)
{
    FILE *from = strcmp(account_options.from, "-") == 0 ? stdin : fopen(account_options.from, "re");
    char *piece = arena_alloc(c->arena, PIECE_BYTES);
    struct many *m;
    size_t n;

    if (from == NULL) {
        fprintf(stderr, "godwit account add: %s cannot be read\n", account_options.from);
        return CTL_FAILED;
    }
    m = many_new(&c->store, c->json);
    while ((n = fread(piece, 1, PIECE_BYTES, from)) > 0)
        many_take(m, str_from(piece, n));
    many_take(m, STR("\n")); /* the last line may lack it */
    many_send(m);
    if (from != stdin)
        (void)fclose(from);
    int exit = tell(c, m);
    many_free(&m);
    return exit;
}
