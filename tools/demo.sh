#!/bin/bash
# demo.sh - two Godwits on loopback: yours, and a second one that plays the outside world.
#
#   tools/demo.sh                  starts both, prints what to paste, runs until Ctrl-C
#   tools/demo.sh --self-test      one mail in, its reply out, in a directory of its own; exit status 0 or 1
#   tools/demo.sh --ports BASE     SMTP of yours listens on BASE+25, IMAPS on BASE+993 ..., the other's on
#                                  BASE+1000+25 ...; 2000 unless told
#   tools/demo.sh --dir DIRECTORY  where everything lies; .demo in the checkout unless told
#
# Keys, accounts and mail stay in the directory from one start to the next.
#
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd "$(dirname "$0")/.."

godwit=${GODWIT_BUILD:-$PWD/build}/godwit
dir=$PWD/.demo base=2000 self_test=no made=no
pids=()

fail() { echo "demo: $*" >&2; exit 1; }

while [ $# -gt 0 ]; do
    case $1 in
    --self-test) self_test=yes ;;
    --ports) base=${2:?--ports BASE}; shift ;;
    --dir) dir=${2:?--dir DIRECTORY}; made=no; shift ;;
    *) sed -n '4,9s/^# \{0,1\}//p' tools/demo.sh; exit 2 ;;
    esac
    shift
done

# The roles of a server that root starts run as somebody else, who must be able to reach the mail.
prepare_place() {
    if [ $self_test = yes ]; then
        dir=$(mktemp -d /tmp/godwit-demo.XXXXXX) made=yes
        base=$(python3 tools/demo_mail.py free-ports)
    fi
    mkdir -p "$dir"
    if [ "$(id -u)" = 0 ]; then
        chmod 755 "$dir"
        if ! setpriv --reuid nobody --clear-groups test -x "$dir" 2>/dev/null; then
            dir=/var/tmp/godwit-demo
            echo "the roles run as user nobody, who cannot reach the checkout: using $dir"
            mkdir -p "$dir"
            chmod 755 "$dir"
        fi
    fi
}

# configure DIR ADDRESS PORTS OTHER-DOMAIN OTHER-PORTS - keys, accounts and mail of an earlier start stay.
configure() {
    local at=$1 address=$2 ports=$3
    mkdir -p "$at"
    rm -f "$at/godwit.conf"     # written anew at every start: the ports may be others
    [ -f "$at/password" ] || (umask 077; head -c 9 /dev/urandom | base64 | tr '+/' '-_' >"$at/password")
    "$godwit" setup "${address#*@}" --under "$at" --admin "$address" --password-file "$at/password" --user nobody \
        --listen 127.0.0.1 --port-base "$ports" --log "$at/log" --yes --offline \
        --line 'outbound none' --line "route $4 127.0.0.1:$(($5 + 25))" \
        --line 'resolver 127.0.0.1:9 no-dnssec' >"$at/setup" || fail "setup of $address failed"
}

# start DIR - runs the server of DIR.
start() {
    local at=$1 tries=0 pid
    : >"$at/log"
    "$godwit" serve -c "$at/godwit.conf" >"$at/output" 2>&1 &
    pid=$!
    pids+=("$pid")
    until grep -q 'ev=server.ready' "$at/log"; do
        kill -0 "$pid" 2>/dev/null || fail "the server ended (--ports BASE takes other ports): $(tail -n 3 "$at/output" | head -c 600)"
        tries=$((tries + 1))
        [ $tries -lt 1200 ] || fail "the server is not ready after two minutes, see $at/log"
        sleep 0.1
    done
}

stop() {
    trap - EXIT
    trap '' INT TERM
    [ ${#pids[@]} = 0 ] || kill "${pids[@]}" 2>/dev/null || true
    [ ${#pids[@]} = 0 ] || wait "${pids[@]}" 2>/dev/null || true
    [ $made = no ] || rm -rf "$dir"
}

describe() {
    local mine=$dir/demo other=$dir/world pass otherpass
    pass=$(cat "$mine/password") otherpass=$(cat "$other/password")
    cat <<TEXT

Godwit runs: mail.demo.example, ports $base + the usual ones, and a second server as the outside world,
mail.world.example, ports $((base + 1000)) + the usual ones.  Both listen on 127.0.0.1 only and know no
other host than each other.

        THE DEMONSTRATION NEVER SENDS TO THE INTERNET.

account      anna@demo.example    password  $pass
account      ben@world.example    password  $otherpass
certificate  $mine/cert.pem (self-signed)
$(sed -n 's/^  SHA-256 /SHA-256      /p' "$mine/setup")
logs         tail -f $mine/log $other/log
manage       export GODWIT_CONFIG=$mine/godwit.conf; $godwit status   (or account, alias, domain, queue, check, log)

1. A stranger writes to Anna (swaks, or curl):
  swaks --server 127.0.0.1:$((base + 25)) --tls --from carl@elsewhere.example --to anna@demo.example \\
        --header 'Subject: hello' --body 'Are you there?'
  printf 'From: carl@elsewhere.example\\r\\nTo: anna@demo.example\\r\\nSubject: hello\\r\\n\\r\\nHi.\\r\\n' |
        curl --url smtp://127.0.0.1:$((base + 25)) --mail-from carl@elsewhere.example \\
        --mail-rcpt anna@demo.example -T -

2. Anna reads (the first lists the mailboxes, the second shows the first mail by POP3):
  curl --cacert $mine/cert.pem imaps://localhost:$((base + 993))/ -u anna@demo.example:$pass
  curl --cacert $mine/cert.pem pop3s://localhost:$((base + 995))/1 -u anna@demo.example:$pass

3. Anna writes to Ben, at the other server:
  swaks --server localhost:$((base + 587)) --tls --auth-user anna@demo.example --auth-password $pass \\
        --from anna@demo.example --to ben@world.example --header 'Subject: hello yourself'

4. Ben reads it there:
  curl --cacert $other/cert.pem pop3s://localhost:$((base + 1995))/1 -u ben@world.example:$otherpass

Thunderbird, "configure manually"; accept the certificate after comparing the fingerprint:
  incoming   IMAP  localhost  $((base + 993))  SSL/TLS   normal password   anna@demo.example
  outgoing   SMTP  localhost  $((base + 465))  SSL/TLS   normal password   anna@demo.example
A second account shows the other side: the same with ben@world.example and ports $((base + 1993)), $((base + 1465)).

Ctrl-C stops both servers; accounts and mail stay in $dir.
TEXT
}

[ -x "$godwit" ] || fail "there is no $godwit; ./run builds it"
trap stop EXIT
trap 'echo; echo "stopping"; exit 0' INT TERM
prepare_place
configure "$dir/demo" anna@demo.example "$base" world.example $((base + 1000))
configure "$dir/world" ben@world.example $((base + 1000)) demo.example "$base"
start "$dir/demo"
start "$dir/world"
if [ $self_test = yes ]; then
    python3 tools/demo_mail.py round-trip "$dir" "$base"
    exit
fi
describe
wait "${pids[@]}"
