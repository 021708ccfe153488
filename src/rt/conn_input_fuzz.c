/* conn_input_fuzz.c - how bytes arrive changes nothing about the lines that they make.
 *
 * The first byte says where the input is cut in two; the lines of both ways must be the same, within
 * the limit, free of CR, LF and NUL when they are called good.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"
#include "base/mem.h"
#include "base/size.h"
#include "rt/conn_internal.h"

#define LINE_MAX_HERE 16u
#define INPUT_MAX     4096u

struct lines {
    uint64_t digest;
    uint32_t count;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
take_lines(struct conn *c, struct lines *l)
{
    struct str line;
    enum status s;

    while (line = STR_NONE, (s = conn_line(c, &line)) != ERR_TEMP) {
        ASSERT(s == OK || s == ERR_LIMIT || s == ERR_SYNTAX);
        ASSERT(line.len <= LINE_MAX_HERE);
        for (size_t i = 0; s == OK && i < line.len; i++)
            ASSERT(line.ptr[i] != '\r' && line.ptr[i] != '\n' && line.ptr[i] != '\0');
        const uint64_t row[] = {l->digest, s, hash_stable(line)};
        l->digest = hash_stable(str_from((const char *)row, sizeof(row)));
        l->count++;
    }
}

static void
feed(struct conn *c, const uint8_t *data, size_t size, struct lines *l)
{
    if (size > 0) {
        mem_copy(iobuf_need(&c->in, (uint32_t)size, INPUT_MAX), data, size);
        iobuf_grew(&c->in, (uint32_t)size);
    }
    take_lines(c, l);
    iobuf_rest(&c->in);
}

static struct lines
lines_of(const uint8_t *data, size_t size, size_t cut)
{
    /* Not connected to anything: at its end, so that nothing is read. */
    struct conn c = {.phase = CONN_OPEN, .eof = true, .line_max = LINE_MAX_HERE};
    struct lines l = {0};

    feed(&c, data, cut, &l);
    feed(&c, data + cut, size - cut, &l);
    iobuf_release(&c.in);
    return l;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 1 || size > INPUT_MAX)
        return 0;
    size_t cut = MIN((size_t)data[0], size - 1);
    struct lines whole = lines_of(data + 1, size - 1, 0);
    struct lines two = lines_of(data + 1, size - 1, cut);
    ASSERT(whole.count == two.count && whole.digest == two.digest);
    return 0;
}
