/* directory.c - domains and aliases.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "api/api_internal.h"
#include "api/many.h"
#include "base/size.h"
#include "mail/names.h"
#include "setup/records.h"

enum { PAGE_BYTES = 5 << 20, RECORDS_BYTES = 65536 };

/* ---- domains ---- */

/* One page; name not empty: until that one was found. */
static SUSPENDS enum status
add_domains(struct admin_domains *req, json_t *all, struct str name, struct arena *a)
{
    AUTO_ARENA *page = arena_new(PAGE_BYTES);
    struct admin_domains_reply rep;

    TRY(admin_domains_call(api_world->store, req, page, &rep));
    req->after = STR("");
    for (size_t i = 0; i < rep.domains_count; i++) {
        if (name.len == 0 || str_eq_nocase(rep.domains[i].name, name))
            json_array_append_new(all, view_domain(&rep.domains[i]));
    }
    if (rep.more && rep.domains_count > 0)
        req->after = arena_str(a, rep.domains[rep.domains_count - 1].name);
    return OK;
}

SUSPENDS void
api_domains(struct api_call *c)
{
    struct admin_domains req = {0};
    uint64_t limit;

    if (!api_limit(c, &limit) || !api_query(c, "after", &req.after))
        return;
    json_t *all = json_array();
    enum status e = add_domains(&req, all, STR(""), c->a);
    while (e == OK && req.after.len > 0 && json_array_size(all) < limit)
        e = add_domains(&req, all, STR(""), c->a);
    if (e != OK) {
        json_decref(all);
        api_fail(c, e);
        return;
    }
    json_t *j = json_pack("{s:o}", "domains", all);
    if (json_array_size(all) > limit) {
        while (json_array_size(all) > limit)
            json_array_remove(all, json_array_size(all) - 1);
        json_object_set(j, "next", json_object_get(json_array_get(all, limit - 1), "name"));
    } else if (req.after.len > 0) {
        json_object_set_new(j, "next", view_str(req.after));
    }
    api_json(c, 200, j);
}

/* What has to be set in the DNS, as `godwit domain show` prints it, and the keys of DKIM. */
static void
set_records(json_t *j, struct str name, const struct admin_domain_keys_reply *keys, struct arena *a)
{
    struct records_domain d = {.name = name};
    struct records all;
    AUTO_BUF text = BUF(RECORDS_BYTES);
    json_t *lines = json_array();
    struct str line;

    view_records_keys(keys, a, &d);
    records_make(api_world->config, &d, a, &all);
    records_write(&all, &text);
    for (struct str rest = buf_str(&text); str_split(&rest, '\n', &line);)
        if (line.len > 0)
            json_array_append_new(lines, view_str(line));
    json_object_set_new(j, "keys", view_dkim_keys(keys));
    json_object_set_new(j, "records", lines);
    json_object_set_new(j, "dns", view_records(&all));
}

static SUSPENDS void
show_with_keys(struct api_call *c, struct str name, json_t *domain)
{
    const struct admin_domain_keys req = {.name = name};
    struct admin_domain_keys_reply keys;
    enum status e = admin_domain_keys_call(api_world->store, &req, c->a, &keys);

    if (e != OK) {
        api_fail(c, e);
        return;
    }
    set_records(domain, name, &keys, c->a);
    api_json(c, 200, json_incref(domain));
}

SUSPENDS void
api_domain_show(struct api_call *c)
{
    struct admin_domains req = {0};
    struct str name = name_domain(c->at[1], c->a);
    json_t *found = json_array();
    enum status e;

    do
        e = add_domains(&req, found, name, c->a);
    while (e == OK && req.after.len > 0 && json_array_size(found) == 0);
    if (e != OK)
        api_fail(c, e);
    else if (json_array_size(found) == 0)
        api_problem(c->x, 404, "not-found", STR("This domain is not served here"));
    else
        show_with_keys(c, name, json_array_get(found, 0));
    json_decref(found);
}

/* Its keys, after something was done with them. */
static SUSPENDS void
do_keys(struct api_call *c, bool next, bool look)
{
    const struct admin_domain_keys req = {
        .name = name_domain(c->at[1], c->a), .next = next, .look = look};
    struct admin_domain_keys_reply keys;
    enum status e = admin_domain_keys_call(api_world->store, &req, c->a, &keys);

    if (e != OK) {
        api_fail(c, e);
        return;
    }
    json_t *j = json_object();
    set_records(j, req.name, &keys, c->a);
    if (look)
        json_object_set_new(j, "looked", json_boolean(keys.looked));
    api_json(c, 200, j);
}

SUSPENDS void
api_domain_rotate(struct api_call *c)
{
    do_keys(c, true, false);
}

SUSPENDS void
api_domain_look(struct api_call *c)
{
    do_keys(c, false, true);
}

