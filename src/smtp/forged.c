/* forged.c - see forged.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/forged.h"

#include <string.h>

#include "base/size.h"
#include "base/status.h"
#include "policy/auth_results.h"

/* What begins so is ours, too. */
static const struct str beginnings[] = {STR("X-Godwit-Spam"), STR("X-Godwit-Warning")};

enum {
    IN_NAME,     /* a line of the header begins: held until its name tells */
    IN_SPACES,   /* between a name of ours and its colon */
    IN_OTHER,    /* a line that stays: up to its LF */
    IN_FIELD,    /* a field with a name of ours: held until its end */
    AFTER_FIELD, /* a line of it has ended: white space goes on with it */
    IN_DROPPED,  /* one that was too long to be held */
    AFTER_DROPPED,
    GIVE, /* what is held stays */
    IN_BODY,
};

void
forged_init(struct forged *f, struct str host)
{
    *f = (struct forged){.host = host, .state = IN_NAME};
    buf_init(&f->held, FORGED_HOLD_MAX);
}

void
forged_release(struct forged *f)
{
    buf_release(&f->held);
}

/* ---- names ---- */

static bool
is_own_word(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(beginnings); i++)
        if (str_starts_nocase(name, beginnings[i]))
            return true;
    return false;
}

static bool
is_ours(struct str name)
{
    return str_eq_nocase(name, STR(AUTH_RESULTS_FIELD)) || is_own_word(name);
}

static bool
may_become_ours(struct str name)
{
    for (size_t i = 0; i < COUNT_OF(beginnings); i++)
        if (str_starts_nocase(beginnings[i], name))
            return true;
    return str_starts_nocase(STR(AUTH_RESULTS_FIELD), name) || is_own_word(name);
}

/* ---- states ---- */

static void
give(struct forged *f, int next)
{
    f->state = GIVE;
    f->next = next;
}

static void
drop(struct forged *f, int next)
{
    f->fields++;
    f->bytes += f->held.len;
    buf_reset(&f->held);
    f->state = next;
}

/* The field is whole, and what follows it is no part of it. */
static void
end_field(struct forged *f)
{
    struct str field = buf_str(&f->held), name = str_sub(field, 0, f->name_len);
    ssize_t colon = str_find(field, ':');

    ASSERT(colon >= 0);
    if (is_own_word(name) || auth_results_claims(str_skip(field, (size_t)colon + 1), f->host))
        drop(f, IN_NAME);
    else
        give(f, IN_NAME);
}

/* One byte of a line that is not known yet. */
static void
take_name_byte(struct forged *f, char c)
{
    int next = c == '\n' ? IN_NAME : IN_OTHER;

    buf_add_char(&f->held, c);
    if (f->held.over) { /* a name of ours, and blanks without end */
        drop(f, c == '\n' ? AFTER_DROPPED : IN_DROPPED);
        f->bytes++;
        return;
    }
    struct str held = buf_str(&f->held);
    if (str_eq(held, STR("\r")))
        return;
    if (str_eq(held, STR("\n")) || str_eq(held, STR("\r\n"))) {
        give(f, IN_BODY);
        return;
    }
    bool blank = c == ' ' || c == '\t', ftext = c > ' ' && c < 0x7f && c != ':';
    if (f->state == IN_NAME && ftext) {
        f->name_len = f->held.len;
        if (!may_become_ours(held))
            give(f, next);
    } else if (is_ours(str_sub(held, 0, f->name_len)) && (blank || c == ':')) {
        f->state = blank ? IN_SPACES : IN_FIELD;
    } else {
        give(f, next);
    }
}

static struct str
take_line(struct scan *in, bool *ended)
{
    const char *from = in->pos;
    const char *lf = memchr(from, '\n', scan_left(in));

    *ended = lf != NULL;
    in->pos = lf != NULL ? lf + 1 : in->end;
    return str_from(from, (size_t)(in->pos - from));
}

static void
take_field(struct forged *f, struct scan *in)
{
    bool ended;
    struct str line = take_line(in, &ended);

    if (f->state == IN_FIELD) {
        buf_add(&f->held, line);
        f->state = ended ? AFTER_FIELD : IN_FIELD;
        if (!f->held.over)
            return;
        drop(f, f->state);
    }
    f->bytes += line.len;
    f->state = ended ? AFTER_DROPPED : IN_DROPPED;
}

/* The first byte behind a line of a field is looked at, not taken. */
static void
begin_line(struct forged *f, char c)
{
    bool dropped = f->state == AFTER_DROPPED;

    if (c == ' ' || c == '\t')
        f->state = dropped ? IN_DROPPED : IN_FIELD;
    else if (dropped)
        f->state = IN_NAME;
    else
        end_field(f);
}

bool
forged_next(struct forged *f, struct scan *in, struct str *run_out)
{
    bool ended;

    for (;;) {
        if (f->state == GIVE) {
            *run_out = buf_str(&f->held);
            f->state = f->next;
            f->next = GIVE; /* it was given */
            return true;
        }
        if (f->next == GIVE) {
            buf_reset(&f->held);
            f->name_len = 0;
            f->next = IN_NAME;
        }
        if (scan_at_end(in))
            return false;
        switch (f->state) {
        case IN_NAME:
        case IN_SPACES: take_name_byte(f, *in->pos++); break;
        case IN_FIELD:
        case IN_DROPPED: take_field(f, in); break;
        case AFTER_FIELD:
        case AFTER_DROPPED: begin_line(f, *in->pos); break;
        case IN_OTHER:
            *run_out = take_line(in, &ended);
            f->state = ended ? IN_NAME : IN_OTHER;
            return true;
        case IN_BODY:
            *run_out = scan_rest(in);
            in->pos = in->end;
            return true;
        default: UNREACHABLE();
        }
    }
}

bool
forged_end(struct forged *f, struct str *run_out)
{
    struct scan nothing = scan_of(STR(""));

    if (forged_next(f, &nothing, run_out))
        return true;
    if (f->held.len == 0)
        return false;
    if (f->state == IN_FIELD || f->state == AFTER_FIELD)
        end_field(f);
    else
        give(f, IN_NAME);
    return forged_next(f, &nothing, run_out);
}
