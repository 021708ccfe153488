/* service.h - what a listener speaks.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef CONFIG_SERVICE_H
#define CONFIG_SERVICE_H

#include <stdbool.h>

enum service {
    SERVICE_SMTP,        /* 25: STARTTLS offered */
    SERVICE_SUBMISSION,  /* 587: STARTTLS before AUTH */
    SERVICE_SUBMISSIONS, /* 465: TLS from the start */
    SERVICE_IMAP,        /* 143: STARTTLS before login */
    SERVICE_IMAPS,       /* 993 */
    SERVICE_POP3,        /* 110: STLS before login */
    SERVICE_POP3S,       /* 995 */
    SERVICE_LMTP,        /* RFC 2033: mail for here from a mail server of ours; no usual port */
    SERVICE_SENDMAIL,    /* a Unix socket alone: who calls is known, and need not log in */
    SERVICE_API,     /* the JSON API of administrators: a Unix socket, or loopback with a token */
    SERVICE_METRICS, /* figures for Prometheus */
};
#define SERVICE_COUNT (SERVICE_METRICS + 1)
const char *service_name(enum service s); /* "smtp", "submission" ... as in the text */
bool service_is_tls(enum service s);      /* TLS from the first byte */
bool service_is_unix(enum service s);     /* on Unix sockets alone */
bool service_of_mx(enum service s);       /* served by role mx */
bool service_of_api(enum service s);      /* by role api; those of neither by role user */

#endif
