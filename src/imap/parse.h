/* parse.h - the grammar of commands: every scanner takes its limit and consumes nothing on failure.
 *
 * Literals stand in the gathered command as "{n}" CRLF and n bytes, so a string is a slice wherever it
 * was, but for quoted ones with escapes, which are copied to the arena.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAP_PARSE_H
#define IMAP_PARSE_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/scan.h"
#include "base/time.h"
#include "imap/box.h"

bool imap_scan_sp(struct scan *s);
bool imap_scan_end(struct scan *s); /* nothing is left but blanks */
bool imap_scan_tag(struct scan *s, struct str *out);
bool imap_scan_atom(struct scan *s, struct str *out);
bool imap_scan_string(struct scan *s, struct arena *a, struct str *out);  /* quoted or literal */
bool imap_scan_nstring(struct scan *s, struct arena *a, struct str *out); /* NIL: ptr = NULL */
bool imap_scan_astring(struct scan *s, struct arena *a, struct str *out);
/* astring, modified UTF-7 (or plain UTF-8) to a UTF-8 name; INBOX in any case becomes "INBOX"; a final separator is
 * dropped.  False also for names that can be no mailbox. */
bool imap_scan_mailbox(struct scan *s, struct arena *a, struct str *out);
bool imap_scan_list_mailbox(struct scan *s, struct arena *a,
                            struct str *out); /* may hold % and * */
/* {n}, {n+} at the end of a line: what the session must read next. */
struct imap_literal {
    uint64_t size;
    bool sync; /* wants a "+" first */
};
bool imap_literal_at_end(struct str line, struct imap_literal *out);

/* sequence-set: numbers as written; "*", which is no number, is IMAP_STAR until resolved.  At most 65,536 ranges. */
#define IMAP_STAR 0u
struct imap_range {
    uint32_t first, last; /* first <= last once resolved */
};
struct imap_set {
    struct imap_range *at;
    size_t count;
    bool saved; /* "$", RFC 5182 */
};
bool imap_scan_set(struct scan *s, struct arena *a, struct imap_set *out);
bool imap_set_has_star(const struct imap_set *set); /* before it is resolved */
/* Sorts, joins, puts largest for "*".  Ranges are disjoint and ascending afterwards. */
void imap_set_resolve(struct imap_set *set, uint32_t largest);
bool imap_set_has(const struct imap_set *set, uint32_t n); /* resolved sets; binary search */

/* flag-list or bare flags: system flags as bits, keywords as words. */
struct imap_flags {
    uint32_t system;
    struct str *keywords;
    size_t keyword_count;
};
bool imap_scan_flags(struct scan *s, struct arena *a, struct imap_flags *out);
bool imap_scan_date(struct scan *s, struct civil *out);        /* dd-mmm-yyyy, quoted or not */
bool imap_scan_date_time(struct scan *s, struct instant *out); /* quoted */

/* modified UTF-7 both ways (RFC 3501 section 5.1.3). */
MUST_USE enum status imap_utf7_decode(struct str s, struct buf *utf8_out);
void imap_utf7_encode(struct str utf8, struct buf *out);
/* LIST patterns over UTF-8 names with "/" between levels: at most pattern times name, no recursion.  INBOX as the first
 * level matches in any case. */
bool imap_match(struct str pattern, struct str name);

#endif
