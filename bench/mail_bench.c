/* mail_bench.c - what the parsers of src/mail cost in CPU time: MB/s of streams, us per message.
 *
 * Run:       build/mail_bench [seconds per figure]
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/size.h"
#include "mail/address_list.h"
#include "mail/canon.h"
#include "mail/charset.h"
#include "mail/fold.h"
#include "mail/header_filter.h"
#include "mail/line.h"
#include "mail/record.h"
#include "mail/sort_entry.h"

static double seconds_per_figure = 0.5;

static double
now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* What is measured: one call works on the whole of in and returns something that depends on it. */
enum work {
    DECODE_LINES,
    ENCODE_LINES,
    FILTER_HEADER,
    CANON_BODY,
    DECODE_BASE64,
    PARSE_MIME,
    PARSE_ADDRESSES,
    MAKE_RECORD,
    OPEN_RECORD,
    PRINT_RECORD,
};

struct bench {
    struct str in;
    struct str record;
    struct arena *arena;
    struct buf out;
};

static uint64_t
run_lines(struct bench *b, enum work w)
{
    struct line_decoder d;
    struct line_encoder e;
    struct scan s = scan_of(b->in);
    struct str run;
    uint64_t sum = 0;

    line_decoder_init(&d, LINE_REFUSE);
    line_encoder_init(&e);
    if (w == DECODE_LINES)
        while (line_decode(&d, &s, &run) == LINE_RUN)
            sum += run.len;
    else
        while (line_encode(&e, &s, &run) == LINE_RUN)
            sum += run.len;
    return sum;
}

static uint64_t
run_streams(struct bench *b, enum work w)
{
    struct header_filter f;
    struct canon_body c;
    struct transfer_decoder t;
    struct scan s = scan_of(b->in);
    struct str run = STR_NONE;
    uint64_t sum = 0;

    if (w == FILTER_HEADER) {
        header_filter_init(&f);
        while (header_filter(&f, &s, &run) != HEADER_MORE)
            sum += run.len;
    } else if (w == CANON_BODY) {
        canon_body_init(&c, CANON_RELAXED);
        while (canon_body(&c, &s, &run) == CANON_RUN)
            sum += run.len;
    } else {
        buf_reset(&b->out);
        transfer_decoder_init(&t, TRANSFER_BASE64);
        transfer_decode(&t, b->in, &b->out);
        sum = b->out.len;
    }
    return sum;
}

static uint64_t
run_addresses(struct bench *b)
{
    struct address_cursor c;
    struct address a;
    uint64_t sum = 0;

    address_cursor_init(&c, b->in);
    while (address_next(&c, &a))
        sum += a.mailbox.len;
    address_cursor_release(&c);
    return sum;
}

static uint64_t
run_record(struct bench *b, enum work w)
{
    struct mime_tree t;
    struct record r;

    if (w == PARSE_MIME || w == MAKE_RECORD) {
        arena_reset(b->arena);
        mime_parse(b->in, b->arena, &t);
        if (w == PARSE_MIME)
            return t.count;
        buf_reset(&b->out);
        if (record_write(b->in, &t, b->arena, &b->out) != OK ||
            record_open(buf_str(&b->out), &r) != OK)
            abort();
        sort_entry_write(&r, (struct instant){0}, &b->out);
        return b->out.len;
    }
    if (record_open(b->record, &r) != OK)
        abort();
    if (w == OPEN_RECORD)
        return r.part_count;
    buf_reset(&b->out);
    if (record_envelope_write(&r, &b->out) != OK ||
        record_bodystructure_write(&r, true, &b->out) != OK)
        abort();
    return b->out.len;
}

static uint64_t
work_once(struct bench *b, enum work w)
{
    switch (w) {
    case DECODE_LINES:
    case ENCODE_LINES: return run_lines(b, w);
    case FILTER_HEADER:
    case CANON_BODY:
    case DECODE_BASE64: return run_streams(b, w);
    case PARSE_ADDRESSES: return run_addresses(b);
    default: return run_record(b, w);
    }
}

static void
measure(const char *name, struct bench *b, enum work w)
{
    uint64_t sum = work_once(b, w);
    uint64_t times = 0;
    double start = now();
    double took = 0;

    do {
        for (int i = 0; i < 16; i++)
            sum += work_once(b, w);
        times += 16;
        took = now() - start;
    } while (took < seconds_per_figure);
    printf("%-44s %9.2f us %9.0f MB/s\n", name, took / (double)times * 1e6,
           (double)b->in.len * (double)times / took / 1e6);
    if (sum == 0)
        printf("(nothing was done)\n");
}

static void
add_text(struct buf *b, size_t size)
{
    while (b->len < size)
        buf_add(b,
                STR("The quick brown fox jumps over the lazy dog, and the dog does not mind.\r\n"));
}

static void
add_base64(struct buf *b, size_t size)
{
    while (b->len < size)
        buf_add(b,
                STR("VGhlIHF1aWNrIGJyb3duIGZveCBqdW1wcyBvdmVyIHRoZSBsYXp5IGRvZywgYW5kIHRoZSBkb2cg"
                    "\r\n"));
}

