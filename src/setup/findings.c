/* findings.c - see findings.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/findings.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/size.h"
#include "base/status.h"

enum { TEXT_MAX = 1000, WIDTH = 96, INDENT = 22 };

static const char *const names[FINDING_LEVELS] = {
    [FINDING_OK] = "ok", [FINDING_NOTE] = "note", [FINDING_MEND] = "mend"};
static const char *const colours[FINDING_LEVELS] = {
    [FINDING_OK] = "\033[32m", [FINDING_NOTE] = "\033[36m", [FINDING_MEND] = "\033[1;33m"};

struct findings
findings_new(struct arena *a)
{
    return (struct findings){.a = a, .at = ARENA_ARRAY(a, struct finding, FINDINGS_MAX)};
}

void
finding_add(struct findings *f, enum finding_level level, const char *topic, const char *format,
            ...)
{
    char text[TEXT_MAX];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    for (char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || (unsigned char)*p >= 0x7f)
            *p = '?';
    if (f->count < FINDINGS_MAX)
        f->at[f->count++] = (struct finding){level, topic, arena_str(f->a, str_of(text))};
}

size_t
findings_count(const struct findings *f, enum finding_level level)
{
    size_t n = 0;

    for (size_t i = 0; i < f->count; i++)
        n += f->at[i].level == level;
    return n;
}

const char *
finding_level_name(enum finding_level level)
{
    ASSERT(level < FINDING_LEVELS);
    return names[level];
}

static void
add_wrapped(struct str text, struct buf *b)
{
    size_t column = INDENT;
    struct str word;

    while (str_split(&text, ' ', &word)) {
        if (column > INDENT && column + 1 + word.len > WIDTH) {
            buf_addf(b, "\n%*s", INDENT, "");
            column = INDENT;
        } else if (column > INDENT) {
            buf_add_char(b, ' ');
            column++;
        }
        buf_add(b, word);
        column += word.len;
    }
    buf_add_char(b, '\n');
}

void
finding_write(const struct finding *f, bool colour, struct buf *b)
{
    buf_addf(b, "  %s%-4s%s  %-13s ", colour ? colours[f->level] : "", names[f->level],
             colour ? "\033[0m" : "", f->topic);
    add_wrapped(f->text, b);
}
