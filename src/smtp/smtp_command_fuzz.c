/* smtp_command_fuzz.c - a MAIL or RCPT that is taken fits the store and is taken again when it is written again.
 *
 * The first byte: bit 0 submission, bit 1 RCPT, bit 2 after SMTPUTF8, bit 3 under TLS.  The rest is a line
 * without its verb.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/buf.h"
#include "base/encode.h"
#include "base/limits.h"
#include "mail/address.h"
#include "smtp/command.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_text(struct str s, size_t max, bool utf8)
{
    ASSERT(s.len <= max);
    if (utf8 && utf8_valid(s))
        return;
    for (size_t i = 0; i < s.len; i++)
        ASSERT(s.ptr[i] >= ' ' && s.ptr[i] <= '~');
}

static void
check_problem(const struct problem *why)
{
    ASSERT(why->reply == 501 || why->reply == 553 || why->reply == 555);
    ASSERT(why->enhanced[0] == '5' && why->text[0] != '\0');
    check_text(str_of(why->text), sizeof(why->text) - 1, false);
}

static void
check_mail(struct str args, const struct smtp_dialect *d, struct arena *a)
{
    struct smtp_mail m = {.size = 77}, again;
    struct problem why = {0};
    AUTO_BUF line = BUF(8192);

    if (smtp_mail_read(args, d, a, &m, &why) != OK) {
        ASSERT(m.size == 77);
        check_problem(&why);
        return;
    }
    check_text(m.sender, LIMIT_SMTP_PATH_BYTES, m.smtputf8);
    check_text(m.envid, 100, false);
    ASSERT(d->submission || (m.envid.len == 0 && !m.full_return && m.terms.hold_until.us == 0));
    ASSERT((m.terms.hold_until.us == 0) == (m.terms.hold_asked.len == 0));
    check_text(m.terms.hold_asked, 64, false);
    buf_addf(&line, "FROM:<%.*s> SIZE=%llu", STR_FMT(m.sender), (unsigned long long)m.size);
    if (m.smtputf8)
        buf_add_z(&line, " SMTPUTF8");
    if (m.full_return)
        buf_add_z(&line, " RET=FULL");
    if (m.envid.len > 0)
        buf_addf(&line, " ENVID=%.*s", STR_FMT(m.envid));
    if (str_starts(m.terms.hold_asked, STR("for;")))
        buf_addf(&line, " HOLDFOR=%.*s", STR_FMT(str_skip(m.terms.hold_asked, 4)));
    else if (m.terms.hold_asked.len > 0)
        buf_addf(&line, " HOLDUNTIL=%.*s", STR_FMT(str_skip(m.terms.hold_asked, 6)));
    if (m.terms.by_mode != SMTP_BY_NONE) {
        buf_add_z(&line, " BY=");
        smtp_by_write(&line, &m.terms, d->now);
    }
    ASSERT(d->tls || !m.terms.require_tls);
    if (m.terms.require_tls)
        buf_add_z(&line, " REQUIRETLS");
    if (m.terms.has_priority)
        buf_addf(&line, " MT-PRIORITY=%d", m.terms.priority);
    ASSERT(smtp_mail_read(buf_str(&line), d, a, &again, &why) == OK);
    ASSERT(again.terms.require_tls == m.terms.require_tls);
    ASSERT(again.terms.priority == m.terms.priority);
    ASSERT(again.terms.by_mode == m.terms.by_mode && again.terms.by.us == m.terms.by.us);
    ASSERT(again.terms.by_trace == m.terms.by_trace);
    ASSERT(str_eq(again.sender, m.sender) && again.size == m.size);
    ASSERT(again.smtputf8 == m.smtputf8);
    ASSERT(again.terms.hold_until.us == m.terms.hold_until.us);
    ASSERT(again.full_return == m.full_return && str_eq(again.envid, m.envid));
}

static void
check_rcpt(struct str args, const struct smtp_dialect *d, struct arena *a)
{
    struct smtp_rcpt r = {.notify = 77}, again;
    struct problem why = {0};
    AUTO_BUF line = BUF(8192);

    if (smtp_rcpt_read(args, d, a, &r, &why) != OK) {
        ASSERT(r.notify == 77);
        check_problem(&why);
        return;
    }
    ASSERT(r.address.len > 0 && str_find(r.address, '@') > 0);
    check_text(r.address, LIMIT_SMTP_PATH_BYTES, d->utf8);
    check_text(r.orcpt, 500, d->utf8);
    ASSERT(r.notify <= 14 && ((r.notify & NOTIFY_NEVER) == 0 || r.notify == NOTIFY_NEVER));
    ASSERT(d->submission || (r.notify == 0 && r.orcpt.len == 0));
    buf_addf(&line, "TO:<%.*s>", STR_FMT(r.address));
    if (r.orcpt.len > 0)
        buf_addf(&line, " ORCPT=%.*s", STR_FMT(r.orcpt));
    ASSERT(smtp_rcpt_read(buf_str(&line), d, a, &again, &why) == OK);
    ASSERT(str_eq(again.address, r.address) && str_eq(again.orcpt, r.orcpt));
}

static void
check_bdat(struct str args)
{
    uint64_t size = 77, again_size;
    bool last, again_last;
    char text[40];

    if (smtp_bdat_read(args, &size, &last) != OK) {
        ASSERT(size == 77);
        return;
    }
    snprintf(text, sizeof(text), "%llu%s", (unsigned long long)size, last ? " LAST" : "");
    ASSERT(smtp_bdat_read(str_of(text), &again_size, &again_last) == OK);
    ASSERT(again_size == size && again_last == last);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > LIMIT_SMTP_LINE_BYTES)
        return 0;
    AUTO_ARENA *a = arena_new(65536);
    struct smtp_dialect d = {.submission = (data[0] & 1) != 0,
                             .utf8 = (data[0] & 4) != 0,
                             .tls = (data[0] & 8) != 0,
                             .ours = (data[0] & 16) != 0,
                             .domain = STR("example.org"),
                             .now = {INT64_C(1796083200000000)}}; /* 2026-12-01T00:00:00Z */
    struct str line = str_from((const char *)data + 1, size - 1);
    struct str verb, args;

    smtp_line_split(line, &verb, &args);
    ASSERT(verb.len + args.len <= line.len && str_find(verb, ' ') < 0);
    check_bdat(line);
    if ((data[0] & 2) != 0)
        check_rcpt(line, &d, a);
    else
        check_mail(line, &d, a);
    return 0;
}
