#!/bin/bash
# deb.sh [FOLDER] - builds the Debian package from what git tracks, outside the tree, and asks lintian about it.
# The package lies in FOLDER afterwards, build/deb without one.  Installs what is missing when run as root.
#
#   tools/deb.sh --try [FOLDER]     also installs, upgrades, removes and purges it, in a copy of a bare Debian 12:
#                                   of the one that GODWIT_DEBIAN_BASE names, else of one that debootstrap makes
#
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd "$(dirname "$0")/.."

try=
[ "${1:-}" != --try ] || { try=yes; shift; }
out=${1:-build/deb}
tools/install.sh build package
mkdir -p "$out"
out=$(realpath "$out")
tree=$out/source
rm -rf "$tree" "$out"/godwit*.deb "$out"/godwit_*.changes "$out"/godwit_*.buildinfo
mkdir "$tree"
git ls-files -z | tar --null --files-from=- -cf - | tar -C "$tree" -xf -
jobs=${JOBS:-$(nproc)}
(cd "$tree" && DEB_BUILD_OPTIONS="parallel=$jobs nocheck" dpkg-buildpackage -us -uc -b)
rm -rf "$tree"
# The project has no mail address of its own yet, and must not name that of somebody else.
lintian --fail-on error --allow-root --suppress-tags bogus-mail-host,bogus-mail-host-in-debian-changelog \
    "$out"/godwit_*.changes
[ -z "$try" ] || GODWIT_DEB=$(echo "$out"/godwit_*.deb) /usr/bin/python3 -m pytest -q -p no:cacheprovider tests/deb
