/* body.c - the pieces of a message, their filter and their way into the store.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/body.h"

#include "base/limits.h"
#include "base/mem.h"
#include "base/size.h"
#include "ipc/store_ipc.h"
#include "mail/address_list.h"

static SUSPENDS void feed_lines(struct smtp_body *b, struct scan *in);
static SUSPENDS void take_run(struct smtp_body *b, struct str run);
static SUSPENDS void pass_on(struct smtp_body *b, struct str run);
static SUSPENDS void keep(struct smtp_body *b, struct str run);
static SUSPENDS void keep_folded(struct smtp_body *b, struct str run);
static SUSPENDS enum status send_piece(struct smtp_body *b);
static SUSPENDS void filter_run(struct smtp_body *b, struct str run);
static SUSPENDS void keep_field(struct smtp_body *b, struct str run);
static SUSPENDS void end_from(struct smtp_body *b);
static bool names_somebody(struct str block);
static SUSPENDS void add_missing_fields(struct smtp_body *b);

struct smtp_body *
smtp_body_new(struct ipc_peer *store, struct str prefix, uint64_t size_max,
              const struct smtp_body_fields *fields)
{
    struct smtp_body *b = MEM_NEW(struct smtp_body);

    b->store = store;
    if (store != NULL)
        ipc_ref(store);
    b->size_max = size_max;
    buf_init(&b->piece, BODY_PIECE_MAX);
    buf_add(&b->piece, prefix);
    b->prefix = prefix.len;
    b->filtered = fields != NULL;
    line_decoder_init(&b->lines, b->filtered ? LINE_NORMALISE : LINE_REFUSE);
    if (fields != NULL) {
        b->add = *fields;
        header_filter_init(&b->filter);
        buf_init(&b->from, LIMIT_WRITERS_BYTES);
        buf_init(&b->writers, 2 * LIMIT_WRITERS_BYTES);
    }
    return b;
}

void
smtp_body_count(struct smtp_body *b)
{
    line_decoder_init_counted(&b->lines, b->lines.policy);
}

void
smtp_body_mend(struct smtp_body *b)
{
    line_decoder_init_counted(&b->lines, LINE_NORMALISE);
}

void
smtp_body_binary(struct smtp_body *b)
{
    ASSERT(b->unbinary == NULL);
    smtp_body_count(b);
    b->unbinary = MEM_NEW(struct unbinary);
    unbinary_init(b->unbinary);
}

void
smtp_body_spool(struct smtp_body *b)
{
    b->spool = true;
}

void
smtp_body_guard(struct smtp_body *b, struct str host)
{
    ASSERT(!b->guarded);
    b->guarded = true;
    forged_init(&b->forged, host);
}

void
smtp_body_put(struct smtp_body *b, struct str bytes)
{
    keep(b, bytes);
}

enum status
smtp_body_read(const struct smtp_body *b, uint64_t offset, uint32_t max, struct arena *a,
               struct str *out)
{
    struct store_blob_read ask = {.handle = b->handle, .offset = offset, .max = max};
    struct store_blob_read_reply got;

    if (b->handle == 0) {
        *out = str_sub(buf_str(&b->piece), (size_t)MIN(offset, (uint64_t)b->piece.len), max);
        return OK;
    }
    TRY(store_blob_read_call(b->store, &ask, a, &got));
    *out = got.bytes;
    return OK;
}

void
smtp_body_free(struct smtp_body **b)
{
    if (*b == NULL)
        return;
    if ((*b)->handle != 0) {
        struct store_blob_drop drop = {.handle = (*b)->handle};
        if (store_blob_drop_note((*b)->store, &drop) != OK) {
            /* The channel is gone, and the handle with it. */
        }
    }
    if ((*b)->store != NULL)
        ipc_unref((*b)->store);
    if ((*b)->unbinary != NULL)
        unbinary_release((*b)->unbinary);
    mem_free((*b)->unbinary);
    if ((*b)->guarded)
        forged_release(&(*b)->forged);
    buf_release(&(*b)->piece);
    buf_release(&(*b)->from);
    buf_release(&(*b)->writers);
    mem_free(*b);
    *b = NULL;
}

void
smtp_body_taken(struct smtp_body *b)
{
    b->handle = 0;
}

void
smtp_body_feed(struct smtp_body *b, struct scan *in)
{
    struct str run;

    ASSERT(!b->complete);
    if (b->unbinary == NULL) {
        feed_lines(b, in);
        return;
    }
    while (unbinary_next(b->unbinary, in, &run)) {
        struct scan lines = scan_of(run);
        feed_lines(b, &lines);
    }
}

void
smtp_body_last(struct smtp_body *b)
{
    ASSERT(!b->complete);
    if (b->unbinary != NULL) {
        struct scan lines = scan_of(unbinary_end(b->unbinary));
        feed_lines(b, &lines);
    }
    struct str tail = line_decode_end(&b->lines);
    if (tail.len > 0)
        take_run(b, tail);
    b->complete = true;
}

enum status
smtp_body_fault(const struct smtp_body *b)
{
    if (b->failed == OK && b->unbinary != NULL && b->unbinary->fault != UNBINARY_FINE)
        return ERR_SYNTAX;
    return b->failed == OK && b->lines.faults != 0 && b->lines.policy == LINE_REFUSE ? ERR_SYNTAX
                                                                                     : b->failed;
}

