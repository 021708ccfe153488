/* words.h - a line of a trace as a sentence for who has a customer on the telephone.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TRACE_WORDS_H
#define TRACE_WORDS_H

#include "trace/trace.h"

/* Appends it, without time and line end.  It holds what strangers said: not yet for a terminal. */
void trace_words(struct str line, struct buf *b);

#endif
