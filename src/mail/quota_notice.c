/* quota_notice.c - what the owner of a mailbox reads when it fills up.  See quota_notice.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/quota_notice.h"

#include "base/encode.h"
#include "base/limits.h"
#include "base/size.h"
#include "mail/notice.h"

enum { FIELD_MAX = 256, PERCENT_FULL = 100 };

static void add_header(struct buf *b, const struct quota_notice *n);
static void add_use(struct buf *b, const struct quota_notice *n);
static void add_size(struct buf *b, uint64_t bytes);
static void add_consequence(struct buf *b, const struct quota_notice *n);

enum status
quota_notice_write(struct buf *b, const struct quota_notice *n)
{
    struct str domain = str_skip(n->address, (size_t)(str_rfind(n->address, '@') + 1));

    add_header(b, n);
    add_use(b, n);
    add_consequence(b, n);
    buf_addf(b,
             "\r\nTo make room, delete mail that you no longer need, large attachments\r\n"
             "first, and then empty the folders Trash and Junk: what lies there counts\r\n"
             "as well.\r\n"
             "\r\n"
             "The mail server wrote this message by itself. If you answer it, the\r\n"
             "postmaster of %.*s reads what you write.\r\n",
             STR_FMT(domain));
    return buf_status(b);
}

static void
add_header(struct buf *b, const struct quota_notice *n)
{
    const struct notice to = {n->host, n->address, n->unique, n->now};
    AUTO_BUF subject = BUF(FIELD_MAX);

    if (n->percent >= PERCENT_FULL)
        buf_add_z(&subject, "Your mailbox is full");
    else
        buf_addf(&subject, "Your mailbox is %s (%u %%)", n->urgent ? "nearly full" : "filling up",
                 (unsigned)n->percent);
    notice_header_write(b, &to, buf_str(&subject));
}

static void
add_use(struct buf *b, const struct quota_notice *n)
{
    buf_addf(b, "Your mailbox\r\n\r\n  %.*s\r\n\r\n", STR_FMT(n->address));
    if (n->percent >= PERCENT_FULL)
        buf_add_z(b, "is full. ");
    else
        buf_addf(b, "is %u %% full. ", (unsigned)n->percent);
    if (n->bytes_max != 0) {
        buf_add_z(b, "It holds ");
        add_size(b, n->bytes);
        buf_add_z(b, " of mail and has room for ");
        add_size(b, n->bytes_max);
        buf_add_z(b, ".\r\n");
    }
    if (n->messages_max != 0)
        buf_addf(b, "It holds %llu of at most %llu messages.\r\n", (unsigned long long)n->messages,
                 (unsigned long long)n->messages_max);
}

/* "4.1 GB"; the units are those of the godwit command, of 1024. */
static void
add_size(struct buf *b, uint64_t bytes)
{
    static const char *const units[] = {"KB", "MB", "GB", "TB"};
    uint64_t unit = 1024;
    size_t i = 0;

    if (bytes < unit) {
        buf_addf(b, "%u bytes", (unsigned)bytes);
        return;
    }
    while (i + 1 < COUNT_OF(units) && bytes / unit >= 1024) {
        unit *= 1024;
        i++;
    }
    buf_addf(b, "%llu.%u %s", (unsigned long long)(bytes / unit),
             (unsigned)(bytes % unit / (unit / 10 + 1)), units[i]);
}

static void
add_consequence(struct buf *b, const struct quota_notice *n)
{
    if (n->percent >= PERCENT_FULL)
        buf_add_z(b, "\r\nNo new mail comes in. ");
    else if (n->urgent)
        buf_add_z(b, "\r\nNew mail still comes in, but soon it will not. ");
    else
        buf_add_z(b, "\r\nNew mail still comes in. ");
    buf_addf(b,
             "While a mailbox is full,\r\n"
             "those who write to it are asked to try again later; after %u days without\r\n"
             "room their mail goes back to them.\r\n",
             (unsigned)LIMIT_QUOTA_FULL_DAYS);
}
