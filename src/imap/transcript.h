/* transcript.h - plays conversations between clients and the real server over loopback, for tests.
 *
 * A transcript is a file of lines:
 *    C: text       the client sends text and CRLF          C-: text     without CRLF
 *    S: pattern    the server's next line; "..." in it stands for any text
 *    S-end         the server has closed                   F: directive for the fake store (fake_store.h)
 *    2C: 2S: ...   the same for another client, up to 9; each is connected when it first speaks or listens
 *    # text        a comment; "# once" in the first line: does not work byte by byte
 * Escapes in client text: \r \n \\ and \x00; \*NxC repeats character C N times.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef IMAP_TRANSCRIPT_H
#define IMAP_TRANSCRIPT_H

#include "base/str.h"

/* Plays all of it; fails the test with file and line.  bytewise: every byte is a packet of its own. */
void transcript_play(const char *name, struct str text, bool bytewise);

#endif
