/* queue_plan.c - the index of the queue: when which destination of a message is due.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/scan.h"
#include "base/size.h"
#include "store/directory.h"
#include "store/queue_internal.h"

enum {
    VERSION = 1,
    FLAG_HELD = 1,
    FLAG_REPORT = 2,
    FLAG_URGENT = 4,
    FLAG_LOW = 8,
    FLAG_OVER = 16,
    FLAGS_ALL = 31,
    JOB_FLAG_LOCAL = 1,
    JOB_FLAG_FRESH = 2,
    JOB_FLAGS_ALL = 3,
};

static struct queue_plan_job *job_for(struct queue_plan *p, const struct queue_rcpt *r);
static bool read_job(struct scan *s, struct queue_plan_job *out);

struct str
queue_domain_of(struct str address)
{
    return str_skip(address, (size_t)(str_rfind(address, '@') + 1)); /* 0 when there is none */
}

/* What is due once the message is this old, or NEVER; final states are due at any time.  Also when its time is over:
 * who makes the reports finds out then who waits still. */
int64_t
queue_report_time(const struct queue_message *m)
{
    struct instant warn = queue_warn_time(m);
    int64_t due = QUEUE_NEVER;

    for (size_t i = 0; i < m->rcpt_count; i++) {
        const struct queue_rcpt *r = &m->rcpts[i];
        if (r->state != QUEUE_WAITING && queue_report_due(m, r, m->arrived) != 0)
            return m->arrived.us;
        if (r->state == QUEUE_WAITING && queue_report_due(m, r, warn) != 0)
            due = MIN(due, warn.us);
        if (r->state == QUEUE_WAITING && m->terms.by_mode == QUEUE_BY_RETURN)
            due = MIN(due, m->terms.by.us);
    }
    return due;
}

void
queue_plan_of(const struct queue_message *m, struct arena *a, struct queue_plan *out)
{
    struct queue_plan p = {
        .held = m->held,
        .over = m->held && m->over,
        .class = queue_terms_class(&m->terms),
        .arrived = m->arrived,
        .report_us = queue_report_time(m),
        .jobs = ARENA_ARRAY(a, struct queue_plan_job, m->rcpt_count),
    };

    for (size_t i = 0; i < m->rcpt_count; i++) {
        const struct queue_rcpt *r = &m->rcpts[i];
        if (r->state != QUEUE_WAITING)
            continue;
        struct queue_plan_job *j = job_for(&p, r);
        j->due_us = MIN(j->due_us, r->next.us);
        j->fresh = j->fresh && r->tries == 0 && r->enhanced.len == 0;
        j->rcpts++;
    }
    *out = p;
}

void
queue_plan_write(const struct queue_plan *p, struct buf *b)
{
    bool report = p->report_us != QUEUE_NEVER;

    buf_add_char(b, VERSION);
    buf_add_char(b, (char)((p->held ? FLAG_HELD : 0) | (report ? FLAG_REPORT : 0) |
                           (p->class == QUEUE_URGENT ? FLAG_URGENT : 0) |
                           (p->class == QUEUE_LOW ? FLAG_LOW : 0) | (p->over ? FLAG_OVER : 0)));
    buf_add_zigzag(b, p->arrived.us);
    if (report)
        buf_add_zigzag(b, p->report_us);
    buf_add_varint(b, p->count);
    for (size_t i = 0; i < p->count; i++) {
        const struct queue_plan_job *j = &p->jobs[i];
        buf_add_char(b, (char)((j->local ? JOB_FLAG_LOCAL : 0) | (j->fresh ? JOB_FLAG_FRESH : 0)));
        buf_add_bytes(b, j->domain);
        buf_add_zigzag(b, j->due_us);
        buf_add_varint(b, j->rcpts);
    }
}

enum status
queue_plan_read(struct str value, struct arena *a, struct queue_plan *out)
{
    struct queue_plan p = {.report_us = QUEUE_NEVER};
    struct scan s = scan_of(value);
    uint8_t version, flags;
    uint64_t n;

    if (!scan_u8(&s, &version) || version != VERSION || !scan_u8(&s, &flags) || flags > FLAGS_ALL ||
        (flags & (FLAG_URGENT | FLAG_LOW)) == (FLAG_URGENT | FLAG_LOW) ||
        (flags & (FLAG_HELD | FLAG_OVER)) == FLAG_OVER || !scan_zigzag(&s, &p.arrived.us) ||
        ((flags & FLAG_REPORT) != 0 && !scan_zigzag(&s, &p.report_us)) ||
        !scan_varint(&s, QUEUE_RCPTS_MAX, &n))
        return ERR_CORRUPT;
    p.held = (flags & FLAG_HELD) != 0;
    p.over = (flags & FLAG_OVER) != 0;
    p.class = (flags & FLAG_URGENT) != 0 ? QUEUE_URGENT
              : (flags & FLAG_LOW) != 0  ? QUEUE_LOW
                                         : QUEUE_NORMAL;
    p.count = (size_t)n; /* bounded above */
    p.jobs = ARENA_ARRAY(a, struct queue_plan_job, p.count + 1);
    for (size_t i = 0; i < p.count; i++) {
        if (!read_job(&s, &p.jobs[i]))
            return ERR_CORRUPT;
    }
    if (!scan_at_end(&s))
        return ERR_CORRUPT;
    *out = p;
    return OK;
}

static struct queue_plan_job *
job_for(struct queue_plan *p, const struct queue_rcpt *r)
{
    bool local = r->account != 0;
    struct str domain = local ? STR("") : queue_domain_of(r->address);

    for (size_t i = 0; i < p->count; i++) {
        struct queue_plan_job *j = &p->jobs[i];
        if (j->local == local && str_eq(j->domain, domain))
            return j;
    }
    p->jobs[p->count] = (struct queue_plan_job){
        .domain = domain, .local = local, .fresh = true, .due_us = QUEUE_NEVER};
    return &p->jobs[p->count++];
}

static bool
read_job(struct scan *s, struct queue_plan_job *out)
{
    uint64_t rcpts;
    uint8_t flags;

    if (!scan_u8(s, &flags) || flags > JOB_FLAGS_ALL ||
        !scan_bytes(s, DIRECTORY_ADDRESS_MAX, &out->domain) || !scan_zigzag(s, &out->due_us) ||
        !scan_varint(s, QUEUE_RCPTS_MAX, &rcpts) || rcpts == 0)
        return false;
    out->local = (flags & JOB_FLAG_LOCAL) != 0;
    out->fresh = (flags & JOB_FLAG_FRESH) != 0;
    out->rcpts = (uint32_t)rcpts; /* bounded above */
    return !out->local || out->domain.len == 0;
}
