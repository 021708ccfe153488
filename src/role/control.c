/* control.c - see control.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "role/control.h"

#include "base/buf.h"
#include "base/scan.h"

/* control = kind(u8) role(u8) index(varint) value(varint) value2(varint) incarnation(be64) text */
MUST_USE enum status
control_say(int fd, const struct control *c, const int *fds, size_t count)
{
    AUTO_BUF b = BUF(CONTROL_BYTES_MAX);

    buf_add_char(&b, (char)c->kind);
    buf_add_char(&b, (char)c->role);
    buf_add_varint(&b, c->index);
    buf_add_varint(&b, c->value);
    buf_add_varint(&b, c->value2);
    buf_add_be64(&b, c->incarnation);
    buf_add_bytes(&b, c->text.len <= CONTROL_TEXT_MAX ? c->text : STR_NONE);
    TRY(buf_status(&b));
    return control_send(fd, buf_str(&b), fds, count);
}

MUST_USE enum status
control_hear(const struct control_packet *p, struct control *out)
{
    struct scan s = scan_of(str_from(p->bytes, p->len));
    uint64_t index, value, value2, incarnation;
    uint8_t kind, role;
    struct str text;

    if (!scan_u8(&s, &kind) || kind >= CONTROL_KIND_COUNT || !scan_u8(&s, &role) ||
        role >= ROLE_COUNT || !scan_varint(&s, UINT32_MAX, &index) ||
        !scan_varint(&s, UINT32_MAX, &value) || !scan_varint(&s, UINT32_MAX, &value2) ||
        !scan_be64(&s, &incarnation) || !scan_bytes(&s, CONTROL_TEXT_MAX, &text) ||
        !scan_at_end(&s))
        return ERR_SYNTAX;
    *out = (struct control){.kind = (enum control_kind)kind, /* in range: checked above */
                            .role = (enum role)role,
                            .index = (uint32_t)index,
                            .value = (uint32_t)value,
                            .value2 = (uint32_t)value2,
                            .incarnation = incarnation,
                            .text = text};
    return OK;
}
