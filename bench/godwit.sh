#!/bin/bash
# godwit.sh - a Godwit to be measured: 100 users u0 ... u99 of example.com, plaintext logins from loopback, every
# service on loopback.
#
#   bench/godwit.sh start|stop|env
#
# Everything lies below $BENCH_DIR/godwit (/tmp/mailbench unless told).  `env` prints where to aim a load generator,
# as NAME=value lines.  The processes run in a cgroup of their own where there is one, so that their CPU can be read.
#
# SPDX-License-Identifier: Apache-2.0
set -euo pipefail
cd "$(dirname "$0")/.."

program=${GODWIT_BUILD:-$PWD/build}/godwit
dir=${BENCH_DIR:-${TMPDIR:-/tmp}/mailbench}/godwit
users=${BENCH_USERS:-100} password=${BENCH_PASSWORD:-secret} domain=${BENCH_DOMAIN:-example.com}
base=5000 sink=2599
services='smtp:525 submission:587 submissions:465 imap:143 imaps:993 pop3:110 pop3s:995'
cgroup=$(awk '$3 == "cgroup2" { print $2 "/mailbench-godwit"; exit }' /proc/mounts)

configure() {
    mkdir -p "$dir/data" "$dir/run"
    chmod 755 "$(dirname "$dir")" "$dir"
    [ "$(id -u)" != 0 ] || chown -R nobody "$dir/data" "$dir/run"
    [ -f "$dir/master.key" ] || (umask 077; head -c 32 /dev/urandom >"$dir/master.key")
    [ -f "$dir/cert.pem" ] ||
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 825 -subj /CN=localhost \
            -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$dir/key.pem" -out "$dir/cert.pem" 2>/dev/null
    {
        echo "host mail.$domain"
        echo "domain $domain"
        echo "data \"$dir/data\""
        echo "run-dir \"$dir/run\""
        echo "log \"$dir/log\""
        [ "$(id -u)" != 0 ] || echo "user nobody"
        echo "tls cert \"$dir/cert.pem\" key \"$dir/key.pem\""
        for s in $services; do echo "listen ${s%:*} 127.0.0.1:$((base + ${s#*:}))"; done
        echo "outbound-limits none"
        echo "plaintext-login loopback"
        echo "outbound none"
        echo "route elsewhere.example 127.0.0.1:$sink"
        echo "resolver 127.0.0.1:9 no-dnssec"
        # More lines, such as "workers mx 2".
        printf '%s\n' "${GODWIT_BENCH_CONFIG:-}"
    } >"$dir/godwit.conf"
}

make_users() {
    export GODWIT_CONFIG=$dir/godwit.conf
    "$program" domain show "$domain" >/dev/null 2>&1 || "$program" domain add "$domain" >/dev/null
    for i in $(seq 0 $((users - 1))); do
        "$program" account show "u$i@$domain" 2>/dev/null | grep -q . ||
            echo "$password" | "$program" account add "u$i@$domain" >/dev/null
    done
}

start() {
    configure
    : >"$dir/log"
    if [ -n "$cgroup" ]; then
        mkdir -p "$cgroup"
        echo $$ >"$cgroup/cgroup.procs"
    fi
    ulimit -n "$(ulimit -Hn)"
    "$program" serve -c "$dir/godwit.conf" >"$dir/output" 2>&1 </dev/null &
    echo $! >"$dir/pid"
    for _ in $(seq 600); do
        ! grep -q 'ev=server.ready' "$dir/log" || break
        kill -0 "$(cat "$dir/pid")" 2>/dev/null || { cat "$dir/output" >&2; exit 1; }
        sleep 0.05
    done
    make_users
}

stop() {
    local pid
    pid=$(cat "$dir/pid" 2>/dev/null) || return 0
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 300); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    rm -f "$dir/pid"
    [ "${1:-}" = keep ] || rm -rf "$dir/data"
}

env_lines() {
    printf '%s\n' BENCH_NAME=godwit BENCH_SMTP=$((base + 525)) BENCH_SMTPS= BENCH_IMAP=$((base + 143)) \
        BENCH_IMAPS=$((base + 993)) BENCH_POP3=$((base + 110)) BENCH_POP3S=$((base + 995)) \
        BENCH_SUBMISSION=$((base + 587)) BENCH_SINK=$sink
    if [ -n "$cgroup" ]; then echo "BENCH_CGROUP=$cgroup"; else echo "BENCH_PID=$(cat "$dir/pid")"; fi
}

case "${1:-}" in
start) start ;;
stop) stop ;;
restart) stop keep; start ;;
env) env_lines ;;
*) sed -n '2,9s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
