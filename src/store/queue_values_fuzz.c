/* queue_values_fuzz.c - what a reader takes, its writer writes back and reads again, field for field.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "store/queue_values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
same_rcpt(const struct queue_rcpt *a, const struct queue_rcpt *b)
{
    ASSERT(a->address.len > 0 && str_eq(a->address, b->address));
    ASSERT(str_eq(a->original, b->original) && str_eq(a->orcpt, b->orcpt));
    ASSERT(a->account == b->account && a->notify == b->notify && a->state == b->state);
    ASSERT(a->tries == b->tries && a->told == b->told && a->next.us == b->next.us);
    ASSERT(a->code == b->code && str_eq(a->text, b->text) && a->relayed == b->relayed);
}

static void
same_plan(struct str value)
{
    AUTO_ARENA *a = arena_new(16 << 20);
    AUTO_BUF again = BUF(QUEUE_VALUE_MAX);
    struct queue_plan p, second;

    if (queue_plan_read(value, a, &p) != OK)
        return;
    queue_plan_write(&p, &again);
    ASSERT(buf_status(&again) == OK && queue_plan_read(buf_str(&again), a, &second) == OK);
    ASSERT(p.held == second.held && p.over == second.over && (p.held || !p.over) &&
           p.class == second.class && p.report_us == second.report_us && p.count == second.count);
    for (size_t i = 0; i < p.count; i++)
        ASSERT(str_eq(p.jobs[i].domain, second.jobs[i].domain) && p.jobs[i].rcpts > 0 &&
               p.jobs[i].due_us == second.jobs[i].due_us);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_ARENA *a = arena_new(16 << 20);
    AUTO_BUF again = BUF(QUEUE_VALUE_MAX);
    struct queue_message m, second;
    struct queue_head h;

    if (queue_head_read(str_from((const char *)data, size), &h) == OK)
        ASSERT(h.next > 0 && h.next <= QUEUE_QID_MAX && h.count <= h.next);
    same_plan(str_from((const char *)data, size));
    if (queue_message_read(str_from((const char *)data, size), a, &m) != OK)
        return 0;
    ASSERT(m.rcpt_count > 0 && m.rcpt_count <= QUEUE_RCPTS_MAX && m.header_bytes <= m.size);
    queue_message_write(&m, &again);
    ASSERT(buf_status(&again) == OK && again.len <= size);
    ASSERT(queue_message_read(buf_str(&again), a, &second) == OK);
    ASSERT(str_eq(m.sender, second.sender) && str_eq(m.prepend, second.prepend));
    ASSERT(m.rcpt_count == second.rcpt_count && m.held == second.held && m.over == second.over);
    ASSERT(m.junk == second.junk);
    ASSERT(m.account == second.account && str_eq(m.route, second.route));
    ASSERT(m.terms.hold_until.us == second.terms.hold_until.us &&
           str_eq(m.terms.hold_asked, second.terms.hold_asked));
    ASSERT(m.terms.by_mode == second.terms.by_mode && m.terms.by.us == second.terms.by.us &&
           m.terms.by_trace == second.terms.by_trace && m.terms.priority == second.terms.priority &&
           m.terms.require_tls == second.terms.require_tls &&
           m.terms.tls_optional == second.terms.tls_optional);
    for (size_t i = 0; i < m.rcpt_count; i++)
        same_rcpt(&m.rcpts[i], &second.rcpts[i]);
    return 0;
}