SUSPENDS void
api_domain_add(struct api_call *c)
{
    struct admin_domain_add req = {.admin = STR("")};
    struct admin_domain_add_reply rep;
    const struct api_member members[] = {{"name", API_STR, &req.name, true},
                                         {"admin", API_STR, &req.admin, false}};

    if (!api_take(c, members, COUNT_OF(members)))
        return;
    req.name = name_domain(req.name, c->a);
    req.admin = api_address(c, req.admin);
    enum status e = admin_domain_add_call(api_world->store, &req, c->a, &rep);
    if (e != OK)
        api_fail(c, e);
    else
        api_json(c, 201, view_domain(&rep.domain));
}

static SUSPENDS void
done(struct api_call *c, enum status e)
{
    if (e != OK)
        api_fail(c, e);
    else
        api_done(c);
}

SUSPENDS void
api_domain_remove(struct api_call *c)
{
    struct admin_domain_remove req = {.name = name_domain(c->at[1], c->a)};
    struct admin_domain_remove_reply rep;

    done(c, admin_domain_remove_call(api_world->store, &req, c->a, &rep));
}

/* ---- aliases ---- */

SUSPENDS void
api_aliases(struct api_call *c)
{
    struct admin_aliases req = {0};
    uint64_t limit;
    bool more = true;

    if (!api_limit(c, &limit) || !api_query(c, "after", &req.after))
        return;
    json_t *all = json_array();
    while (more && json_array_size(all) < limit) {
        AUTO_ARENA *page = arena_new(PAGE_BYTES);
        struct admin_aliases_reply rep;
        enum status e = admin_aliases_call(api_world->store, &req, page, &rep);
        if (e != OK) {
            json_decref(all);
            api_fail(c, e);
            return;
        }
        size_t i = 0;
        for (; i < rep.aliases_count && json_array_size(all) < limit; i++)
            json_array_append_new(all, view_alias(&rep.aliases[i]));
        more = (rep.more && rep.aliases_count > 0) || i < rep.aliases_count;
        if (i > 0)
            req.after = arena_str(c->a, rep.aliases[i - 1].address);
    }
    json_t *j = json_pack("{s:o}", "aliases", all);
    if (more)
        json_object_set_new(j, "next", view_str(req.after));
    api_json(c, 200, j);
}

static SUSPENDS enum status
set_alias(struct str address, struct api_strings *targets, struct arena *a)
{
    struct admin_alias_set req = {.alias = {.address = name_address(address, a),
                                            .targets = targets->list,
                                            .targets_count = targets->count}};
    struct admin_alias_set_reply rep;

    for (size_t i = 0; i < targets->count; i++)
        targets->list[i] = name_address(targets->list[i], a);
    return admin_alias_set_call(api_world->store, &req, a, &rep);
}

SUSPENDS void
api_alias_set(struct api_call *c)
{
    struct api_strings targets = {0};
    const struct api_member members[] = {{"targets", API_STRS, &targets, true}};

    if (!api_take(c, members, COUNT_OF(members)))
        return;
    if (targets.count == 0)
        api_problem(c->x, 422, "syntax", STR("An alias has a target; DELETE takes it away"));
    else
        done(c, set_alias(c->at[1], &targets, c->a));
}

SUSPENDS void
api_alias_remove(struct api_call *c)
{
    struct api_strings none = {0};

    done(c, set_alias(c->at[1], &none, c->a));
}

static SUSPENDS json_t *
import_one(json_t *object, size_t number)
{
    AUTO_ARENA *a = arena_new(1 << 20);
    struct api_strings targets = {0};
    struct str address = STR("");
    const struct api_member members[] = {{"address", API_STR, &address, true},
                                         {"targets", API_STRS, &targets, true}};
    const char *wrong = api_read(object, members, COUNT_OF(members), a);
    enum status e = ERR_SYNTAX;

    if (wrong == NULL && targets.count == 0)
        wrong = "An alias has a target";
    if (wrong == NULL)
        e = set_alias(address, &targets, a);
    const struct problem said = *ipc_problem();
    json_t *j = json_pack("{s:I, s:o, s:i}", "index", (json_int_t)number, "address",
                          view_str(address), "status", (int)many_status_of(e));
    if (e == OK)
        return j;
    json_object_set_new(j, "code", json_string(status_name(e)));
    json_object_set_new(j, "detail", view_str(str_of(wrong != NULL ? wrong : said.text)));
    return j;
}

/* Each by itself, in order: one may lead to one before it. */
SUSPENDS void
api_aliases_import(struct api_call *c, json_t *list)
{
    json_t *results = json_array();

    if (!json_is_array(list)) {
        json_array_append_new(results, import_one(list, 1));
    } else {
        for (size_t i = 0; i < json_array_size(list); i++)
            json_array_append_new(results, import_one(json_array_get(list, i), i + 1));
    }
    api_json(c, 200, results);
}
