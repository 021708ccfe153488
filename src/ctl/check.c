/* check.c - `godwit check`: what is wrong with the configuration, the machine and the DNS records.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/size.h"
#include "ctl/check.h"
#include "ctl/check_mail.h"
#include "ctl/command.h"
#include "rt/loop.h"
#include "setup/machine.h"
#include "store/directory.h"

enum { ARENA_BYTES = 64 << 20, CONFIG_BYTES_MAX = 1 << 20, RESOLV_CONF_BYTES = 65536 };

static bool read_options(struct ctl_check *k, int argc, char **argv);
static bool read_config(struct ctl_check *k);
static void run(void *arg);
static SUSPENDS void look(struct ctl_check *k);
static int report(const struct ctl_check *k);

static int
usage(FILE *to, const char *verb)
{
    fprintf(
        to,
        "usage: godwit %s [-c FILE] [--json] [--offline] [--address ADDRESS]... [--time HOST]\n\n"
        "Looks at configuration, keys, certificates, ports, data, DNS records, and says what is "
        "wrong,\n"
        "what follows from it, and how to mend it.  Changes nothing.\n"
        "godwit doctor also talks to the server as its clients do, and measures its disk.\n\n"
        "  -c FILE              the configuration; %s unless given\n"
        "  --json               findings as a list of {level, topic, text}\n"
        "  --offline            look at nothing outside this machine\n"
        "  --address ADDRESS    how the world reaches this server, when it is behind a router\n"
        "  --time HOST[:PORT]   doctor: whom to ask for the time; pool.ntp.org unless given\n\n"
        "Exit status: 0 nothing to mend, 1 something to mend, 2 wrong usage.\n",
        verb, COMMAND_CONFIG);
    if (to != stdout)
        return CTL_USAGE;
    printf("\nOf mail, without a server; each says more with --help:\n");
    check_mail_usage();
    return CTL_OK;
}

int
check_command(int argc, char **argv)
{
    struct ctl_check k = {.exit = CTL_FAILED, .deep = strcmp(argv[0], "doctor") == 0};

    if (!k.deep && argc >= 2 && check_mail_has(argv[1]))
        return check_mail_command(argc - 1, argv + 1);
    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, argv[0]);
    if (!read_options(&k, argc, argv))
        return usage(stderr, argv[0]);
    loop_init();
    k.a = arena_new(ARENA_BYTES);
    k.findings = findings_new(k.a);
    k.ctl = (struct ctl){.noun = argv[0], .arena = k.a, .config_path = k.config_path};
    if (fiber_go(run, &k) == OK)
        loop_run();
    config_free(&k.ctl.config);
    arena_free(&k.a);
    return k.exit;
}

static bool
read_options(struct ctl_check *k, int argc, char **argv)
{
    k->config_path = command_config();
    for (int i = 1; i < argc; i++) {
        if ((strcmp(argv[i], "-c") == 0 || strcmp(argv[i], "--config") == 0) && i + 1 < argc)
            k->config_path = argv[++i];
        else if (strcmp(argv[i], "--json") == 0)
            k->json = true;
        else if (strcmp(argv[i], "--offline") == 0)
            k->offline = true;
        else if (strcmp(argv[i], "--address") == 0 && i + 1 < argc &&
                 k->address_count < CHECK_ADDRESSES_MAX)
            k->addresses[k->address_count++] = str_of(argv[++i]);
        else if (k->deep && strcmp(argv[i], "--time") == 0 && i + 1 < argc)
            k->time_server = str_of(argv[++i]);
        else
            return false;
    }
    return true;
}

static FIBER_ENTRY void
run(void *arg)
{
    struct ctl_check *k = arg;

    if (read_config(k))
        look(k);
    k->exit = report(k);
    fflush(stdout);
    loop_stop();
}

/* ---- looking ---- */

static bool
read_config(struct ctl_check *k)
{
    AUTO_BUF text = BUF(CONFIG_BYTES_MAX);
    struct problem why = {0};
    enum status e = machine_read_file(str_of(k->config_path), &text);

    if (e != OK)
        finding_add(&k->findings, FINDING_MEND, "configuration",
                    e == ERR_NOT_FOUND
                        ? "There is no %s: godwit setup writes it, -c FILE names another."
                        : "%s cannot be read: are you root, or its owner?",
                    k->config_path);
    else if (config_read(buf_str(&text), k->config_path, &k->ctl.config, &why) != OK)
        finding_add(&k->findings, FINDING_MEND, "configuration", "%s.", why.text);
    else
        finding_add(&k->findings, FINDING_OK, "configuration", "%s can be read.", k->config_path);
    return k->ctl.config != NULL;
}

/* Each domain of the running server with its key; else the one of the configuration, without. */
static SUSPENDS void
look_at_domains(struct ctl_check *k, struct network *n)
{
    struct ctl_domains all = {.store = k->ctl.store, .a = k->a};
    const struct admin_domain *found;

    if (k->ctl.store == NULL) {
        struct records_domain d = {.name = k->ctl.config->domain};
        network_check_domain(n, &d);
        return;
    }
    while (ctl_next_domain(&all, &found) == OK) {
        const struct admin_domain_keys req = {.name = found->name};
        struct admin_domain_keys_reply keys;
        struct records_domain d = {.name = found->name};
        if (admin_domain_keys_call(k->ctl.store, &req, k->a, &keys) == OK)
            view_records_keys(&keys, k->a, &d);
        network_check_domain(n, &d);
    }
}

