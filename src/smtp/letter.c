/* letter.c - see letter.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "smtp/letter.h"

#include "mail/header.h"

enum status
letter_too_large(struct letter *l, enum status st)
{
    if (st == ERR_LIMIT)
        l->s->mail.body->failed = ERR_LIMIT;
    return st;
}

/* The header with its empty line, as far as there is one. */
static SUSPENDS enum status
read_block(struct letter *l, struct str *out)
{
    AUTO_BUF b = BUF(LIMIT_HEADER_BYTES + LETTER_PIECE);

    for (;;) {
        AUTO_ARENA *a = arena_new(2 * (size_t)LETTER_PIECE);
        struct str piece;
        TRY(smtp_body_read(l->body, b.len, LETTER_PIECE, a, &piece));
        buf_add(&b, piece);
        size_t n = header_block_len(buf_str(&b));
        if (n < b.len || piece.len == 0) {
            l->at = n;
            *out = arena_str(l->arena, str_sub(buf_str(&b), 0, n));
            return n <= LIMIT_HEADER_BYTES ? OK : ERR_LIMIT;
        }
        if (b.len > LIMIT_HEADER_BYTES)
            return ERR_LIMIT;
    }
}

enum status
letter_read(struct letter *l)
{
    struct str block;

    enum status st = read_block(l, &block);
    if (st == OK)
        st = fields_read(block, true, l->arena, &l->fields);
    return st == OK ? OK : letter_too_large(l, st);
}

uint64_t
letter_size(const struct letter *l)
{
    uint64_t n = l->fields.ended || l->changed ? 2 : 0;

    for (size_t i = 0; i < l->fields.count; i++)
        n += l->fields.at[i].whole.len;
    return n + (l->body->size + l->body->prefix - l->at);
}

static SUSPENDS enum status
write_letter(struct letter *l, struct smtp_body *out)
{
    for (size_t i = 0; i < l->fields.count; i++)
        smtp_body_put(out, l->fields.at[i].whole);
    if (l->fields.ended || l->changed)
        smtp_body_put(out, STR("\r\n"));
    for (uint64_t at = l->at; out->failed == OK;) {
        AUTO_ARENA *a = arena_new(2 * (size_t)LETTER_PIECE);
        struct str piece;
        TRY(smtp_body_read(l->body, at, LETTER_PIECE, a, &piece));
        if (piece.len == 0)
            break;
        at += piece.len;
        smtp_body_put(out, piece);
    }
    out->complete = true;
    return smtp_body_finish(out);
}

/* A small one that nobody changed stays as it is; a large one is in a spool, which cannot be delivered. */
enum status
letter_renew(struct letter *l, bool spool)
{
    struct smtp_body *now = l->s->mail.body;

    if ((now->handle == 0 || spool) && !l->fields.changed && !l->changed)
        return OK;
    struct smtp_body *out =
        smtp_body_new(now->store, STR_NONE, smtp_world->config->message_bytes_max, NULL);
    if (spool)
        smtp_body_spool(out);
    enum status st = write_letter(l, out);
    letter_release(l);
    l->body = out;
    l->s->mail.body = out;
    out->failed = st;
    smtp_body_free(&now);
    return st;
}

void
letter_release(struct letter *l)
{
    smtp_body_free(&l->renewed);
    if (l->body != l->s->mail.body)
        smtp_body_free(&l->body);
}
