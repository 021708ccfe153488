/* header_filter.c - the header of a submitted message as it streams past.  See header_filter.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <string.h>

#include "base/status.h"
#include "mail/header_filter.h"

enum {
    IN_NAME,     /* a line begins: its bytes are held until the colon tells what it is */
    IN_SPACES,   /* between name and colon */
    IN_FIELD,    /* of a field that is kept: up to LF */
    IN_DROPPED,  /* of one that is not */
    AFTER_FIELD, /* a line began: white space goes on with the field before it */
    AFTER_DROPPED,
    GIVE_NAME, /* the name in hold, then ":" */
    GIVE_COLON,
    GIVE_END,   /* HEADER_END, then what is held, which is the empty line */
    GIVE_BREAK, /* HEADER_END, then an empty line of ours, then what is held, which is body */
    GIVE_EMPTY,
    GIVE_HELD,
    IN_BODY,
};

static_assert(HEADER_ID_COUNT <= 64, "header_filter.seen has a bit for each name");

void
header_filter_init(struct header_filter *f)
{
    *f = (struct header_filter){.state = IN_NAME};
}

bool
header_filter_saw(const struct header_filter *f, enum header_id id)
{
    ASSERT(id > HEADER_OTHER && id < HEADER_ID_COUNT);
    return (f->seen >> id & 1) != 0;
}

/* The colon was read: the field is known. */
static void
name_complete(struct header_filter *f)
{
    struct str name = str_from(f->hold, f->name_len);
    enum header_id id = header_id_of(name);

    f->fields++;
    f->started = true;
    f->seen |= (uint64_t)1 << id;
    f->from_count += id == HEADER_FROM;
    f->at = id;
    f->state = GIVE_NAME;
    if (id == HEADER_BCC || id == HEADER_RESENT_BCC) {
        f->dropped = true;
        f->state = IN_DROPPED;
    }
}

/* The line cannot be a field. */
static void
not_a_field(struct header_filter *f)
{
    struct str held = str_from(f->hold, f->held);

    f->at = HEADER_OTHER;
    if (str_eq(held, STR("\r\n")) || str_eq(held, STR("\n")))
        f->state = GIVE_END;
    else if (!f->started && str_starts(held, STR("From ")))
        f->state = str_ends(held, STR("\n")) ? AFTER_DROPPED : IN_DROPPED;
    else
        f->state = GIVE_BREAK;
}

/* A name of ftext alone that fills the hold is some other field: no name that matters is so long. */
static void
hold_full(struct header_filter *f)
{
    if (f->state == IN_SPACES) {
        not_a_field(f);
        return;
    }
    f->fields++;
    f->started = true;
    f->at = HEADER_OTHER;
    f->state = GIVE_NAME;
}

/* One byte of a line that is not known yet. */
static void
take_name_byte(struct header_filter *f, struct scan *in)
{
    char c = *in->pos;
    bool ftext = (unsigned char)c > ' ' && (unsigned char)c < 0x7f && c != ':';

    if (c == ':' && f->name_len > 0) {
        in->pos++;
        name_complete(f);
        return;
    }
    f->hold[f->held++] = c;
    in->pos++;
    if (c == '\r' && f->held == 1)
        return; /* the empty line, if LF follows */
    if (ftext && f->state == IN_NAME && f->hold[0] != '\r')
        f->name_len = f->held;
    else if (ascii_is_space(c) && f->name_len > 0)
        f->state = IN_SPACES;
    else
        not_a_field(f);
    if (f->held == HEADER_HOLD_MAX && (f->state == IN_NAME || f->state == IN_SPACES))
        hold_full(f);
}

/* Bytes of a known field, up to its line end. */
static bool
take_field(struct header_filter *f, struct scan *in, struct str *run_out)
{
    const char *from = in->pos;
    const char *lf = memchr(from, '\n', scan_left(in));
    bool keep = f->state == IN_FIELD;

    in->pos = lf != NULL ? lf + 1 : in->end;
    if (lf != NULL)
        f->state = keep ? AFTER_FIELD : AFTER_DROPPED;
    *run_out = keep ? str_from(from, (size_t)(in->pos - from)) : STR_NONE;
    return keep;
}

static void
begin_line(struct header_filter *f, const struct scan *in)
{
    if (ascii_is_space(*in->pos)) {
        f->state = f->state == AFTER_FIELD ? IN_FIELD : IN_DROPPED;
        return;
    }
    f->state = IN_NAME;
    f->name_len = f->held = 0;
}

/* The states that take input; true when a run is ready. */
static bool
take(struct header_filter *f, struct scan *in, struct str *run_out)
{
    switch (f->state) {
    case IN_NAME:
    case IN_SPACES: take_name_byte(f, in); return false;
    case IN_FIELD:
    case IN_DROPPED: return take_field(f, in, run_out);
    case AFTER_FIELD:
    case AFTER_DROPPED: begin_line(f, in); return false;
    case IN_BODY:
        *run_out = scan_rest(in);
        in->pos = in->end;
        return true;
    default: UNREACHABLE();
    }
}

/* The states that hand out what is held; HEADER_MORE when there is nothing of the kind. */
static enum header_event
give(struct header_filter *f, struct str *run_out)
{
    switch (f->state) {
    case GIVE_NAME:
        *run_out = str_from(f->hold, f->name_len);
        f->state = f->held == HEADER_HOLD_MAX && f->name_len == f->held ? IN_FIELD : GIVE_COLON;
        return HEADER_RUN;
    case GIVE_COLON:
        *run_out = STR(":");
        f->state = IN_FIELD;
        return HEADER_RUN;
    case GIVE_END: f->state = GIVE_HELD; return HEADER_END;
    case GIVE_BREAK: f->state = GIVE_EMPTY; return HEADER_END;
    case GIVE_EMPTY:
        *run_out = STR("\r\n");
        f->state = f->held > 0 ? GIVE_HELD : IN_BODY;
        return HEADER_RUN;
    case GIVE_HELD:
        *run_out = str_from(f->hold, f->held);
        f->state = IN_BODY;
        return HEADER_RUN;
    default: return HEADER_MORE;
    }
}

enum header_event
header_filter(struct header_filter *f, struct scan *in, struct str *run_out)
{
    ASSERT(f != NULL && in != NULL);
    for (;;) {
        enum header_event event = give(f, run_out);

        if (event != HEADER_MORE)
            return event;
        if (in->pos == in->end)
            return HEADER_MORE;
        const char *from = in->pos;
        bool header = f->state != IN_BODY;
        bool ready = take(f, in, run_out);
        if (header)
            f->bytes += (uint64_t)(in->pos - from);
        if (ready && run_out->len > 0)
            return HEADER_RUN;
    }
}

/* What is still held can only be a line without its end: body, unless nothing is held at all. */
enum header_event
header_filter_end(struct header_filter *f, struct str *run_out)
{
    ASSERT(f != NULL);
    if (f->state < GIVE_NAME) {
        if (f->state != IN_NAME && f->state != IN_SPACES)
            f->held = 0;
        f->at = HEADER_OTHER;
        f->state = GIVE_BREAK;
    }
    return give(f, run_out);
}
