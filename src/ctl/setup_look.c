/* setup_look.c - what the machine and the network allow, and what the configuration makes of it.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "ctl/setup.h"
#include "setup/machine.h"

enum { CONFIG_BYTES_MAX = 256 * 1024 };

static void choose_addresses(struct ctl_setup *s);
static SUSPENDS void look_outside(struct ctl_setup *s);

void
ctl_setup_look(struct ctl_setup *s)
{
    s->net = (struct network){.a = s->a, .f = &s->findings, .config = s->ctl.config};
    machine_check_clock(&s->findings);
    choose_addresses(s);
    bool runs = ctl_connect(&s->ctl) == OK; /* it holds its ports; fill talks to it later */
    machine_check_ports(s->ctl.config, runs, &s->findings);
    if (s->o.offline)
        finding_add(&s->findings, FINDING_NOTE, "network",
                    "Nothing outside this machine was looked at (--offline): godwit check does it "
                    "later.");
    else
        look_outside(s);
}

static void
choose_addresses(struct ctl_setup *s)
{
    struct machine_addresses found;
    struct str *list = ARENA_ARRAY(s->a, struct str, MACHINE_ADDRESSES_MAX);
    size_t n = 0;

    machine_addresses(s->a, &found);
    if (s->o.addresses.count == 0)
        machine_judge_addresses(&found, &s->findings);
    for (size_t i = 0; i < s->o.addresses.count; i++)
        list[n++] = str_of(s->o.addresses.at[i]);
    for (size_t i = 0; s->o.addresses.count == 0 && i < found.count; i++)
        list[n++] = found.at[i];
    s->net.addresses = list;
    s->net.address_count = n;
}

/* A server that many may use to send for others: the user name tells it who we are. */
static SUSPENDS void
offer_smarthost(struct ctl_setup *s)
{
    struct str host = ctl_setup_ask(
        s, "Mail cannot leave by port 25. Send by which smarthost (HOST:587; empty: later)?",
        STR(""));

    if (host.len == 0)
        return;
    struct str user = ctl_setup_ask(s, "Your user name there (empty: none)?", STR(""));
    struct str file = user.len == 0
                          ? STR("")
                          : ctl_setup_ask(s, "A file whose first line is the password there?",
                                          STR("/etc/godwit/smarthost.password"));
    s->first.smarthost = user.len == 0
                             ? host
                             : arena_printf(s->a, "%.*s user \"%.*s\" password-file \"%.*s\"",
                                            STR_FMT(host), STR_FMT(user), STR_FMT(file));
}

static SUSPENDS void
look_outside(struct ctl_setup *s)
{
    struct network_resolver resolver;
    bool routed = s->first.smarthost.len > 0 || s->ctl.config->route_count > 0;

    if (s->fresh || s->o.resolver != NULL) {
        network_find_resolver(&s->net, s->o.resolver != NULL ? str_of(s->o.resolver) : STR(""),
                              &resolver);
        s->first.resolver = resolver.words;
        s->first.resolver_why = resolver.why;
    } else {
        network_use_config(&s->net);
    }
    if (routed)
        finding_add(&s->findings, FINDING_OK, "port 25 out",
                    "Mail to others leaves by a smarthost, so port 25 need not be open outward.");
    else if (network_check_outbound(&s->net, str_of(s->o.probe != NULL ? s->o.probe : "")) ==
             MAIL_BLOCKED)
        offer_smarthost(s);
    network_check_host(&s->net);
    s->first.ipv4_only = network_check_reverse(&s->net);
}

/* ---- the configuration ---- */

/* A line that was named as an option takes the place of the one of its setting. */
static struct str
set_word(const struct ctl_setup *s, const char *setting, struct str value)
{
    AUTO_BUF line = BUF(8192);

    buf_addf(&line, "%s ", setting);
    conf_word(value, &line);
    return conf_set(s->text, arena_str(s->a, buf_str(&line)), s->a);
}

static void
change_existing(struct ctl_setup *s)
{
    const struct conf_first *f = &s->first;

    if (s->o.host != NULL)
        s->text = set_word(s, "host", f->host);
    if (s->o.data != NULL)
        s->text = set_word(s, "data", f->data_dir);
    if (s->o.run_dir != NULL)
        s->text = set_word(s, "run-dir", f->run_dir);
    if (s->o.log != NULL)
        s->text = set_word(s, "log", f->log_file);
    if (s->o.user != NULL)
        s->text = set_word(s, "user", f->user);
    if (s->o.cert != NULL)
        s->text = conf_set(s->text,
                           arena_printf(s->a, "tls cert \"%.*s\" key \"%.*s\"",
                                        STR_FMT(f->cert_file), STR_FMT(f->key_file)),
                           s->a);
    if (s->o.resolver != NULL && !s->o.offline)
        s->text =
            conf_set(s->text, arena_printf(s->a, "resolver %.*s", STR_FMT(f->resolver)), s->a);
    if (f->smarthost.len > 0)
        s->text =
            conf_set(s->text, arena_printf(s->a, "smarthost %.*s", STR_FMT(f->smarthost)), s->a);
}

enum status
ctl_setup_compose(struct ctl_setup *s)
{
    AUTO_BUF text = BUF(CONFIG_BYTES_MAX);
    struct config *config = NULL;

    if (s->fresh) {
        conf_write_first(&s->first, &text);
        TRY(buf_status(&text));
        s->text = arena_str(s->a, buf_str(&text));
    } else {
        change_existing(s);
    }
    for (size_t i = 0; i < s->o.lines.count; i++) {
        struct str line = str_trim(str_of(s->o.lines.at[i])), rest = line, setting;
        (void)str_split(&rest, ' ', &setting);
        s->text =
            conf_repeats(setting) ? conf_add(s->text, line, s->a) : conf_set(s->text, line, s->a);
    }
    TRY(config_read(s->text, s->fresh ? "the new configuration" : s->ctl.config_path, &config,
                    &s->why));
    config_free(&s->ctl.config);
    s->ctl.config = config;
    s->net.config = config;
    return OK;
}
