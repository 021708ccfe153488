/* ctl_queue.h - what the files of `godwit queue` share.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_CTL_QUEUE_H
#define ROLE_CTL_QUEUE_H

#include "role/ctl.h"

/* ---- ctl_queue_options.c ---- */
/* Reads one of --domain, --sender, --account, --recipient, --older, --all, --watch at argv[*i] with its value.
 * False: it is none of them, or lacks a value that can be read. */
bool ctl_queue_option(struct ctl *c, int argc, char **argv, int *i);
/* 30s, 10m, 2h, 5d, 1w; can be added to a time.  False: none of these. */
MUST_USE bool ctl_read_duration(const char *text, int64_t *us_out);
/* "all", or 1 to 16 hex digits as `queue list` prints them; 0 is no queue id and means all. */
MUST_USE bool ctl_read_qid(const char *text, uint64_t *out);
/* Is anything selected but by --all? */
bool ctl_queue_selects(const struct ctl *c);
struct admin_selection ctl_queue_selection(const struct ctl *c);
/* With --watch: waits for the next drawing; false: it is over.  Without: false. */
SUSPENDS bool ctl_queue_again(struct ctl *c);
/* Before each drawing. */
void ctl_queue_draw(const struct ctl *c);
/* "3 min", "5 h", "2 d". */
const char *ctl_span_text(int64_t us, char *text, size_t size);

/* ---- ctl_queue_show.c ---- */
json_t *ctl_queued_json(const struct admin_queued *m);
void ctl_queued_line(struct ctl *c, const struct admin_queued *m);
void ctl_queued_whole(struct ctl *c, const struct admin_queued *m);
void ctl_queue_paused(struct ctl *c, const struct str *domains, size_t n);

/* ---- ctl_queue_summary.c ---- */
SUSPENDS int ctl_queue_summary(struct ctl *c);

#endif
