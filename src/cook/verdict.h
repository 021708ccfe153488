/* verdict.h - is a stranger's message what it says it is?  DKIM, ARC and DMARC of its bytes, by answers of others.
 *
 * Use:       verdict_look() reads the message and says which names must be asked; verdict_judge() puts its answers and
 *            what was found out before (SPF, the client's name) together: one field Authentication-Results, and what
 *            should become of the message.
 * Promises:  never fails on any message; bounded by the limits of policy/.  A message that cannot be judged for now is
 *            taken.  Refused is only what its own domain asks to have refused, while nothing at all speaks for it.
 *            See docs/decisions/what-is-refused.md.
 * Never:     does I/O, asks anybody.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef COOK_VERDICT_H
#define COOK_VERDICT_H

#include "base/arena.h"
#include "ipc/cook_ipc.h"

struct psl_ctx_st; /* policy/suffixes.h */
struct verdict_look;

enum verdict_disposition { VERDICT_TAKE, VERDICT_JUNK, VERDICT_REFUSE };
/* Is the author who From says?  By DMARC, or, where the domain has none, by SPF or DKIM of the same organization. */
enum verdict_standing {
    STANDING_DOUBTED,   /* checks were made, and none shows it; or there is not just one author */
    STANDING_UNCHECKED, /* nothing is published that could show it, or it cannot be asked for now */
    STANDING_PROVEN,
};

/* The message must stay where it is until the end; list: NULL = none.  Where the strings of rep live: until the end. */
struct verdict_look *verdict_look(struct str message, const struct cook_stranger *who,
                                  const struct psl_ctx_st *list, struct cook_look_reply *rep);
void verdict_look_free(struct verdict_look **l);

struct verdict_host {
    struct str name; /* ours, as who says so */
    int64_t now_s;
};
/* Fills field and verdict of rep.  What they point to lives in a. */
void verdict_judge(const struct verdict_look *l, const struct cook_judge *req,
                   const struct verdict_host *host, struct arena *a, struct cook_judge_reply *rep);

#endif
