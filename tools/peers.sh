#!/bin/bash
# peers.sh FOLDER - other mail servers for the end-to-end tests, unpacked below FOLDER and not installed: their packages
# conflict with each other.  tests/lib/peer.py runs them from there.  Does nothing when they are there already.
#
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail

list=$(realpath "$(dirname "$0")/packages.txt")
names=$(awk '/^\[/ {on = ($1 == "[peers]")} on && /^[a-z]/ {print $1}' "$list")
mkdir -p "$1"
cd "$1"
exec 9>lock
flock 9 # several tests may want them at once
stamp=$(echo "$names" | cksum)
[ "$(cat stamp 2>/dev/null)" != "$stamp" ] || exit 0
rm -rf debs tree
mkdir debs tree

# As root, apt would fetch as a user who may not write here.
fetch() {
    # shellcheck disable=SC2086
    (cd debs && apt-get download -o APT::Sandbox::User=root $names)
}
fetch >log 2>&1 || { apt-get update && fetch; } >log 2>&1 || {
    tail -5 log >&2
    echo "peers: apt-get download failed" >&2
    exit 1
}
for deb in debs/*.deb; do
    dpkg-deb -x "$deb" tree
done
# Debian 12's /lib is /usr/lib.
for folder in bin sbin lib; do
    [ ! -d tree/$folder ] || { cp -a tree/$folder tree/usr/ && rm -r tree/$folder; }
done
libs=$PWD/tree/usr/lib:$PWD/tree/usr/lib/x86_64-linux-gnu:$PWD/tree/usr/lib/courier-authlib
find tree/usr -type f \( -perm -1 -o -name '*.so*' \) -print0 |
    LD_LIBRARY_PATH=$libs xargs -0 ldd >needs 2>/dev/null || true # ldd minds what is no program
lacking=$(awk '/not found/ {print $1}' needs | sort -u | paste -sd ' ')
[ -z "$lacking" ] || { echo "peers: libraries that [peers] in $list does not bring: $lacking" >&2; exit 1; }
rm -r debs
echo "$stamp" >stamp
