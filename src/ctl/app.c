/* app.c - godwit account app-password: passwords of programs.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "base/scan.h"
#include "base/size.h"
#include "ctl/account.h"

#define DAY_US INT64_C(86400000000)
enum { DAYS_MAX = 36600 };

/* 1#protocol */
static bool
read_protocols(const char *text, uint32_t *out)
{
    struct str rest = str_of(text), word;
    uint32_t bits = 0;

    while (str_split(&rest, ',', &word)) {
        size_t i = 0;
        while (i < COUNT_OF(view_app_protocols) && !str_eq(word, str_of(view_app_protocols[i])))
            i++;
        if (i == COUNT_OF(view_app_protocols))
            return false;
        bits |= 1u << i;
    }
    *out = bits;
    return bits != 0;
}

static struct str
protocols_text(struct ctl *c, uint32_t bits)
{
    AUTO_BUF b = BUF(64);

    for (size_t i = 0; i < COUNT_OF(view_app_protocols); i++) {
        if ((bits >> i & 1u) == 0)
            continue;
        if (b.len > 0)
            buf_add_char(&b, ',');
        buf_add_z(&b, view_app_protocols[i]);
    }
    return arena_str(c->arena, buf_str(&b));
}

static SUSPENDS int
add(struct ctl *c)
{
    struct admin_app_password_add req = {
        .address = ctl_address(c, 1), .name = ctl_arg(c, 2), .protocols = 7};
    struct admin_app_password_add_reply rep;
    struct scan s =
        scan_of(str_of(account_options.expires != NULL ? account_options.expires : "0"));

    if (account_options.for_text != NULL &&
        !read_protocols(account_options.for_text, &req.protocols)) {
        fprintf(stderr, "godwit account app-password: read \"%s\", expected some of %s\n",
                account_options.for_text, "imap,pop3,submission");
        return CTL_USAGE;
    }
    if (!scan_u32(&s, DAYS_MAX, &req.expires_days) || !scan_at_end(&s) ||
        (account_options.expires != NULL && req.expires_days == 0)) {
        fprintf(stderr, "godwit account app-password: read \"%s\", expected a number of days\n",
                account_options.expires);
        return CTL_USAGE;
    }
    enum status e = admin_app_password_add_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:o, s:o, s:o}", "address", view_str(req.address), "name",
                                        view_str(req.name), "password", view_str(rep.password)));
    printf("%.*s\n", STR_FMT(rep.password));
    fprintf(stderr, "That is the password; it is not shown again.\n");
    return CTL_OK;
}

static void
print_one(struct ctl *c, const struct admin_app_password *p, json_t *all)
{
    char created[40], expires[40], used[40];

    if (c->json) {
        json_array_append_new(all, view_app_password(p));
        return;
    }
    struct str words = protocols_text(c, p->protocols);
    ctl_time_text(p->used_day * DAY_US, used, sizeof(used));
    printf("%-24s %-20.*s made %s%s%s, %s%.10s\n", ctl_text(c, p->name), STR_FMT(words),
           ctl_time_text(p->created, created, sizeof(created)), p->expires == 0 ? "" : ", until ",
           p->expires == 0 ? "" : ctl_time_text(p->expires, expires, sizeof(expires)),
           p->used_day == 0 ? "not used yet" : "last used on ", p->used_day == 0 ? "" : used);
}

static SUSPENDS int
list(struct ctl *c)
{
    struct admin_app_passwords req = {.address = ctl_address(c, 1)};
    struct admin_app_passwords_reply rep;
    json_t *all = c->json ? json_array() : NULL;

    enum status e = admin_app_passwords_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return ctl_fail(c, e);
    for (size_t i = 0; i < rep.app_passwords_count; i++)
        print_one(c, &rep.app_passwords[i], all);
    if (c->json)
        return ctl_print_json(all);
    if (rep.app_passwords_count == 0)
        printf("there are no app passwords\n");
    return CTL_OK;
}

static SUSPENDS int
take_away(struct ctl *c)
{
    struct admin_app_password_remove req = {.address = ctl_address(c, 1), .name = ctl_arg(c, 2)};
    struct admin_app_password_remove_reply rep;

    enum status e = admin_app_password_remove_call(c->store, &req, c->arena, &rep);
    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:s}", "result", "ok"));
    printf("%s is removed; its sessions end\n", ctl_text(c, req.name));
    return CTL_OK;
}

int
ctl_app_password(struct ctl *c)
{
    const char *verb = c->argv[0];

    if (strcmp(verb, "add") == 0 && c->argc == 3)
        return add(c);
    if (strcmp(verb, "list") == 0 && c->argc == 2)
        return list(c);
    if (strcmp(verb, "remove") == 0 && c->argc == 3)
        return take_away(c);
    fprintf(stderr, "usage: godwit account app-password %s\n", c->verb->usage);
    return CTL_USAGE;
}
