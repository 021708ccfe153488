/* program.h - runs a program of this machine to its end: for the few things that its own tools do best.
 *
 * Promises:  no shell and no search: argv[0] is an absolute path.  The program sees a fixed environment, nothing to
 *            read, and no descriptor of ours; a Ctrl-C at the terminal does not reach it.  After the timeout it
 *            is killed.
 * Never:     runs in a server: the caller waits, and so does its loop.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_PROGRAM_H
#define RT_PROGRAM_H

#include <stdint.h>

#include "base/status.h"

#define PROGRAM_SAID_MAX 200u
struct program_end {
    int signal, exit;
    char said[PROGRAM_SAID_MAX]; /* what it wrote first, in one line; control bytes are '?' */
};
/* OK: it ended, see out.  ERR_NOT_FOUND: there is no such program.  ERR_TIMEOUT: it was killed. */
MUST_USE enum status program_run(const char *const *argv, uint32_t timeout_ms,
                                 struct program_end *out);

#endif
