/* domain.c - godwit domain: what is served here, its DNS records, its DKIM keys.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "setup/records.h"

#define RECORDS_BYTES 65536u

static SUSPENDS enum status
ask_keys(struct ctl *c, struct str name, const struct admin_domain_keys *how,
         struct admin_domain_keys_reply *out)
{
    struct admin_domain_keys req = *how;

    req.name = name;
    return admin_domain_keys_call(c->store, &req, c->arena, out);
}

static SUSPENDS int
print_records(struct ctl *c, struct str name)
{
    const struct admin_domain_keys how = {0};
    AUTO_BUF text = BUF(RECORDS_BYTES);
    struct records_domain r = {.name = name};
    struct admin_domain_keys_reply keys;
    enum status e = ask_keys(c, name, &how, &keys);

    if (e != OK)
        return ctl_fail(c, e);
    view_records_keys(&keys, c->arena, &r);
    records_write(c->config, &r, &text);
    printf("%.*s", STR_FMT(buf_str(&text)));
    return CTL_OK;
}

static void
print_domain(struct ctl *c, const struct admin_domain *d, json_t *all)
{
    if (c->json)
        json_array_append_new(all, view_domain(d));
    else
        printf("%-40.*s %u accounts, DKIM selector %.*s\n", STR_FMT(d->name), d->accounts,
               STR_FMT(d->selector.len > 0 ? d->selector : STR("none")));
}

static SUSPENDS int
list_domains(struct ctl *c)
{
    struct ctl_domains domains = {.store = c->store, .a = c->arena};
    const struct admin_domain *d;
    json_t *all = c->json ? json_array() : NULL;
    size_t found = 0;
    enum status e;

    while ((e = ctl_next_domain(&domains, &d)) == OK) {
        found++;
        print_domain(c, d, all);
    }
    if (e != ERR_NOT_FOUND)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(all);
    if (found == 0)
        printf("there are no domains; godwit domain add NAME makes one\n");
    return CTL_OK;
}

static SUSPENDS int
show_json(struct ctl *c, const struct admin_domain *d)
{
    const struct admin_domain_keys how = {0};
    struct admin_domain_keys_reply keys;
    enum status e = ask_keys(c, d->name, &how, &keys);

    if (e != OK)
        return ctl_fail(c, e);
    json_t *j = view_domain(d);
    json_object_set_new(j, "keys", view_dkim_keys(&keys));
    return ctl_print_json(json_pack("[o]", j));
}

static SUSPENDS int
show_domain(struct ctl *c)
{
    struct ctl_domains domains = {.store = c->store, .a = c->arena};
    const struct admin_domain *d;
    enum status e;

    while ((e = ctl_next_domain(&domains, &d)) == OK)
        if (str_eq_nocase(d->name, ctl_domain(c, 0)))
            return c->json ? show_json(c, d) : print_records(c, d->name);
    return ctl_fail(c, e);
}

static SUSPENDS int
add_domain(struct ctl *c)
{
    struct admin_domain_add req = {.name = ctl_domain(c, 0), .admin = ctl_address(c, 1)};
    struct admin_domain_add_reply rep;
    enum status e = admin_domain_add_call(c->store, &req, c->arena, &rep);

    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:s}", "result", "ok"));
    printf("%.*s is served from now on\n", STR_FMT(rep.domain.name));
    return print_records(c, rep.domain.name);
}

static SUSPENDS int
remove_domain(struct ctl *c)
{
    struct admin_domain_remove req = {.name = ctl_domain(c, 0)};
    struct admin_domain_remove_reply rep;
    enum status e = admin_domain_remove_call(c->store, &req, c->arena, &rep);

    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:s}", "result", "ok"));
    printf("%.*s is not served any more\n", STR_FMT(ctl_arg(c, 0)));
    return CTL_OK;
}

/* ---- keys ---- */

static void
print_key(const struct admin_dkim_key *k, const struct records_key *r)
{
    const char *algorithm = view_dkim_algorithms[k->algorithm];

    printf("%-16.*s %-8s ", STR_FMT(k->selector), algorithm);
    switch (r->state) {
    case RECORDS_KEY_WAITS: printf("waits: its record was not seen in DNS yet\n"); break;
    case RECORDS_KEY_SIGNS:
        printf(k->seen ? "signs\n" : "signs, but its record was not seen in DNS yet\n");
        break;
    case RECORDS_KEY_OLD:
        if (r->may_go)
            printf("signs no more: its record can be removed\n");
        else
            printf("signs no more: keep its record until %.*s\n", STR_FMT(r->until));
        break;
    }
}

static SUSPENDS int
tell_keys(struct ctl *c, const struct admin_domain_keys *how)
{
    struct records_domain r = {.name = ctl_domain(c, 0)};
    struct admin_domain_keys_reply keys;
    enum status e = ask_keys(c, r.name, how, &keys);

    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(view_dkim_keys(&keys));
    view_records_keys(&keys, c->arena, &r);
    for (size_t i = 0; i < keys.keys_count; i++)
        print_key(&keys.keys[i], &r.keys[i]);
    if (how->look && !keys.looked)
        printf("DNS could not be asked about all of them now; it is tried again within the hour\n");
    return CTL_OK;
}

static SUSPENDS int
look_for_keys(struct ctl *c)
{
    const struct admin_domain_keys how = {.look = true};

    return tell_keys(c, &how);
}

static SUSPENDS int
rotate_keys(struct ctl *c)
{
    const struct admin_domain_keys how = {.next = true};
    int exit = tell_keys(c, &how);

    if (exit != CTL_OK || c->json)
        return exit;
    printf("\nSet the records of those that wait, and leave those of the others as they are:\n\n");
    return print_records(c, ctl_domain(c, 0));
}

static const struct ctl_verb domain_verbs[] = {
    {"add", 1, 2, "NAME [ADMINISTRATOR]", add_domain,
     "postmaster, abuse and tls-reports go to ADMINISTRATOR"},
    {"list", 0, 0, "", list_domains, "each with its accounts and DKIM selector"},
    {"show", 1, 1, "NAME", show_domain, "every DNS record to set"},
    {"keys", 1, 1, "NAME", look_for_keys, "its DKIM keys; looks for their records in DNS"},
    {"rotate", 1, 1, "NAME", rotate_keys, "makes the next DKIM keys, which sign once DNS has them"},
    {"remove", 1, 1, "NAME", remove_domain, "refused while it has accounts or aliases"},
    {0},
};

int
domain_command(int argc, char **argv)
{
    return ctl_main(argc, argv, domain_verbs, NULL);
}
