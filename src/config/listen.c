/* listen.c - where a service is offered: an address and port, or a Unix socket.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include <sys/un.h>

#include "base/scan.h"
#include "config/config_internal.h"

/* Only who starts the server, unless told. */
enum { SOCKET_MODE = 0600 };

static enum status
read_mode(const struct config_line *l, struct str word, uint32_t *out)
{
    uint32_t mode = 0;

    for (size_t i = 0; i < word.len; i++) {
        if (word.ptr[i] < '0' || word.ptr[i] > '7')
            return config_expected(l, word, "permissions such as 660");
        mode = mode * 8 + (uint32_t)(word.ptr[i] - '0');
    }
    if (word.len != 3)
        return config_expected(l, word, "permissions such as 660");
    *out = mode;
    return OK;
}

/* A name of the machine's tables, which boss looks up. */
static enum status
read_account(const struct config_line *l, struct str word, struct str *out)
{
    if (word.len == 0 || word.len > 32)
        return config_expected(l, word, "the name of a user or group");
    *out = arena_str(l->arena, word);
    return OK;
}

/* unix PATH [mode BITS] [owner USER] [group GROUP] */
static enum status
read_socket(const struct config_line *l, struct config_socket *s)
{
    struct sockaddr_un room;

    if (l->count < 4 || l->words[3].len >= sizeof(room.sun_path))
        return config_expected(l, l->words[l->count - 1],
                               "unix PATH, of at most 107 bytes, [mode 660] [owner USER] [group "
                               "GROUP]");
    *s = (struct config_socket){.mode = SOCKET_MODE};
    TRY(config_word_path(l, l->words[3], &s->path));
    for (size_t i = 4; i < l->count; i += 2) {
        struct str value = i + 1 < l->count ? l->words[i + 1] : STR_NONE;
        if (str_eq(l->words[i], STR("mode")))
            TRY(read_mode(l, value, &s->mode));
        else if (str_eq(l->words[i], STR("owner")))
            TRY(read_account(l, value, &s->owner));
        else if (str_eq(l->words[i], STR("group")))
            TRY(read_account(l, value, &s->group));
        else
            return config_expected(l, l->words[i], "mode BITS, owner USER or group GROUP");
    }
    return OK;
}

/* LMTP knows no stranger: who may use it is said.  Never on port 25, RFC 2033 section 5. */
static enum status
read_lmtp(const struct config_line *l, struct config_listen *out)
{
    if (l->count < 4 || !str_eq(l->words[3], STR("from")))
        return config_expected(l, l->words[l->count - 1],
                               "listen lmtp ADDRESS:PORT from NETWORK ...");
    TRY(config_word_address(l, l->words[2], &out->at));
    if (out->at.port == 25)
        return config_expected(l, l->words[2], "another port than 25 for LMTP");
    return config_word_networks(l, 4, &out->from, &out->from_count);
}

static bool
is_loopback(struct str host)
{
    struct scan s = scan_of(host);

    return scan_str(&s, STR("127.")) || str_eq(host, STR("::1"));
}

/* A token goes in the clear over TCP: this machine alone may hear it. */
static enum status
read_api(const struct config_line *l, struct config_listen *out)
{
    if (l->count != 5 || !str_eq(l->words[3], STR("token-file")))
        return config_expected(l, l->words[l->count - 1],
                               "listen api 127.0.0.1:PORT token-file FILE, or unix PATH, or none");
    TRY(config_word_address(l, l->words[2], &out->at));
    if (!is_loopback(out->at.host))
        return config_expected(l, l->words[2], "an address of loopback: the API has no TLS");
    return config_word_path(l, l->words[4], &out->token_file);
}

/* Figures are no secret, but nobody's business either. */
static enum status
read_metrics(const struct config_line *l, struct config_listen *out)
{
    TRY(config_word_address(l, l->words[2], &out->at));
    if (l->count > 3 && str_eq(l->words[3], STR("from")))
        return config_word_networks(l, 4, &out->from, &out->from_count);
    if (l->count > 3 || !is_loopback(out->at.host))
        return config_expected(l, l->words[l->count - 1],
                               "listen metrics ADDRESS:PORT, and from NETWORK ... beyond loopback");
    return OK;
}

enum status
config_listen_words(const struct config_line *l, struct config_listen *out)
{
    if (str_eq(l->words[2], STR("unix"))) {
        out->at = (struct config_address){.host = STR("")};
        return read_socket(l, &out->socket);
    }
    if (service_is_unix(out->service))
        return config_expected(l, l->words[2], "listen sendmail unix PATH mode 666");
    out->socket = (struct config_socket){.path = STR("")};
    if (out->service == SERVICE_LMTP)
        return read_lmtp(l, out);
    if (out->service == SERVICE_API)
        return read_api(l, out);
    if (out->service == SERVICE_METRICS)
        return read_metrics(l, out);
    if (l->count != 3)
        return config_expected(l, l->words[3], "nothing after listen SERVICE ADDRESS:PORT");
    return config_word_address(l, l->words[2], &out->at);
}

void
config_listen_write(const struct config_listen *l, struct buf *b)
{
    buf_addf(b, "listen %s ", service_name(l->service));
    if (l->socket.path.len == 0) {
        config_address_write(b, l->at.host, l->at.port);
        for (size_t i = 0; i < l->from_count; i++) {
            buf_add_z(b, i == 0 ? " from " : " ");
            subnet_write(&l->from[i], b);
        }
        if (l->token_file.len > 0)
            buf_addf(b, " token-file \"%.*s\"", STR_FMT(l->token_file));
    } else {
        buf_addf(b, "unix \"%.*s\" mode %03o", STR_FMT(l->socket.path), l->socket.mode);
        if (l->socket.owner.len > 0)
            buf_addf(b, " owner \"%.*s\"", STR_FMT(l->socket.owner));
        if (l->socket.group.len > 0)
            buf_addf(b, " group \"%.*s\"", STR_FMT(l->socket.group));
    }
    buf_add_char(b, '\n');
}