enum status
smtp_body_finish(struct smtp_body *b)
{
    struct str run;

    ASSERT(b->complete);
    while (b->guarded && forged_end(&b->forged, &run))
        pass_on(b, run);
    if (b->filtered) {
        for (enum header_event e; (e = header_filter_end(&b->filter, &run)) != HEADER_MORE;) {
            if (e == HEADER_RUN)
                keep_field(b, run);
            else
                add_missing_fields(b);
        }
        if (b->failed == OK && buf_status(&b->writers) != OK)
            b->failed = ERR_LIMIT;
        if (b->failed == OK && b->filter.fields > LIMIT_HEADER_FIELDS)
            b->failed = ERR_LIMIT;
    }
    b->failed = smtp_body_fault(b);
    if (b->failed == OK && b->handle != 0 && b->piece.len > 0)
        b->failed = send_piece(b);
    return b->failed;
}

/* ---- statics ---- */

static void
feed_lines(struct smtp_body *b, struct scan *in)
{
    struct str run;

    for (;;) {
        switch (line_decode(&b->lines, in, &run)) {
        case LINE_MORE: return;
        case LINE_RUN: take_run(b, run); break;
        case LINE_END: b->complete = true; return;
        }
    }
}

/* What is taken out counts, too: a message without end has one. */
static void
take_run(struct smtp_body *b, struct str run)
{
    struct scan in = scan_of(run);
    struct str kept;

    if (!b->guarded) {
        pass_on(b, run);
        return;
    }
    while (forged_next(&b->forged, &in, &kept))
        pass_on(b, kept);
    if (b->failed == OK && b->size + b->forged.bytes > b->size_max)
        b->failed = ERR_LIMIT;
}

static void
pass_on(struct smtp_body *b, struct str run)
{
    if (b->filtered)
        filter_run(b, run);
    else
        keep(b, run);
}

static void
keep(struct smtp_body *b, struct str run)
{
    if (b->failed != OK)
        return;
    b->size += run.len;
    if (b->size > b->size_max) {
        b->failed = ERR_LIMIT;
        return;
    }
    while (run.len > 0) {
        size_t room = BODY_PIECE_MAX - b->piece.len;
        if (room == 0) {
            b->failed = send_piece(b);
            if (b->failed != OK)
                return;
            continue;
        }
        struct str part = str_sub(run, 0, room);
        buf_add(&b->piece, part);
        run = str_skip(run, part.len);
    }
}

static void
keep_folded(struct smtp_body *b, struct str run)
{
    struct scan in = scan_of(run);
    struct str line;

    while (fold_next(&b->fold, &in, &line))
        keep(b, line);
}

static SUSPENDS enum status
open_handle(struct smtp_body *b, struct arena *a)
{
    struct store_blob_open open = {.size_hint = 0, .spool = b->spool};
    struct store_blob_open_reply opened;

    TRY(store_blob_open_call(b->store, &open, a, &opened));
    b->handle = opened.handle;
    return OK;
}

static enum status
send_piece(struct smtp_body *b)
{
    AUTO_ARENA *a = arena_new(16384);
    struct store_blob_add_reply added;

    if (b->handle == 0)
        TRY(open_handle(b, a));
    struct store_blob_add add = {.handle = b->handle, .bytes = buf_str(&b->piece)};
    TRY(store_blob_add_call(b->store, &add, a, &added));
    buf_reset(&b->piece);
    return OK;
}

static void
filter_run(struct smtp_body *b, struct str run)
{
    struct scan in = scan_of(run);
    struct str out;

    for (;;) {
        switch (header_filter(&b->filter, &in, &out)) {
        case HEADER_MORE: return;
        case HEADER_RUN: keep_field(b, out); break;
        case HEADER_END: add_missing_fields(b); break;
        }
    }
}

static void
keep_field(struct smtp_body *b, struct str run)
{
    if (b->filter.at == HEADER_FROM) {
        buf_add(&b->from, run);
        return;
    }
    end_from(b);
    if (b->filter.at == HEADER_SENDER)
        buf_add(&b->writers, run);
    keep_folded(b, run);
}

/* In its place; one that names nobody is the same as none. */
static void
end_from(struct smtp_body *b)
{
    if (b->from.len == 0 && !b->from.over)
        return;
    struct str field = buf_str(&b->from);
    if (buf_status(&b->from) != OK && b->failed == OK)
        b->failed = ERR_LIMIT;
    if (b->add.from.len > 0 && !names_somebody(field))
        field = b->add.from;
    buf_add(&b->writers, field);
    keep_folded(b, field);
    buf_reset(&b->from);
}

static bool
names_somebody(struct str block)
{
    AUTO_ADDRESS_CURSOR c = {0};
    struct header_cursor fields = header_cursor_of(block);
    struct header_field f;
    struct address at;

    while (header_next_named(&fields, STR("From"), &f)) {
        address_cursor_release(&c);
        address_cursor_init(&c, f.value);
        while (address_next(&c, &at))
            if (at.kind == ADDRESS_MAILBOX && at.host.len > 0)
                return true;
    }
    return false;
}

static void
add_missing_fields(struct smtp_body *b)
{
    end_from(b);
    if (!header_filter_saw(&b->filter, HEADER_FROM)) {
        buf_add(&b->writers, b->add.from);
        keep(b, b->add.from);
    }
    if (!header_filter_saw(&b->filter, HEADER_DATE))
        keep(b, b->add.date);
    if (!header_filter_saw(&b->filter, HEADER_MESSAGE_ID))
        keep(b, b->add.message_id);
}
