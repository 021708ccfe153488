/* domain.c - godwit domain: domains, the DNS records that they need, and what the world sees of those.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/size.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "setup/machine.h"
#include "setup/network.h"

enum { RECORDS_BYTES = 1 << 17 };

static const char *address_option; /* one or several, with commas between them */

/* ---- records ---- */

/* What was typed, else those of this machine that the world reaches. */
static void
find_addresses(struct ctl *c, struct records_domain *d)
{
    struct machine_addresses found;
    struct str *list = ARENA_ARRAY(c->arena, struct str, MACHINE_ADDRESSES_MAX);
    struct str typed = str_of(address_option != NULL ? address_option : ""), one;
    size_t n = 0;

    while (typed.len > 0 && n < MACHINE_ADDRESSES_MAX && str_split(&typed, ',', &one))
        if (one.len > 0)
            list[n++] = one;
    if (address_option == NULL) {
        machine_addresses(c->arena, &found);
        for (; n < found.count; n++)
            list[n] = found.at[n];
    }
    d->addresses = list;
    d->address_count = n;
}

/* And the keys of DKIM, which *keys_out says. */
static SUSPENDS enum status
make_records(struct ctl *c, struct records_domain *d, struct admin_domain_keys_reply *keys_out,
             struct records *out)
{
    const struct admin_domain_keys req = {.name = d->name};
    struct str *tlsas = ARENA_ARRAY(c->arena, struct str, RECORDS_TLSAS_MAX);

    TRY(admin_domain_keys_call(c->store, &req, c->arena, keys_out));
    view_records_keys(keys_out, c->arena, d);
    d->tlsas = tlsas;
    d->tlsa_count = network_own_tlsas(c->config, c->arena, tlsas, RECORDS_TLSAS_MAX);
    find_addresses(c, d);
    records_make(c->config, d, c->arena, out);
    return OK;
}

static SUSPENDS int
print_records(struct ctl *c, struct str domain)
{
    AUTO_BUF text = BUF(RECORDS_BYTES);
    struct records_domain d = {.name = domain};
    struct admin_domain_keys_reply keys;
    struct records all;
    enum status e = make_records(c, &d, &keys, &all);

    if (e != OK)
        return ctl_fail(c, e);
    records_write(&all, &text);
    printf("%.*s", STR_FMT(buf_str(&text)));
    return CTL_OK;
}

/* The one that was named. */
static SUSPENDS enum status
find_domain(struct ctl *c, const struct admin_domain **out)
{
    struct ctl_domains domains = {.store = c->store, .a = c->arena};
    enum status e;

    while ((e = ctl_next_domain(&domains, out)) == OK)
        if (str_eq_nocase((*out)->name, ctl_domain(c, 0)))
            return OK;
    return e;
}

static SUSPENDS int
show_domain(struct ctl *c)
{
    const struct admin_domain *domain;
    struct admin_domain_keys_reply keys;
    struct records all;
    enum status e = find_domain(c, &domain);

    if (e == OK && !c->json)
        return print_records(c, domain->name);
    struct records_domain d = {.name = e == OK ? domain->name : STR("")};
    if (e == OK)
        e = make_records(c, &d, &keys, &all);
    if (e != OK)
        return ctl_fail(c, e);
    json_t *j = view_domain(domain), *list = json_array();
    json_object_set_new(j, "keys", view_dkim_keys(&keys));
    json_object_set_new(j, "dns", view_records(&all));
    json_array_append_new(list, j);
    return ctl_print_json(list);
}

/* ---- check ---- */

/* What came of it. */
struct checking {
    struct ctl *c;
    struct findings findings;
    struct network net;
    json_t *all;     /* NULL: for people */
    struct buf text; /* for people */
    bool colour;
};

/* Value and what was seen, where they differ: a reader compares them better below each other. */
static void
write_difference(struct checking *k, const struct record *r, struct str seen)
{
    buf_addf(&k->text, "%21s seen:     %s\n", "", seen.len > 0 ? ctl_text(k->c, seen) : "nothing");
    buf_addf(&k->text, "%21s expected: ", "");
    record_write_value(r, &k->text);
    buf_add_char(&k->text, '\n');
}

static SUSPENDS void
check_one(struct checking *k, const struct record *r)
{
    size_t before = k->findings.count;
    struct record_seen s = network_check_record(&k->net, r);

    if (k->findings.count == before) /* more than FINDINGS_MAX */
        return;
    const struct finding *f = &k->findings.at[k->findings.count - 1];
    if (k->all != NULL) {
        json_t *j = view_record(r);
        json_object_set_new(j, "state", json_string(record_state_name(s.state)));
        json_object_set_new(j, "seen", view_str(s.seen));
        json_object_set_new(j, "level", json_string(finding_level_name(f->level)));
        json_object_set_new(j, "text", view_str(f->text));
        json_array_append_new(k->all, j);
        return;
    }
    buf_addf(&k->text, "%-10s %.*s. %s\n", record_state_name(s.state), STR_FMT(r->name), r->type);
    finding_write(f, k->colour, &k->text);
    if (s.state == RECORD_MISSING || s.state == RECORD_DIFFERENT)
        write_difference(k, r, s.seen);
}

static SUSPENDS void
check_all(struct checking *k, const struct records *all)
{
    network_use_config(&k->net);
    for (size_t i = 0; i < all->count && k->net.resolver != NULL; i++)
        check_one(k, &all->at[i]);
}

