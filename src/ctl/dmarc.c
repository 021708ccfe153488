/* dmarc.c - godwit dmarc: reports about mail in somebody's name.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/scan.h"
#include "base/size.h"
#include "base/time.h"
#include "ctl/command.h"
#include "ctl/ctl.h"
#include "store/tally.h"

enum { DAY_S = 86400 };

static const char *day_text; /* --day */

/* YYYY-MM-DD */
static bool
read_day(struct str text, uint32_t *out)
{
    struct scan s = scan_of(text);
    struct civil c = {0};
    uint32_t year, month, day;

    if (!scan_u32(&s, 9999, &year) || year < 1970 || !scan_char(&s, '-') ||
        !scan_u32(&s, 12, &month) || month == 0 || !scan_char(&s, '-') || !scan_u32(&s, 31, &day) ||
        day == 0 || !scan_at_end(&s))
        return false;
    c.year = (int)year;
    c.month = (int)month;
    c.day = (int)day;
    *out = (uint32_t)(unix_from_civil(&c) / DAY_S);
    return true;
}

static SUSPENDS int
send_kind(struct ctl *c, uint8_t kind)
{
    struct admin_reports_send req = {.kind = kind};
    struct admin_reports_send_reply rep;

    if (day_text != NULL && !read_day(str_of(day_text), &req.day)) {
        fprintf(stderr, "godwit: --day: read \"%s\", expected a day such as 2026-11-30\n",
                day_text);
        return CTL_USAGE;
    }
    enum status e = admin_reports_send_call(c->store, &req, c->arena, &rep);
    if (e == ERR_DENIED) {
        fprintf(stderr,
                "godwit: no reports are sent: godwit.conf says reports off, or outbound none\n");
        return CTL_FAILED;
    }
    if (e != OK)
        return ctl_fail(c, e);
    if (c->json)
        return ctl_print_json(json_pack("{s:i, s:i, s:i, s:i}", "domains", (int)rep.domains, "sent",
                                        (int)rep.sent, "nobody", (int)rep.nobody, "later",
                                        (int)rep.later));
    printf("%u %s: %u sent, %u with nobody to tell, %u later\n", rep.domains,
           rep.domains == 1 ? "domain" : "domains", rep.sent, rep.nobody, rep.later);
    return CTL_OK;
}

static SUSPENDS int
send_reports(struct ctl *c)
{
    return send_kind(c, TALLY_DMARC);
}

static SUSPENDS int
send_tls_reports(struct ctl *c)
{
    return send_kind(c, TALLY_TLS);
}

static const struct ctl_verb dmarc_verbs[] = {
    {"send", 0, 0, "[--day YYYY-MM-DD]", send_reports,
     "the reports to other domains now, not after midnight UTC"},
    {0},
};

static const struct ctl_option dmarc_options[] = {
    {"--day", CTL_TEXT, &day_text},
    {0},
};

int
dmarc_command(int argc, char **argv)
{
    return ctl_main(argc, argv, dmarc_verbs, dmarc_options);
}

static const struct ctl_verb tls_report_verbs[] = {
    {"send", 0, 0, "[--day YYYY-MM-DD]", send_tls_reports,
     "the reports to other domains about TLS with their servers now, not after midnight UTC"},
    {0},
};

int
tls_reports_command(int argc, char **argv)
{
    return ctl_main(argc, argv, tls_report_verbs, dmarc_options);
}
