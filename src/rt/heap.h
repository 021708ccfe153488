/* heap.h - gives memory back to the system when a process has become quiet.
 *
 * malloc keeps what was freed.  After a burst (a hundred log-ins hashed, a thousand handshakes) that can be
 * many times what the process needs at rest.  While it is busy, on the other hand, malloc gives back too
 * eagerly: each message of a megabyte would grow and shrink the heap, and fresh pages cost more than copying.
 *
 * Promises:  heap_trim_when_quiet() once per thread with a loop; from then on free pages go back after half a
 *            second with few turns, at most every two seconds.  A process at rest is not woken for it.
 * Never:     moves or frees anything in use.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef RT_HEAP_H
#define RT_HEAP_H

#include <stddef.h>

void heap_trim_when_quiet(void);
/* Before the first thread starts: all threads share one arena.  For those that allocate rarely and much: the end of
 * a thread's own arena is never given back. */
void heap_one_arena(void);
void heap_release(void); /* by loop_release() */
void heap_turn(void);    /* by the loop, at the end of a turn that had work */

/* Many MiB for a moment, in few pages: the kernel clears 2 MiB at a time, where it can, instead of taking a fault for
 * each 4 KiB.  Given back at once.  NULL: there is no room. */
void *heap_block_new(size_t size);
void heap_block_free(void *block, size_t size);

#endif
