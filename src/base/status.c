/* status.c - names of results, details of failures, and the end of a program that broke a promise.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <assert.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/size.h"

#ifdef __clang__
/* What SUSPENDS asks for.  Only its address exists for the compiler's analysis; nobody reads it. */
struct fiber_capability in_fiber;
#endif

static const char *const status_names[] = {
    [OK] = "ok",
    [ERR_SYNTAX] = "syntax",
    [ERR_LIMIT] = "limit",
    [ERR_NOT_FOUND] = "not-found",
    [ERR_EXISTS] = "exists",
    [ERR_DENIED] = "denied",
    [ERR_CONFLICT] = "conflict",
    [ERR_TEMP] = "temp",
    [ERR_TIMEOUT] = "timeout",
    [ERR_CLOSED] = "closed",
    [ERR_CANCELLED] = "cancelled",
    [ERR_NO_SPACE] = "no-space",
    [ERR_QUOTA] = "quota",
    [ERR_IO] = "io",
    [ERR_CORRUPT] = "corrupt",
};
static_assert(COUNT_OF(status_names) == STATUS_COUNT, "a status without a name");

static void text_clean(char *z);
static void text_drop_cut_character(char *z);

const char *
status_name(enum status s)
{
    ASSERT((size_t)s < STATUS_COUNT);
    return status_names[s];
}

void
problem_set(struct problem *p, int reply, const char *enhanced, const char *format, ...)
{
    va_list args;

    if (p == NULL)
        return;
    size_t len = enhanced != NULL ? strlen(enhanced) : 0;
    if (len >= sizeof(p->enhanced))
        len = 0; /* half a code would be a wrong one */
    if (len > 0)
        memcpy(p->enhanced, enhanced, len);
    p->enhanced[len] = '\0';
    text_clean(p->enhanced);

    va_start(args, format);
    int n = vsnprintf(p->text, sizeof(p->text), format, args);
    va_end(args);
    ASSERT(n >= 0);
    text_clean(p->text);
    if ((size_t)n >= sizeof(p->text))
        text_drop_cut_character(p->text);
    p->reply = reply;
}

void
assert_failed(const char *what, const char *file, int line)
{
    char text[512];
    int n = snprintf(text, sizeof(text), "assertion failed: %s at %s:%d\n", what, file, line);

    if (n >= (int)sizeof(text)) {
        n = (int)sizeof(text) - 1;
        text[n - 1] = '\n';
    }
    /* Nothing is left to do when standard error is gone. */
    if (n > 0 && write(STDERR_FILENO, text, (size_t)n) < 0)
        abort();
    abort();
}

static void
text_clean(char *z)
{
    for (; *z != '\0'; z++) {
        if ((unsigned char)*z < 0x20 || *z == 0x7f)
            *z = '?';
    }
}

/* The cut may have fallen inside a UTF-8 sequence: remove what is left of it. */
static void
text_drop_cut_character(char *z)
{
    size_t len = strlen(z);
    size_t start = len;

    while (start > 0 && len - start < 3 && ((unsigned char)z[start - 1] & 0xc0) == 0x80)
        start--;
    if (start == 0)
        return;
    unsigned char lead = (unsigned char)z[start - 1];
    size_t want = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 1;
    if (want > len - start + 1)
        z[start - 1] = '\0';
}