static int
report(const struct checking *k)
{
    size_t mend = findings_count(&k->findings, FINDING_MEND);

    for (size_t i = 0; i < k->findings.count && k->net.resolver == NULL; i++)
        fprintf(stderr, "godwit domain check: %.*s\n", STR_FMT(k->findings.at[i].text));
    if (k->all != NULL) {
        (void)ctl_print_json(k->all);
        return mend > 0 ? CTL_FAILED : CTL_OK;
    }
    printf("%.*s", STR_FMT(buf_str(&k->text)));
    if (mend == 0)
        printf("\nNothing to mend.\n");
    else
        printf("\n%zu thing%s to mend.\n", mend, mend == 1 ? "" : "s");
    return mend > 0 ? CTL_FAILED : CTL_OK;
}

static SUSPENDS int
check_domain(struct ctl *c)
{
    const struct admin_domain *domain;
    struct admin_domain_keys_reply keys;
    struct records all;
    enum status e = find_domain(c, &domain);

    if (e != OK)
        return ctl_fail(c, e);
    if (c->config->outbound_none) {
        fprintf(stderr,
                "godwit domain check: the configuration says outbound none: this server is a "
                "closed circle, and asks no DNS\n");
        return CTL_USAGE;
    }
    struct records_domain d = {.name = domain->name};
    e = make_records(c, &d, &keys, &all);
    if (e != OK)
        return ctl_fail(c, e);
    struct checking k = {.c = c,
                         .findings = findings_new(c->arena),
                         .all = c->json ? json_array() : NULL,
                         .text = BUF(4 * RECORDS_BYTES),
                         .colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL};
    k.net = (struct network){.a = c->arena,
                             .f = &k.findings,
                             .config = c->config,
                             .addresses = d.addresses,
                             .address_count = d.address_count,
                             .deep = true};
    check_all(&k, &all);
    int exit = report(&k);
    buf_release(&k.text);
    return exit;
}

/* ---- domains ---- */

static SUSPENDS int
list_domains(struct ctl *c)
{
    struct ctl_domains domains = {.store = c->store, .a = c->arena};
    const struct admin_domain *d;
    json_t *all = c->json ? json_array() : NULL;
    size_t found = 0;
    enum status e;

    for (; (e = ctl_next_domain(&domains, &d)) == OK; found++) {
        if (c->json)
            json_array_append_new(all, view_domain(d));
        else
            printf("%-40.*s %u accounts, DKIM selector %.*s\n", STR_FMT(d->name), d->accounts,
                   STR_FMT(d->selector.len > 0 ? d->selector : STR("none")));
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

/* ---- keys of DKIM ---- */

static void
print_key(const struct admin_dkim_key *k, const struct records_key *r)
{
    printf("%-16.*s %-8s ", STR_FMT(k->selector), view_dkim_algorithms[k->algorithm]);
    switch (r->state) {
    case RECORDS_KEY_WAITS: printf("waits: its record was not seen in DNS yet\n"); break;
    case RECORDS_KEY_SIGNS:
        printf("%s\n", k->seen ? "signs" : "signs, but its record was not seen in DNS");
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
tell_keys(struct ctl *c, const struct admin_domain_keys *req)
{
    struct records_domain d = {.name = req->name};
    struct admin_domain_keys_reply keys;
    enum status e = admin_domain_keys_call(c->store, req, c->arena, &keys);

    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(view_dkim_keys(&keys));
    view_records_keys(&keys, c->arena, &d);
    for (size_t i = 0; i < keys.keys_count; i++)
        print_key(&keys.keys[i], &d.keys[i]);
    if (req->look && !keys.looked)
        printf("DNS could not be asked about all of them now; it is tried again within the hour\n");
    return CTL_OK;
}

static SUSPENDS int
look_for_keys(struct ctl *c)
{
    const struct admin_domain_keys req = {.name = ctl_domain(c, 0), .look = true};

    return tell_keys(c, &req);
}

static SUSPENDS int
rotate_keys(struct ctl *c)
{
    const struct admin_domain_keys req = {.name = ctl_domain(c, 0), .next = true};
    int exit = tell_keys(c, &req);

    if (exit != CTL_OK || c->json)
        return exit;
    printf("\nSet the records of those that wait, and leave those of the others as they are.\n\n");
    return print_records(c, req.name);
}

static const struct ctl_verb verbs[] = {
    {"add", 1, 2, "NAME [ADMINISTRATOR]", add_domain,
     "postmaster, abuse and tls-reports go to ADMINISTRATOR"},
    {"list", 0, 0, "", list_domains, "each with its accounts and DKIM selector"},
    {"show", 1, 1, "[--address A,B] NAME", show_domain, "every DNS record to set"},
    {"check", 1, 1, "[--address A,B] NAME", check_domain, "and what the world sees of them"},
    {"keys", 1, 1, "NAME", look_for_keys, "its DKIM keys; looks for their records in DNS"},
    {"rotate", 1, 1, "NAME", rotate_keys, "makes the next DKIM keys, which sign once DNS has them"},
    {"remove", 1, 1, "NAME", remove_domain, "refused while it has accounts or aliases"},
    {0},
};
static const struct ctl_option options[] = {{"--address", CTL_TEXT, &address_option}, {0}};

int
domain_command(int argc, char **argv)
{
    return ctl_main(argc, argv, verbs, options);
}
