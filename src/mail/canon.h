/* canon.h - DKIM: canonical bodies and headers, and the signature field around a signature made elsewhere
 * (RFC 6376 section 3.4, 3.5, 5.4).
 *
 * Signing:   hash the runs of canon_body(); dkim_header_write() with that hash; hash dkim_header_input(); sign;
 *            dkim_header_finish().  What dkim_header_write() and _finish() wrote stands before the message.
 * Promises:  runs point into the chunk or at constants; nothing is copied.  The split of the body into chunks
 *            does not matter.
 * Never:     hashes, signs or verifies.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef MAIL_CANON_H
#define MAIL_CANON_H

#include "base/arena.h"
#include "base/scan.h"
#include "base/time.h"

enum canon_kind { CANON_SIMPLE, CANON_RELAXED };
enum canon_event {
    CANON_MORE, /* the chunk is used up */
    CANON_RUN,  /* *run_out holds bytes to hash; call again */
};

struct canon_body {
    enum canon_kind kind;
    uint64_t size; /* bytes handed out */
    /* Below: private. */
    uint64_t breaks; /* line breaks held back: they count only if text follows */
    bool space;      /* relaxed: white space held back */
    bool cr;         /* a CR held back */
    bool ended;
};
void canon_body_init(struct canon_body *c, enum canon_kind kind);
/* CRLF ends lines; bare CR and LF pass as they are. */
enum canon_event canon_body(struct canon_body *c, struct scan *in, struct str *run_out);
/* After the last chunk: call until CANON_MORE. */
enum canon_event canon_body_end(struct canon_body *c, struct str *run_out);

/* One field, name to final line end, in canonical form with CRLF. */
void canon_header(struct buf *b, enum canon_kind kind, struct str whole);

struct dkim_signature {
    struct str algorithm; /* "rsa-sha256" or "ed25519-sha256" */
    struct str domain;    /* d=, in normal form */
    struct str selector;  /* s= */
    struct str body_hash; /* raw bytes */
    struct instant time;  /* t= */
};
/* What of the header is signed: names for h=, separated by colons.  From, To, Cc, Subject, Date, Reply-To,
 * Message-ID, MIME-Version and Content-Type are named once more than they occur, so that none can be added;
 * fields of replies and lists are named when they are there, List-Unsubscribe and its -Post once more than that. */
void dkim_names_write(struct str header, struct arena *a, struct buf *names);
/* The field with an empty b=, without its line end.  s.domain and s.selector are of dot-atom bytes. */
void dkim_header_write(struct buf *b, const struct dkim_signature *s, struct str names);
/* The exact bytes to hash: the named fields from the bottom up (RFC 6376 section 5.4.2), then unsigned_field
 * as dkim_header_write() made it. */
void dkim_header_input(struct str header, struct str names, struct str unsigned_field,
                       struct buf *out);
/* Completes the field with the signature in base64, folded, and CRLF. */
void dkim_header_finish(struct buf *b, struct str signature);

#endif