static bool
has_smarthost(const struct config *c)
{
    for (size_t i = 0; i < c->route_count; i++)
        if (str_eq(c->routes[i].domain, STR("*")))
            return true;
    return false;
}

static SUSPENDS void
look_outside(struct ctl_check *k)
{
    struct machine_addresses found;
    struct network n = {.a = k->a,
                        .f = &k->findings,
                        .config = k->ctl.config,
                        .addresses = k->addresses,
                        .address_count = k->address_count};

    machine_addresses(k->a, &found);
    if (k->address_count == 0) {
        machine_judge_addresses(&found, &k->findings);
        n.addresses = found.at;
        n.address_count = found.count;
    }
    if (k->ctl.config->outbound_none) {
        finding_add(
            &k->findings, FINDING_NOTE, "DNS records",
            "The configuration says outbound none, so this server is a closed circle: DNS was "
            "not looked at.");
        return;
    }
    network_use_config(&n);
    n.deep = k->deep;
    network_check_host(&n);
    (void)network_check_reverse(&n);
    if (k->deep && !has_smarthost(k->ctl.config))
        (void)network_check_outbound(&n, STR(""));
    if (k->deep) {
        network_check_tlsa(&n);
        network_check_time(&n, k->time_server);
    }
    look_at_domains(k, &n);
}

/* RFC 5321 section 4.5.1.  postmaster of a domain that has none is that of the default domain, so one is missing only
 * where nobody is left. */
static SUSPENDS void
look_for_postmasters(struct ctl_check *k)
{
    struct ctl_domains all = {.store = k->ctl.store, .a = k->a};
    const struct admin_domain *found;
    size_t good = 0, bad = 0;

    while (ctl_next_domain(&all, &found) == OK) {
        struct admin_explain_rcpt_reply rep;
        const struct admin_explain_rcpt req = {
            .address = arena_printf(k->a, "postmaster@%.*s", STR_FMT(found->name))};
        if (admin_explain_rcpt_call(k->ctl.store, &req, k->a, &rep) != OK)
            return;
        if (rep.class == DIRECTORY_LOCAL) {
            good++;
            continue;
        }
        bad++;
        finding_add(&k->findings, FINDING_MEND, "postmaster",
                    "Mail to postmaster@%.*s is refused, and every domain has somebody who reads "
                    "it: godwit alias set postmaster@%.*s ADDRESS names one.",
                    STR_FMT(found->name), STR_FMT(found->name));
    }
    if (good > 0 && bad == 0)
        finding_add(&k->findings, FINDING_OK, "postmaster",
                    "Mail to postmaster reaches somebody at every domain.");
}

static void
judge_resolvers(struct ctl_check *k)
{
    AUTO_BUF text = BUF(RESOLV_CONF_BYTES);

    enum status e = machine_read_file(STR("/etc/resolv.conf"), &text);
    (void)e; /* without one nothing is in it */
    network_judge_resolvers(k->ctl.config, buf_str(&text), &k->findings);
}

static SUSPENDS void
look(struct ctl_check *k)
{
    bool runs = ctl_connect(&k->ctl) == OK;
    struct admin_status req = {0};
    struct admin_status_reply rep;

    if (runs && admin_status_call(k->ctl.store, &req, k->a, &rep) != OK) {
        runs = false;
        k->ctl.store = NULL;
    }
    finding_add(
        &k->findings, runs ? FINDING_OK : FINDING_NOTE, "server",
        runs ? "The server runs and answers."
             : "The server does not run, or does not answer you: its domains and their DKIM keys "
               "were not looked at.");
    ctl_check_files(k, runs);
    machine_check_clock(&k->findings);
    machine_check_ports(k->ctl.config, runs, &k->findings);
    machine_judge_relay(k->ctl.config, &k->findings);
    if (k->deep && runs)
        look_for_postmasters(k);
    if (k->deep)
        ctl_doctor(k, runs);
    if (k->deep)
        judge_resolvers(k);
    if (!k->offline)
        look_outside(k);
}

/* ---- telling ---- */

static void
report_json(const struct findings *f)
{
    json_t *all = json_array();

    for (size_t i = 0; i < f->count; i++)
        json_array_append_new(
            all, json_pack("{s:s, s:s, s:s#}", "level", finding_level_name(f->at[i].level), "topic",
                           f->at[i].topic, "text", f->at[i].text.ptr, (int)f->at[i].text.len));
    json_dumpf(all, stdout, JSON_INDENT(2));
    printf("\n");
    json_decref(all);
}

static int
report(const struct ctl_check *k)
{
    const struct findings *f = &k->findings;
    size_t mend = findings_count(f, FINDING_MEND);
    bool colour = isatty(STDOUT_FILENO) && getenv("NO_COLOR") == NULL;
    AUTO_BUF text = BUF(1 << 20);

    if (k->json) {
        report_json(f);
        return mend > 0 ? CTL_FAILED : CTL_OK;
    }
    for (size_t i = 0; i < f->count; i++)
        finding_write(&f->at[i], colour, &text);
    printf("%.*s\n", STR_FMT(buf_str(&text)));
    if (mend == 0)
        printf("Nothing to mend.\n");
    else
        printf("%zu thing%s to mend.\n", mend, mend == 1 ? "" : "s");
    return mend > 0 ? CTL_FAILED : CTL_OK;
}
