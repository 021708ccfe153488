/* attr.h - the compiler attributes that the whole tree uses, under short names.
 *
 * AUTO(f)      calls f(&variable) when the variable leaves its scope.
 * MUST_USE     ignoring the result is a compile error.
 * PRINTF(a, b) printf-like: format is argument a, the first value argument b.
 * SUSPENDS     the function may park the calling fiber.  Shared state read before such a call may
 *              have changed after it.  clang checks that only fibers call it (-Wthread-safety).
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

#define AUTO(f)      __attribute__((cleanup(f)))
#define MUST_USE     __attribute__((warn_unused_result))
#define PRINTF(a, b) __attribute__((format(printf, a, b)))
#define NORETURN     __attribute__((noreturn))
#define UNUSED       __attribute__((unused))

#ifdef __clang__
struct __attribute__((capability("fiber"))) fiber_capability {
    char unused;
};
extern struct fiber_capability in_fiber;
#define SUSPENDS    __attribute__((requires_capability(in_fiber)))
#define FIBER_ENTRY __attribute__((no_thread_safety_analysis))
#else
#define SUSPENDS
#define FIBER_ENTRY
#endif

#endif
