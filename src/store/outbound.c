/* outbound.c - see outbound.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/outbound.h"

#include "base/scan.h"
#include "base/size.h"
#include "store/correspondents.h"
#include "store/work.h"

enum { VERSION = 1, VALUE_MAX = 1024 };
#define HOUR_US INT64_C(3600000000)

static const struct key outbound_key = {1, {KEY_OUTBOUND}};

SUSPENDS static enum status charge_once(struct cell *account, const struct outbound_message *m,
                                        struct instant now, struct outbound_answer *out);
SUSPENDS static enum status take(struct work *w, const struct outbound_message *m,
                                 struct outbound_value *v, struct outbound_answer *out);
static void judge(const struct outbound_message *m, const struct outbound_hour *day,
                  struct instant now, struct outbound_answer *out);
static void refuse(struct outbound_value *v, bool quiet, struct outbound_answer *out);
static void put(struct work *w, const struct outbound_value *v, struct buf *b);
static void advance(struct outbound_value *v, struct instant now);
static struct outbound_hour sum(const struct outbound_value *v);
static bool fits(uint32_t used, uint32_t more, uint32_t most);

enum status
outbound_charge(struct cell *account, const struct outbound_message *m, struct instant now,
                struct outbound_answer *out)
{
    enum status st;
    int tries = 0;

    ASSERT(m->foreign <= m->count);
    do {
        st = charge_once(account, m, now, out);
    } while (work_again(&st, &tries));
    return st;
}

SUSPENDS static enum status
charge_once(struct cell *account, const struct outbound_message *m, struct instant now,
            struct outbound_answer *out)
{
    AUTO(work_end) struct work w;
    AUTO_BUF bytes = BUF(VALUE_MAX);
    struct outbound_answer answer = {0};
    struct outbound_value v;
    struct str value;
    bool limited = m->foreign > 0 && (m->messages_max != 0 || m->recipients_max != 0);
    bool changed = false;

    TRY(work_begin(&w, account, now));
    if (limited) {
        TRY(work_peek(&w, &outbound_key, &value));
        TRY(outbound_value_read(value, &v));
        advance(&v, now);
        TRY(take(&w, m, &v, &answer));
        put(&w, &v, &bytes);
        TRY(buf_status(&bytes));
    } else {
        answer.fits = true;
    }
    if (answer.fits)
        TRY(correspondents_enter(&w, m->rcpts, m->count, &changed));
    /* What is asked about again and does not fit must cost nothing: it is asked about every minute. */
    if ((limited && (answer.fits || !m->again)) || changed)
        TRY(work_commit(&w));
    *out = answer;
    return OK;
}

SUSPENDS static enum status
take(struct work *w, const struct outbound_message *m, struct outbound_value *v,
     struct outbound_answer *out)
{
    struct outbound_hour *hour = &v->at[v->hour % OUTBOUND_HOURS];
    struct outbound_hour day = sum(v);

    TRY(correspondents_count_new(w, m->rcpts, m->foreign, &out->fresh));
    judge(m, &day, w->now, out);
    if (out->fits) {
        hour->messages++;
        hour->recipients += out->fresh;
    } else if (!m->again) {
        refuse(v, m->held, out);
    }
    day = sum(v);
    out->messages = day.messages;
    out->recipients = day.recipients;
    return OK;
}

/* What is behind leaves a message's place to the first of those that are held, and all new recipients. */
static void
judge(const struct outbound_message *m, const struct outbound_hour *day, struct instant now,
      struct outbound_answer *out)
{
    bool alone =
        m->again && day->recipients == 0 && now.us - m->arrived.us >= OUTBOUND_HOURS * HOUR_US;
    bool recipients = alone || fits(day->recipients, out->fresh, m->recipients_max);
    bool messages = fits(day->messages, m->behind ? 2 : 1, m->messages_max);

    out->fits = recipients && messages && !(m->behind && out->fresh > 0);
    out->by_recipients = !out->fits && m->recipients_max != 0 && (!recipients || messages);
}

static void
refuse(struct outbound_value *v, bool quiet, struct outbound_answer *out)
{
    out->too_much = sum(v).held >= LIMIT_OUTBOUND_HELD;
    if (!out->too_much)
        v->at[v->hour % OUTBOUND_HOURS].held++;
    out->tell = !quiet && (v->told == 0 || v->hour >= v->told + OUTBOUND_HOURS);
    if (out->tell)
        v->told = v->hour;
}

static void
put(struct work *w, const struct outbound_value *v, struct buf *b)
{
    outbound_value_write(v, b);
    if (buf_status(b) == OK)
        work_put(w, &outbound_key, buf_str(b));
}

/* A clock that was set back counts on in the hour that was the last. */
static void
advance(struct outbound_value *v, struct instant now)
{
    int64_t hour = MIN(now.us / HOUR_US, (int64_t)UINT32_MAX - OUTBOUND_HOURS);
    int64_t from = MAX((int64_t)v->hour + 1, hour - (int64_t)OUTBOUND_HOURS + 1);

    for (int64_t h = from; h <= hour; h++)
        v->at[h % OUTBOUND_HOURS] = (struct outbound_hour){0};
    if (hour > v->hour)
        v->hour = (uint32_t)hour; /* bounded above */
}

static struct outbound_hour
sum(const struct outbound_value *v)
{
    struct outbound_hour all = {0};

    for (size_t i = 0; i < OUTBOUND_HOURS; i++) {
        all.messages += v->at[i].messages;
        all.recipients += v->at[i].recipients;
        all.held += v->at[i].held;
    }
    return all;
}

static bool
fits(uint32_t used, uint32_t more, uint32_t most)
{
    return most == 0 || more == 0 || (used <= most && more <= most - used);
}

/* value = version(u8) hour told, of each hour from 0 on: messages recipients held */
void
outbound_value_write(const struct outbound_value *v, struct buf *b)
{
    buf_add_char(b, VERSION);
    buf_add_varint(b, v->hour);
    buf_add_varint(b, v->told);
    for (size_t i = 0; i < OUTBOUND_HOURS; i++) {
        buf_add_varint(b, v->at[i].messages);
        buf_add_varint(b, v->at[i].recipients);
        buf_add_varint(b, v->at[i].held);
    }
}

static bool
read_number(struct scan *s, uint32_t max, uint32_t *out)
{
    uint64_t n;

    if (!scan_varint(s, max, &n))
        return false;
    *out = (uint32_t)n; /* <= max */
    return true;
}

enum status
outbound_value_read(struct str value, struct outbound_value *out)
{
    struct outbound_value v = {0};
    struct scan s = scan_of(value);
    uint8_t version;

    if (value.ptr == NULL) {
        *out = v;
        return OK;
    }
    if (!scan_u8(&s, &version) || version != VERSION ||
        !read_number(&s, UINT32_MAX - OUTBOUND_HOURS, &v.hour) || !read_number(&s, v.hour, &v.told))
        return ERR_CORRUPT;
    for (size_t i = 0; i < OUTBOUND_HOURS; i++) /* their sums do not overflow */
        if (!read_number(&s, UINT32_MAX / OUTBOUND_HOURS, &v.at[i].messages) ||
            !read_number(&s, UINT32_MAX / OUTBOUND_HOURS, &v.at[i].recipients) ||
            !read_number(&s, UINT32_MAX / OUTBOUND_HOURS, &v.at[i].held))
            return ERR_CORRUPT;
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    *out = v;
    return OK;
}
