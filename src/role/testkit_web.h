/* testkit_web.h - an HTTPS server in the loop of a test: whatever is asked, it gives the one answer that is set.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef ROLE_TESTKIT_WEB_H
#define ROLE_TESTKIT_WEB_H

#include "base/testing.h"
#include "rt/fiber.h"
#include "rt/tls_testing.h"

struct web {
    struct str answer; /* then it closes; empty: it says nothing, and waits */
    uint16_t port;     /* on 127.0.0.1 */
    uint32_t asked;
    char request[512]; /* the last one, its lines joined by "|" */
};
extern struct web web;

/* Inside a loop.  NULL: in clear, and it speaks first. */
void web_begin(const struct test_identity *id);
SUSPENDS void web_end(void);
/* Its certificate has these names, as OpenSSL writes them ("DNS:a.example,DNS:b.example"), and is its own authority. */
void web_identity(struct test_identity *id, const char *names);

#endif
