/* answer.c - what goes back: whole answers, and those in parts.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/size.h"
#include "http/server.h"
#include "rt/clock.h"

enum { HEAD_BYTES = 20480, SMALL_BODY = 8192 };

static const struct {
    unsigned status;
    const char *reason;
} reasons[] = {
    {200, "OK"},
    {201, "Created"},
    {202, "Accepted"},
    {204, "No Content"},
    {304, "Not Modified"},
    {400, "Bad Request"},
    {401, "Unauthorized"},
    {403, "Forbidden"},
    {404, "Not Found"},
    {405, "Method Not Allowed"},
    {408, "Request Timeout"},
    {409, "Conflict"},
    {413, "Content Too Large"},
    {414, "URI Too Long"},
    {415, "Unsupported Media Type"},
    {417, "Expectation Failed"},
    {422, "Unprocessable Content"},
    {429, "Too Many Requests"},
    {431, "Request Header Fields Too Large"},
    {500, "Internal Server Error"},
    {501, "Not Implemented"},
    {503, "Service Unavailable"},
    {505, "HTTP Version Not Supported"},
    {507, "Insufficient Storage"},
};

const char *
http_reason(unsigned status)
{
    for (size_t i = 0; i < COUNT_OF(reasons); i++) {
        if (reasons[i].status == status)
            return reasons[i].reason;
    }
    return "Unknown";
}

void
http_header(struct http_exchange *x, const char *name, struct str value)
{
    for (size_t i = 0; i < value.len; i++)
        ASSERT((unsigned char)value.ptr[i] >= ' ' && value.ptr[i] != 0x7f);
    buf_addf(&x->headers, "%s: %.*s\r\n", name, STR_FMT(value));
}

/* IMF-fixdate, RFC 9110 section 5.6.7 */
static void
add_date(struct buf *b)
{
    static const char days[] = "SunMonTueWedThuFriSat";
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    struct civil c = civil_from_unix(clock_now().us / 1000000);

    buf_addf(b, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n",
             days + (ptrdiff_t)3 * c.weekday, c.day, months + (ptrdiff_t)3 * (c.month - 1), c.year,
             c.hour, c.minute, c.second);
}

static void
add_head(struct http_exchange *x, unsigned status, struct str type, struct buf *b)
{
    buf_addf(b, "HTTP/1.1 %u %s\r\n", status, http_reason(status));
    add_date(b);
    if (type.len > 0)
        buf_addf(b, "Content-Type: %.*s\r\n", STR_FMT(type));
    buf_add(b, buf_str(&x->headers));
    if (x->last || x->head == NULL || x->head->close) /* no head: it could not be read */
        buf_add_z(b, "Connection: close\r\n");
    x->answered = true;
}

static bool
is_head(const struct http_exchange *x)
{
    return x->head != NULL && str_eq(x->head->method, STR("HEAD"));
}

void
http_answer(struct http_exchange *x, unsigned status, struct str type, struct str body)
{
    AUTO_BUF b = BUF(HEAD_BYTES + SMALL_BODY);

    ASSERT(!x->answered);
    add_head(x, status, type, &b);
    if (status != 204)
        buf_addf(&b, "Content-Length: %zu\r\n", body.len);
    buf_add_z(&b, "\r\n");
    ASSERT(buf_status(&b) == OK);
    bool small = body.len <= SMALL_BODY && !is_head(x);
    if (small)
        buf_add(&b, body);
    if (conn_write(x->conn, buf_str(&b)) == OK && !small && !is_head(x) &&
        conn_write(x->conn, body) != OK)
        conn_close(x->conn);
}

void
http_answer_begin(struct http_exchange *x, unsigned status, struct str type)
{
    AUTO_BUF b = BUF(HEAD_BYTES);

    ASSERT(!x->answered && !(x->head->old && !x->head->close)); /* 1.0 ends with the connection */
    x->parted = true;
    add_head(x, status, type, &b);
    buf_add_z(&b, x->head->old ? "\r\n" : "Transfer-Encoding: chunked\r\n\r\n");
    ASSERT(buf_status(&b) == OK);
    if (conn_write(x->conn, buf_str(&b)) != OK)
        conn_close(x->conn);
}

enum status
http_answer_part(struct http_exchange *x, struct str bytes)
{
    ASSERT(x->parted);
    if (bytes.len == 0 || is_head(x)) /* an empty chunk would be the last */
        return OK;
    if (x->head->old)
        return conn_write(x->conn, bytes);
    TRY(conn_printf(x->conn, "%zx\r\n", bytes.len));
    TRY(conn_write(x->conn, bytes));
    return conn_write(x->conn, STR("\r\n"));
}

void
http_answer_finish(struct http_exchange *x)
{
    ASSERT(x->parted);
    if (!is_head(x) && !x->head->old && conn_write(x->conn, STR("0\r\n\r\n")) != OK)
        conn_close(x->conn);
}
