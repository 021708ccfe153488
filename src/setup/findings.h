/* findings.h - what a look at the machine found: one sentence each, with what follows and how to mend it.
 *
 * Owns:      nothing; sentences live in the arena.
 * Promises:  a sentence holds no control byte, whatever it quotes; output is wrapped for a terminal.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef SETUP_FINDINGS_H
#define SETUP_FINDINGS_H

#include "base/arena.h"
#include "base/buf.h"

/* NOTE: good to know, or a check that was not possible.  MEND: something is wrong. */
enum finding_level { FINDING_OK, FINDING_NOTE, FINDING_MEND };
#define FINDING_LEVELS (FINDING_MEND + 1)
struct finding {
    enum finding_level level;
    const char *topic; /* what was looked at: "port 25" */
    struct str text;
};
#define FINDINGS_MAX 500u /* later ones are not kept */
struct findings {
    struct arena *a;
    struct finding *at;
    size_t count;
};
struct findings findings_new(struct arena *a);
void finding_add(struct findings *f, enum finding_level level, const char *topic,
                 const char *format, ...) PRINTF(4, 5);
size_t findings_count(const struct findings *f, enum finding_level level);
const char *finding_level_name(enum finding_level level); /* "ok", "note", "mend" */
/* One paragraph: mark, topic, and the sentence under a hanging indent. */
void finding_write(const struct finding *f, bool colour, struct buf *b);

#endif