/* A usual small message: 14 fields, two alternatives. */
static void
add_small_message(struct buf *b)
{
    buf_add(b, STR("Return-Path: <anna@example.org>\r\n"
                   "Received: from mail.example.org (mail.example.org [192.0.2.1])\r\n"
                   " by mx.example.net with ESMTPS (TLSv1.3 cipher TLS_AES_256_GCM_SHA384)\r\n"
                   " id 4f1a9c2d; Mon, 23 Nov 2026 22:31:12 +0000\r\n"
                   "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.org; s=s1;\r\n"
                   " h=from:to:subject:date:message-id; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkf"
                   "JVOzv8=;\r\n b=dzdVyOfAKCdLXdJOc9G2q8LoXSlEniSbav+yuU4zGeeruD00lszZVoG4ZHRNiYzR"
                   "\r\n"
                   "From: =?utf-8?Q?J=C3=BCrgen?= Anna <anna@example.org>\r\n"
                   "To: \"Bob, B.\" <bob@example.net>, carol@example.net\r\n"
                   "Cc: Dave <dave@example.com>\r\n"
                   "Subject: Re: [list] =?utf-8?B?R3LDvMOfZSBhdXMgS8O2bG4=?=\r\n"
                   "Date: Mon, 23 Nov 2026 22:31:12 +0000\r\n"
                   "Message-ID: <20261123223112.1234@example.org>\r\n"
                   "In-Reply-To: <20261122.1@example.net>\r\n"
                   "References: <20261121.1@example.org> <20261122.1@example.net>\r\n"
                   "MIME-Version: 1.0\r\n"
                   "Content-Type: multipart/alternative; boundary=\"=_b1\"\r\n\r\n"
                   "--=_b1\r\nContent-Type: text/plain; charset=utf-8\r\n"
                   "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
                   "Gr=C3=BC=C3=9Fe aus K=C3=B6ln, und bis bald!\r\n"));
    add_text(b, b->len + 300);
    buf_add(b, STR("--=_b1\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>Hello</p>\r\n"));
    add_text(b, 1990);
    buf_add(b, STR("--=_b1--\r\n"));
}

int
main(int argc, char **argv)
{
    AUTO_BUF text = BUF(4 << 20);
    AUTO_BUF base64 = BUF(4 << 20);
    AUTO_BUF message = BUF(4 << 20);
    AUTO_BUF small = BUF(1 << 20);
    AUTO_BUF list = BUF(4 << 20);
    AUTO_BUF record = BUF(RECORD_MAX);
    struct bench b = {.arena = arena_new(4 * MIME_ARENA_MAX), .out = BUF(4 << 20)};
    struct mime_tree t;

    if (argc > 1)
        seconds_per_figure = strtod(argv[1], NULL);
    charset_preload();
    fold_preload();
    add_text(&text, 1 << 20);
    add_base64(&base64, 1 << 20);
    buf_add(&message,
            STR("Subject: s\r\nContent-Type: multipart/mixed; boundary=\"=_b\"\r\n\r\n--=_b\r\n"
                "Content-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"));
    add_base64(&message, 1 << 20);
    buf_add(&message, STR("--=_b--\r\n"));
    add_small_message(&small);
    while (list.len < 1 << 20)
        buf_add(&list, STR("\"Bob, B.\" <bob@example.net>, carol@example.net (Carol),\r\n "));

    b.in = buf_str(&text);
    measure("SMTP DATA decoder, 1 MiB text", &b, DECODE_LINES);
    measure("dot-stuffing encoder, 1 MiB text", &b, ENCODE_LINES);
    measure("DKIM relaxed body, 1 MiB text", &b, CANON_BODY);
    b.in = buf_str(&base64);
    measure("SMTP DATA decoder, 1 MiB base64", &b, DECODE_LINES);
    measure("base64 decoder, 1 MiB", &b, DECODE_BASE64);
    b.in = buf_str(&list);
    measure("address list, 1 MiB (at most 10,000)", &b, PARSE_ADDRESSES);
    b.in = buf_str(&message);
    measure("MIME tree, 1 MiB base64 body", &b, PARSE_MIME);
    measure("record and sort entry, 1 MiB base64 body", &b, MAKE_RECORD);
    b.in = buf_str(&small);
    printf("small message: %zu bytes\n", small.len);
    measure("submission header filter, small message", &b, FILTER_HEADER);
    measure("MIME tree, small message", &b, PARSE_MIME);
    measure("tree, record and sort entry, small message", &b, MAKE_RECORD);
    arena_reset(b.arena);
    mime_parse(b.in, b.arena, &t);
    if (record_write(b.in, &t, b.arena, &record) != OK)
        return 1;
    b.record = buf_str(&record);
    measure("open record, small message", &b, OPEN_RECORD);
    measure("open, ENVELOPE, BODYSTRUCTURE", &b, PRINT_RECORD);
    printf("record of the small message: %zu bytes\n", record.len);
    buf_release(&b.out);
    arena_free(&b.arena);
    return 0;
}
