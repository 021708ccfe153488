/* queue.h - what the files of `godwit queue` share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_QUEUE_H
#define CTL_QUEUE_H

#include "ctl/ctl.h"

/* ---- queue_options.c ---- */
extern const struct ctl_option ctl_queue_options[];
bool ctl_queue_all(void); /* --all was typed */
/* "all", or 1 to 16 hex digits as `queue list` prints them; 0 is no queue id and means all. */
MUST_USE bool ctl_read_qid(const char *text, uint64_t *out);
/* Is anything selected but by --all? */
bool ctl_queue_selects(void);
struct admin_selection ctl_queue_selection(const struct ctl *c);
/* With --watch: waits for the next drawing; false: it is over.  Without: false. */
SUSPENDS bool ctl_queue_again(struct ctl *c);
/* Before each drawing. */
void ctl_queue_draw(const struct ctl *c);
/* "3 min", "5 h", "2 d". */
const char *ctl_span_text(int64_t us, char *text, size_t size);

/* ---- queue_show.c ---- */
void ctl_queued_line(struct ctl *c, const struct admin_queued *m);
void ctl_queued_whole(struct ctl *c, const struct admin_queued *m);
void ctl_queue_paused(struct ctl *c, const struct str *domains, size_t n);

/* ---- queue_summary.c ---- */
SUSPENDS int ctl_queue_summary(struct ctl *c);

#endif
