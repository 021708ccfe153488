/* milter_packet.h - packets of the milter protocol, version 6, as Sendmail's libmilter speaks it.
 *
 *     packet = length(be32, of what follows) command(1 byte) data
 *
 * Promises:  a reader takes what a filter sent as hostile: every string ends inside its packet, numbers are in their
 *            range, and texts for SMTP replies are printable.  Nothing is consumed on failure.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#ifndef FILTER_MILTER_PACKET_H
#define FILTER_MILTER_PACKET_H

#include "base/buf.h"
#include "base/status.h"

#define MILTER_VERSION   6u
#define MILTER_CHUNK_MAX 65535u /* of a body, in one packet */
#define MILTER_LENGTH    4u
#define MILTER_TEXT_MAX  300u

/* What we say. */
enum milter_command {
    MILTER_ABORT = 'A',
    MILTER_BODY = 'B',
    MILTER_CONNECT = 'C',
    MILTER_MACRO = 'D',
    MILTER_END = 'E', /* of the body */
    MILTER_HELO = 'H',
    MILTER_QUIT_NC = 'K', /* the session is over, the connection stays */
    MILTER_HEADER = 'L',
    MILTER_MAIL = 'M',
    MILTER_END_OF_HEADER = 'N',
    MILTER_NEGOTIATE = 'O',
    MILTER_QUIT = 'Q',
    MILTER_RCPT = 'R',
    MILTER_DATA = 'T',
};
/* What a filter says. */
enum milter_answer {
    MILTER_ADD_RCPT = '+',
    MILTER_DELETE_RCPT = '-',
    MILTER_ADD_RCPT_PAR = '2',
    MILTER_SHUTDOWN = '4',
    MILTER_ACCEPT = 'a',
    MILTER_REPLACE_BODY = 'b',
    MILTER_CONTINUE = 'c',
    MILTER_DISCARD = 'd',
    MILTER_CHANGE_FROM = 'e',
    MILTER_CONN_FAIL = 'f',
    MILTER_ADD_HEADER = 'h',
    MILTER_INSERT_HEADER = 'i',
    MILTER_CHANGE_HEADER = 'm',
    MILTER_PROGRESS = 'p',
    MILTER_QUARANTINE = 'q',
    MILTER_REJECT = 'r',
    MILTER_SKIP = 's',
    MILTER_TEMPFAIL = 't',
    MILTER_REPLY_CODE = 'y',
    MILTER_TERMS = 'O',
};
/* What a filter may do to a message (SMFIF_). */
enum milter_action {
    MILTER_MAY_ADD_HEADERS = 0x01,
    MILTER_MAY_CHANGE_BODY = 0x02,
    MILTER_MAY_ADD_RCPT = 0x04,
    MILTER_MAY_DELETE_RCPT = 0x08,
    MILTER_MAY_CHANGE_HEADERS = 0x10,
    MILTER_MAY_QUARANTINE = 0x20,
    MILTER_MAY_CHANGE_FROM = 0x40,
    MILTER_MAY_ADD_RCPT_PAR = 0x80,
};
#define MILTER_ACTIONS 0xffu
/* What it does not want to hear (NO), or will not answer (MUTE), and what else changes the conversation (SMFIP_). */
enum milter_step {
    MILTER_NO_CONNECT = 0x01,
    MILTER_NO_HELO = 0x02,
    MILTER_NO_MAIL = 0x04,
    MILTER_NO_RCPT = 0x08,
    MILTER_NO_BODY = 0x10,
    MILTER_NO_HEADERS = 0x20,
    MILTER_NO_END_OF_HEADER = 0x40,
    MILTER_MUTE_HEADERS = 0x80,
    MILTER_NO_UNKNOWN = 0x100,
    MILTER_NO_DATA = 0x200,
    MILTER_KNOWS_SKIP = 0x400,
    MILTER_REFUSED_RCPTS = 0x800, /* wants to hear of recipients that were refused */
    MILTER_MUTE_CONNECT = 0x1000,
    MILTER_MUTE_HELO = 0x2000,
    MILTER_MUTE_MAIL = 0x4000,
    MILTER_MUTE_RCPT = 0x8000,
    MILTER_MUTE_DATA = 0x10000,
    MILTER_MUTE_UNKNOWN = 0x20000,
    MILTER_MUTE_END_OF_HEADER = 0x40000,
    MILTER_MUTE_BODY = 0x80000,
    MILTER_LEADING_SPACE = 0x100000, /* values of fields with the blank after the colon */
};
#define MILTER_STEPS 0x1fffffu

/* A packet of strings, each with a NUL behind it, which none of them holds: it would be cut there. */
void milter_write(struct buf *b, enum milter_command c, const struct str *strings, size_t n);
void milter_write_bytes(struct buf *b, enum milter_command c, struct str bytes);
void milter_write_terms(struct buf *b, uint32_t actions, uint32_t steps);
/* family: '4', '6', or 'U' for unknown, without port and address. */
struct milter_client {
    struct str name, address;
    char family;
    uint16_t port;
};
void milter_write_connect(struct buf *b, const struct milter_client *c);

/* Length of what follows the length itself; 0: more than max, or nothing. */
uint32_t milter_length(struct str four, uint32_t max);

struct milter_said {
    enum milter_answer what;
    uint32_t version, actions, steps; /* TERMS */
    uint32_t index;                   /* INSERT_HEADER, CHANGE_HEADER */
    struct str name,
        value;         /* of a field; an address and its parameters; a reason; a piece of a body */
    int code;          /* REPLY_CODE: 400 to 599 */
    char enhanced[12]; /* may be empty */
    char text[MILTER_TEXT_MAX + 1];
};
/* packet: without its length.  Strings point into it. */
MUST_USE enum status milter_read(struct str packet, struct milter_said *out);

/* A value of a field for a filter: line ends become LF. */
void milter_value_out(struct buf *b, struct str value, bool leading_space);
/* A whole field from a filter: name ":" value CRLF, folded so that no line of it can end the header.
 * ERR_SYNTAX: no name of a field. */
MUST_USE enum status milter_field_in(struct buf *b, struct str name, struct str value,
                                     bool leading_space);

#endif
