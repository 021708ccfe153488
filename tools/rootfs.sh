#!/bin/sh
# rootfs.sh BUILD FOLDER - what dist/Containerfile makes, without a container engine: the two programs of a build, the
# libraries that they need, and the few files of a system.
#
# SPDX-License-Identifier: Apache-2.0
set -eu
build=$1
root=$2

mkdir -p "$root/dev" "$root/etc" "$root/proc" "$root/tmp" "$root/usr/bin" "$root/usr/share/dns" "$root/var/lib/godwit"
for link in bin lib lib64 sbin; do
    mkdir -p "$root/usr/$link"
    ln -sfn "usr/$link" "$root/$link"
done
cp "$build/godwit" "$build/godwit-server" "$root/usr/bin/"
ldd "$build/godwit" "$build/godwit-server" | sed -n 's/.* => \(\/[^ ]*\) .*/\1/p; s/^[[:space:]]*\(\/[^ ]*\) .*/\1/p' | sort -u |
    while read -r library; do
        mkdir -p "$root$(dirname "$library")"
        cp -L "$library" "$root$library"
    done
[ ! -e /usr/share/dns/root.key ] || cp /usr/share/dns/root.key "$root/usr/share/dns/"
printf 'root:x:0:0:root:/:/bin/false\ngodwit:x:998:998::/nonexistent:/bin/false\n' >"$root/etc/passwd"
printf 'root:x:0:\ngodwit:x:998:\n' >"$root/etc/group"
printf 'passwd: files\ngroup: files\nhosts: files dns\n' >"$root/etc/nsswitch.conf"
printf '127.0.0.1 localhost\n' >"$root/etc/hosts"
: >"$root/etc/resolv.conf"
