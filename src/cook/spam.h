/* spam.h - the spam score of a stranger's message, and the field of its header that says it.
 *
 * Promises:  never fails on any message; the field is ASCII, folded, at most SPAM_FIELD_MAX bytes with its line
 *            end.
 *            Whatever words the message is made of, they stay inside it: quoted, and what is not ASCII is \u{...}.
 *            The score in it is by the prior alone: it is the same for all who get the message.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef COOK_SPAM_H
#define COOK_SPAM_H

#include "base/arena.h"
#include "ipc/cook_ipc.h"

#define SPAM_FIELD     "X-Godwit-Spam"
#define SPAM_FIELD_MAX 8192u

/* Of a message whose verdict is in rep: fills spam, and adds the field behind what field holds.  What is made lives
 * in a. */
void spam_judge(struct str message, struct arena *a, struct cook_judge_reply *rep);

/* What is to be learned of a message as it is kept, with the field. */
void spam_read(struct str message, struct arena *a, struct cook_learn_reply *rep);

#endif
