/* quota.c - a mailbox that fills up: what its owner and those who write to it are told.
 *
 * A notice is a message in the INBOX; the commit that adds it says that it was given (store/quota_internal.h), so a
 * crash before it, or two deliveries at once, make one notice.  What could not be told is told with the next
 * message, or when role/store/upkeep.c comes by.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "base/size.h"
#include "config/events.h"
#include "mail/quota_notice.h"
#include "role/store/store.h"
#include "rt/clock.h"
#include "rt/logger.h"
#include "rt/random.h"
#include "store/account.h"
#include "store/message.h"
#include "store/quota.h"

enum { TEXT_BYTES = 16384, NOTICE_ARENA = 8 << 20 };
#define DAY_US INT64_C(86400000000)

SUSPENDS static enum status tell(struct store *s, struct cell *account, uint8_t *level);
SUSPENDS static enum status write_notice(struct store *s, const struct account_info *info,
                                         struct arena *a, struct buf *out);
static uint64_t percent_of(const struct account_info *i);
static void log_notice(const struct account_info *i);

enum status
store_quota_refused(const struct store *s, struct cell *account, bool *lasting_out)
{
    struct instant since, now = clock_now();

    TRY(store_checked(s, account_refused(account, now, &since), "quota"));
    *lasting_out = now.us - since.us >= LIMIT_QUOTA_FULL_DAYS * DAY_US;
    return OK;
}

enum status
store_quota_refuse(const struct store *s, struct cell *account)
{
    struct problem why = {0};
    bool lasting;

    store_quota_log(account);
    TRY(store_quota_refused(s, account, &lasting));
    if (lasting) {
        problem_set(&why, STORE_QUOTA_REPLY, STORE_QUOTA_ENHANCED, STORE_QUOTA_TEXT);
        ipc_fail(&why);
    }
    return ERR_QUOTA;
}

void
store_quota_tell(struct store *s, struct cell *account, uint8_t level)
{
    /* A small quota can be so full of its own notice that the next one is due. */
    for (int i = 1; level != QUOTA_FINE && i < QUOTA_LEVELS; i++) {
        if (store_checked(s, tell(s, account, &level), "quota notice") != OK)
            return;
    }
}

void
store_quota_look(struct store *s, struct cell *account)
{
    struct account_info info;

    if (store_checked(s, account_info(account, &info), "quota") == OK)
        store_quota_tell(s, account, info.notice);
}

void
store_quota_log(struct cell *account)
{
    struct account_info info;

    if (account_info(account, &info) != OK)
        return;
    AUTO(logger_send) struct log_line l;
    if (event_begin(&l, EVENT_QUOTA)) {
        log_u64(&l, "account", info.id);
        log_u64(&l, "used", info.bytes);
        log_u64(&l, "quota", info.quota.bytes);
    }
}

/* *level becomes what is due after this one. */
SUSPENDS static enum status
tell(struct store *s, struct cell *account, uint8_t *level)
{
    AUTO_ARENA *a = arena_new(NOTICE_ARENA);
    AUTO_BUF text = BUF(TEXT_BYTES);
    struct account_info info;
    struct intake_body body;
    struct message_place place;

    TRY(account_info(account, &info));
    if (info.notice == QUOTA_FINE) { /* somebody else was faster, or made room */
        *level = QUOTA_FINE;
        return OK;
    }
    TRY(write_notice(s, &info, a, &text));
    TRY(intake_make(s->intake, buf_str(&text), a, &body));
    const struct message_new m = {
        .blob = body.id,
        .size = body.size,
        .received = clock_now(),
        .record = body.facts.record,
        .sort = body.facts.sort,
        .message_id_hash = body.facts.message_id_hash,
        .reference_hashes = body.facts.reference_hashes,
        .reference_count = body.facts.reference_count,
        .notice = info.notice,
    };
    enum status st = message_add(account, MAILBOX_INBOX, &m, clock_now(), &place);
    if ((st != OK && st != ERR_IO) || (st == OK && place.was_here))
        engine_blob_forget(s->engine, body.id);
    TRY(st);
    *level = place.notice;
    if (!place.was_here)
        log_notice(&info);
    return OK;
}

SUSPENDS static enum status
write_notice(struct store *s, const struct account_info *info, struct arena *a, struct buf *out)
{
    struct directory_entry e;
    char unique[40];

    TRY(directory_by_id(s->directory, info->id, a, &e));
    snprintf(unique, sizeof(unique), "%016llx%016llx", (unsigned long long)random_u64(),
             (unsigned long long)random_u64());
    const struct quota_notice n = {
        .host = s->config->host,
        .address = e.address,
        .unique = str_of(unique),
        .now = clock_now(),
        .percent = percent_of(info),
        .urgent = info->notice == QUOTA_URGENT,
        .bytes = info->bytes,
        .bytes_max = info->quota.bytes,
        .messages = info->messages,
        .messages_max = info->quota.messages,
    };
    return quota_notice_write(out, &n);
}

static uint64_t
percent_of(const struct account_info *i)
{
    return MAX(quota_percent(i->bytes, i->quota.bytes),
               quota_percent(i->messages, i->quota.messages));
}

static void
log_notice(const struct account_info *i)
{
    AUTO(logger_send) struct log_line l;

    if (!event_begin(&l, EVENT_QUOTA_NOTICE))
        return;
    log_u64(&l, "account", i->id);
    log_u64(&l, "percent", percent_of(i));
    log_u64(&l, "used", i->bytes);
    log_u64(&l, "quota", i->quota.bytes);
}
