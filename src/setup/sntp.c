/* sntp.c - see sntp.h.
 *
 * SPDX-License-Identifier: Apache-2.0 */
#include "setup/sntp.h"

#include "base/size.h"

/* Offsets in the packet, RFC 4330 section 4. */
enum { AT_STRATUM = 1, AT_ORIGINATE = 24, AT_RECEIVE = 32, AT_TRANSMIT = 40 };
enum { VERSION_4_CLIENT = 0x23, MODE_SERVER = 4, LEAP_ALARM = 3, STRATUM_MAX = 15 };
/* From 1900 to 1970; an era has 2^32 seconds, and the one since 2036 begins at 0 again (section 3). */
#define EPOCH   INT64_C(2208988800)
#define ERA     (INT64_C(1) << 32)
#define MILLION INT64_C(1000000)

static uint64_t
to_stamp(int64_t us)
{
    uint64_t seconds = (uint64_t)(us / MILLION + EPOCH) & UINT32_MAX; /* after 1970: positive */
    uint64_t part = ((uint64_t)(us % MILLION) << 32) / (uint64_t)MILLION;

    return seconds << 32 | part;
}

static int64_t
from_stamp(const unsigned char *at)
{
    int64_t seconds = (int64_t)be32_get(at);
    int64_t part = (int64_t)be32_get(at + 4);

    if ((seconds & (ERA >> 1)) == 0)
        seconds += ERA;
    return (seconds - EPOCH) * MILLION + (part * MILLION >> 32);
}

void
sntp_ask(int64_t now_us, unsigned char out[SNTP_BYTES])
{
    ASSERT(now_us >= 0);
    for (size_t i = 0; i < SNTP_BYTES; i++)
        out[i] = 0;
    out[0] = VERSION_4_CLIENT;
    be64_put(out + AT_TRANSMIT, to_stamp(now_us));
}

enum status
sntp_read(struct str answer, int64_t asked_us, int64_t got_us, int64_t *by_us_out)
{
    const unsigned char *p = (const unsigned char *)answer.ptr;

    if (answer.len < SNTP_BYTES || (p[0] & 7) != MODE_SERVER ||
        be64_get(p + AT_ORIGINATE) != to_stamp(asked_us))
        return ERR_SYNTAX;
    if (p[0] >> 6 == LEAP_ALARM || p[AT_STRATUM] == 0 || p[AT_STRATUM] > STRATUM_MAX ||
        be64_get(p + AT_TRANSMIT) == 0)
        return ERR_TEMP;
    int64_t went = from_stamp(p + AT_RECEIVE) - asked_us;
    int64_t came = from_stamp(p + AT_TRANSMIT) - got_us;
    *by_us_out = went / 2 + came / 2;
    return OK;
}
