/* setup_tell.c - the end of set-up: DNS records, settings of mail programs, what to do next.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <unistd.h>

#include "base/size.h"
#include "ctl/command.h"
#include "ctl/setup.h"

enum { TEXT_MAX = 65536 };

static void
tell_certificate(const struct ctl_setup *s)
{
    if (s->self_signed.len == 0)
        return;
    printf("\nThe certificate is self-signed\n"
           "  SHA-256 %.*s\n"
           "  Thunderbird, K-9, Apple Mail and mutt ask you whether to trust it: compare the line "
           "above.\n"
           "  Outlook, and services that fetch mail for you (Gmail, Outlook.com), refuse it.\n"
           "  Other mail servers deliver to it all the same.  A certificate that everybody trusts "
           "is free:\n"
           "  get one (Let's Encrypt), then: godwit setup %.*s --cert FILE --key FILE\n",
           STR_FMT(s->self_signed), STR_FMT(s->domain));
}

static void
tell_password(const struct ctl_setup *s)
{
    if (s->password_made && s->account_added)
        printf("\nPassword of %.*s, shown this once\n  %.*s\n", STR_FMT(s->admin),
               STR_FMT(secret_str(&s->password)));
}

static bool
has_unit(void)
{
    return access("/run/systemd/system", F_OK) == 0 &&
           (access("/etc/systemd/system/godwit.service", F_OK) == 0 ||
            access("/lib/systemd/system/godwit.service", F_OK) == 0);
}

static void
tell_next(const struct ctl_setup *s)
{
    bool usual = str_eq(s->config_path, STR(COMMAND_CONFIG)),
         changed = !str_eq(s->text, s->first_text);
    struct str option = usual ? STR("") : arena_printf(s->a, " -c %.*s", STR_FMT(s->config_path));
    size_t mend = findings_count(&s->findings, FINDING_MEND);

    printf("\nNext\n");
    if (s->own_server)
        printf("  - Start it:         %s%.*s\n",
               usual && has_unit() ? "systemctl enable --now godwit" : "godwit serve",
               STR_FMT(usual && has_unit() ? STR("") : option));
    else if (changed)
        printf("  - Start it again:   the running server still has the old configuration.\n");
    printf("  - Set the DNS records above where the domain's zone is kept.\n");
    if (mend > 0)
        printf("  - Mend what is marked mend at the top (%zu).\n", mend);
    printf("  - See that all is well:  godwit check%.*s\n", STR_FMT(option));
}

void
ctl_setup_tell(const struct ctl_setup *s)
{
    AUTO_BUF records = BUF(TEXT_MAX);
    AUTO_BUF clients = BUF(TEXT_MAX);
    /* No TLSA: the first certificate is seldom the one that stays. */
    struct records_domain d = {
        .name = s->dns.name, .addresses = s->net.addresses, .address_count = s->net.address_count};
    struct records all;

    view_records_keys(&s->keys, s->a, &d);
    records_make(s->ctl.config, &d, s->a, &all);
    records_write(&all, &records);
    records_clients(s->ctl.config, s->admin, &clients);
    printf("\n%.*s", STR_FMT(buf_str(&records)));
    printf("\nSettings of mail programs\n%.*s", STR_FMT(buf_str(&clients)));
    tell_certificate(s);
    tell_password(s);
    tell_next(s);
}
