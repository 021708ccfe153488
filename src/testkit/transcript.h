/* transcript.h - plays conversations between clients and a real server over loopback, for tests.
 *
 * A transcript is a file of lines:
 *    C: text       the client sends text and CRLF          C-: text     without CRLF
 *    S: pattern    the server's next line; "..." in it stands for any text
 *    S-end         the server has closed                   F: directive for the fake store (fake_store.h)
 *    C-tls         the client begins TLS                   C-end        the client ends its side
 *    2C: 2S: ...   the same for another client, up to 9; each is connected when it first speaks or listens
 *    Nx C: text    ... N times; also before other lines    # text       a comment
 * Words in the first line, a comment, change how it is played:
 *    once          it does not work byte by byte           tls          the server has a certificate
 *    delay         a pause between log-ins by POP3
 *    strict        no log-in without TLS, from loopback either
 *    oauth         tokens are log-ins: "good.token" is u's
 * Escapes in client text: \r \n \\ and \x00; \*NxC repeats character C N times, \*Nx{TEXT} a text.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTKIT_TRANSCRIPT_H
#define TESTKIT_TRANSCRIPT_H

#include "testkit/fake_store.h"

/* The whole of a test program: plays every file that fits the pattern, as it stands and byte by byte.
 * Fails the test with file and line. */
int transcript_main(const char *pattern, const struct fake_protocol *p);

#endif
