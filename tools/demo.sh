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
services='smtp:25 submission:587 submissions:465 imaps:993 pop3s:995'
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

# certificate DIR HOST - self-signed, for HOST and for localhost.
certificate() {
    [ -f "$1/cert.pem" ] && return
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj "/CN=$2" \
        -addext "subjectAltName=DNS:$2,DNS:localhost,IP:127.0.0.1" \
        -keyout "$1/key.pem" -out "$1/cert.pem" 2>"$1/openssl.log" || fail "$(cat "$1/openssl.log")"
    chmod 600 "$1/key.pem"
}

# configure DIR DOMAIN PORTS OTHER-DOMAIN OTHER-PORTS
configure() {
    local at=$1 domain=$2 ports=$3 service
    mkdir -p "$at/data" "$at/run"
    [ "$(id -u)" != 0 ] || chown -R nobody "$at/data"
    if [ ! -f "$at/master.key" ]; then
        (umask 077; head -c 32 /dev/urandom >"$at/master.key")
    fi
    certificate "$at" "mail.$domain"
    {
        echo "# Written by tools/demo.sh at every start."
        echo "host mail.$domain"
        echo "domain $domain"
        echo "data \"$at/data\""
        echo "run-dir \"$at/run\""
        echo "log \"$at/log\""
        echo "user nobody"
        echo "tls cert \"$at/cert.pem\" key \"$at/key.pem\""
        for service in $services; do
            echo "listen ${service%:*} 127.0.0.1:$((ports + ${service#*:}))"
        done
        echo "outbound none              # nothing leaves this machine"
        echo "route $4 127.0.0.1:$(($5 + 25))"
        echo "resolver 127.0.0.1:9 no-dnssec   # and nobody is asked"
    } >"$at/godwit.conf"
}

# start DIR ADDRESS - runs the server of DIR and gives it its domain and account.
start() {
    local at=$1 address=$2 tries=0 pid
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
    [ -f "$at/password" ] || (umask 077; head -c 9 /dev/urandom | base64 | tr '+/' '-_' >"$at/password")
    export GODWIT_CONFIG=$at/godwit.conf
    "$godwit" domain show "${address#*@}" >"$at/dns" 2>/dev/null ||
        "$godwit" domain add "${address#*@}" "$address" >"$at/dns" || fail "no domain"
    if ! "$godwit" account show "$address" 2>/dev/null | grep -q .; then
        "$godwit" account add "$address" <"$at/password" >/dev/null || fail "no account"
    fi
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
$(openssl x509 -in "$mine/cert.pem" -noout -fingerprint -sha256 | sed 's/.*=/SHA-256      /')
logs         tail -f $mine/log $other/log
manage       export GODWIT_CONFIG=$mine/godwit.conf; $godwit status   (or account, alias, domain, queue)

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
command -v openssl >/dev/null || fail "the program openssl is missing: apt-get install openssl"
trap stop EXIT
trap 'echo; echo "stopping"; exit 0' INT TERM
prepare_place
configure "$dir/demo" demo.example "$base" world.example $((base + 1000))
configure "$dir/world" world.example $((base + 1000)) demo.example "$base"
start "$dir/demo" anna@demo.example
start "$dir/world" ben@world.example
if [ $self_test = yes ]; then
    python3 tools/demo_mail.py round-trip "$dir" "$base"
    exit
fi
describe
wait "${pids[@]}"
