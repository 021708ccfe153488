#!/bin/bash
# install.sh SECTION... - installs the packages of those sections of tools/packages.txt that are missing.
# Says nothing when all are there.  Needs root only when something is missing.
#
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

list=$(dirname "$0")/packages.txt
missing=()

for section in "$@"; do
    names=$(awk -v want="[$section]" '/^\[/ {on = ($1 == want)} on && /^[a-z]/ {print $1}' "$list")
    [ -n "$names" ] || { echo "install: no section '$section' in $list" >&2; exit 2; }
    for name in $names; do
        status=$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null || true)
        # A program of that name from elsewhere (npm inside another nodejs) does as well.
        [ "$status" = installed ] || command -v "$name" >/dev/null || missing+=("$name")
    done
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$(id -u)" != 0 ]; then
    echo "install: missing packages; as root run:  apt-get install ${missing[*]}" >&2
    exit 1
fi
echo "installing ${#missing[@]} packages: ${missing[*]}"
log=$(mktemp)
trap 'rm -f "$log"' EXIT
export DEBIAN_FRONTEND=noninteractive
# Daemons that come with a package are for tests to start, not for dpkg.
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
    printf '#!/bin/sh\nexit 101\n' >"$policy"
    chmod 755 "$policy"
    trap 'rm -f "$log" "$policy"' EXIT
fi
if ! { apt-get update && apt-get install -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    tail -20 "$log" >&2
    echo "install: apt-get failed" >&2
    exit 1
fi
