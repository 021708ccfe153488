/* compose_fuzz.c - any bytes as a message on standard input: its recipients are addresses that can stand in an SMTP
 * command, what is written has a From and no Bcc, and written once more nothing is added.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "mail/address.h"
#include "mail/compose.h"
#include "mail/header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
check_rcpts(struct str message)
{
    AUTO_ARENA *a = arena_new(16u << 20);
    struct compose_rcpts r = {.domain = STR("example.org"), .arena = a};

    if (compose_rcpts_find(&r, message) != OK)
        return;
    ASSERT(r.count <= LIMIT_SUBMIT_RCPTS);
    for (size_t i = 0; i < r.count; i++) {
        struct path p;
        ASSERT(mailbox_parse(r.list[i], PATH_UTF8, a, &p) == OK);
        ASSERT(str_find(r.list[i], '\n') < 0 && str_find(r.list[i], '\r') < 0);
    }
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct compose c = {.from = STR("a@example.org"), .domain = STR("example.org")};
    struct buf once = BUF(1u << 20), twice = BUF(1u << 20);
    struct header_field f;

    if (size > 1u << 16)
        return 0;
    struct str message = compose_cut(str_from((const char *)data, size), size % 2 == 0);
    ASSERT(message.len <= size);
    check_rcpts(message);
    ASSERT(compose_write(message, &c, &once) == OK);
    struct str block = str_sub(buf_str(&once), 0, header_block_len(buf_str(&once)));
    ASSERT(header_find(block, STR("From"), &f) && !header_find(block, STR("Bcc"), &f));
    ASSERT(compose_write(buf_str(&once), &c, &twice) == OK);
    ASSERT(str_eq(buf_str(&once), buf_str(&twice)));
    buf_release(&once);
    buf_release(&twice);
    return 0;
}
