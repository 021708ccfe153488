/* bulk.c - many accounts in one request: an object, an array, or a line of JSON for each.
 *
 * They go to the store while the request still comes; the results are kept until it has ended, since who sends is
 * seldom one who reads at the same time.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"
#include "api/many.h"

static struct many *
of_exchange(struct http_exchange *x, bool array)
{
    if (x->state == NULL)
        x->state = many_new(&api_world->store, array);
    return x->state;
}

SUSPENDS void
api_bulk_piece(struct http_exchange *x, struct str bytes)
{
    many_take(of_exchange(x, false), bytes);
}

SUSPENDS void
api_bulk_finish(struct http_exchange *x)
{
    struct many *m = of_exchange(x, false);

    many_take(m, STR("\n")); /* the last line may lack it */
    many_send(m);
    http_header(x, "Cache-Control", STR("no-store"));
    http_answer(x, 200, STR("application/x-ndjson"), many_results(m));
}

static SUSPENDS void
answer_one(struct api_call *c, const struct many *m)
{
    struct str text = many_results(m);
    json_t *j = json_loadb(text.ptr, text.len, 0, NULL);

    ASSERT(j != NULL);
    if (many_status(m) == 201) {
        json_object_del(j, "line");
        json_object_del(j, "status");
        api_json(c, 201, j);
        return;
    }
    const char *code = json_string_value(json_object_get(j, "code"));
    const char *detail = json_string_value(json_object_get(j, "detail"));
    api_problem(c->x, many_status(m), code, str_of(detail));
    json_decref(j);
}

SUSPENDS void
api_accounts_add(struct api_call *c, json_t *body)
{
    bool array = json_is_array(body);
    struct many *m = of_exchange(c->x, array);

    if (!array) {
        many_add(m, body, NULL);
        many_send(m);
        answer_one(c, m);
        return;
    }
    for (size_t i = 0; i < json_array_size(body); i++)
        many_add(m, json_array_get(body, i), NULL);
    many_send(m);
    http_header(c->x, "Cache-Control", STR("no-store"));
    http_answer_begin(c->x, 200, STR("application/json"));
    if (http_answer_part(c->x, STR("[")) == OK && http_answer_part(c->x, many_results(m)) == OK &&
        http_answer_part(c->x, STR("]")) == OK)
        http_answer_finish(c->x);
    else
        conn_close(c->x->conn);
}
