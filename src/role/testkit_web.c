/* testkit_web.c - see testkit_web.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/testkit_web.h"

#include <netinet/in.h>
#include <openssl/ec.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "rt/conn.h"

enum { LINE_MAX_BYTES = 400 };

struct web web;
static struct listener listening;

static SUSPENDS void *
opened(struct conn *c)
{
    conn_line_max(c, LINE_MAX_BYTES);
    conn_rest(c, REST_LINE);
    web.request[0] = '\0';
    if (!conn_is_tls(c) && conn_write(c, STR("220 no TLS here\r\n")) != OK)
        return NULL;
    return c;
}

static void
note(struct str line)
{
    AUTO_BUF joined = BUF(sizeof(web.request) - 1);

    buf_addf(&joined, "%s%.*s|", web.request, STR_FMT(line));
    ASSERT(buf_status(&joined) == OK &&
           str_to_z(buf_str(&joined), web.request, sizeof(web.request)));
}

static SUSPENDS void
wake(void *session, enum wake why)
{
    struct conn *c = session;
    struct str line;

    while (why == WAKE_INPUT && conn_line(c, &line) == OK) {
        if (line.len > 0) {
            note(line);
            continue;
        }
        web.asked++;
        if (web.answer.len == 0)
            break;
        if (conn_write(c, web.answer) == OK)
            conn_close(c);
        return;
    }
    if (why == WAKE_INPUT)
        conn_rest(c, REST_LINE);
    else
        conn_close(c);
}

static void
closed(void *session)
{
    (void)session;
}

void
web_begin(const struct test_identity *id)
{
    static const struct conn_ops ops = {opened, wake, closed};
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    ASSERT(bind(fd, (struct sockaddr *)&at, sizeof(at)) == 0 && listen(fd, 16) == 0);
    ASSERT(getsockname(fd, (struct sockaddr *)&at, &len) == 0);
    listening =
        (struct listener){.fd = fd, .ops = &ops, .implicit_tls = id != NULL, .conns_max = 100};
    if (id != NULL) {
        ASSERT(tls_server_new(STR(""), NULL, NULL, &listening.tls) == OK);
        ASSERT(tls_server_set_local(listening.tls, str_of(id->cert_pem), str_of(id->key_pem)) ==
               OK);
    }
    ASSERT(listener_start(&listening) == OK);
    web = (struct web){.port = ntohs(at.sin_port)};
}

void
web_end(void)
{
    listener_stop(&listening);
    while (listener_counts(&listening).open > 0)
        ASSERT(fiber_sleep(1) == OK);
    tls_server_free(&listening.tls);
    close(listening.fd);
}

void
web_identity(struct test_identity *id, const char *names)
{
    const struct test_cert what = {.alt = names, .use = "serverAuth"};

    test_identity_signed(id, EVP_EC_gen("P-256"), &what, NULL);
}
