#!/bin/sh
# crash_campaign.sh [CYCLES [SEED]] - kills the processes of a server under load, again and again (1000 times unless
# told otherwise), and compares what the server shows with what its clients were told.  The last line has the sums.
# Wants a build in build/ (./test gcc).  tests/crash/ says how; nice -n 5 leaves room for other work.
#
# SPDX-License-Identifier: Apache-2.0
exec /usr/bin/python3 "$(dirname "$0")/../tests/crash/campaign.py" "$@"
