/* service.c - the services that a listen line can name, and who serves them.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "config/config.h"

static const char *const service_names[SERVICE_COUNT] = {
    [SERVICE_SMTP] = "smtp",
    [SERVICE_SUBMISSION] = "submission",
    [SERVICE_SUBMISSIONS] = "submissions",
    [SERVICE_IMAP] = "imap",
    [SERVICE_IMAPS] = "imaps",
    [SERVICE_POP3] = "pop3",
    [SERVICE_POP3S] = "pop3s",
    [SERVICE_LMTP] = "lmtp",
    [SERVICE_SENDMAIL] = "sendmail",
    [SERVICE_API] = "api",
    [SERVICE_METRICS] = "metrics",
};

const char *
service_name(enum service s)
{
    ASSERT(s < SERVICE_COUNT);
    return service_names[s];
}

bool
service_is_tls(enum service s)
{
    return s == SERVICE_SUBMISSIONS || s == SERVICE_IMAPS || s == SERVICE_POP3S;
}

bool
service_is_unix(enum service s)
{
    return s == SERVICE_SENDMAIL;
}

bool
service_of_mx(enum service s)
{
    return s == SERVICE_SMTP || s == SERVICE_LMTP;
}

bool
service_of_api(enum service s)
{
    return s == SERVICE_API || s == SERVICE_METRICS;
}

bool
config_has_api(const struct config *c)
{
    for (size_t i = 0; i < c->listen_count; i++) {
        if (service_of_api(c->listen[i].service))
            return true;
    }
    return false;
}
