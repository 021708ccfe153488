# gates.sh - the gates of ./test, one function each.  Sourced by ./test; see run_gate there.
#
# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash

PYTHON=/usr/bin/python3  # the one that python3-pytest belongs to

# configure FOLDER COMPILER OPTION... - sets a build folder up unless it is so already.  The stamp
# covers the list of sources, because meson does not notice a file that comes to exist.
configure() {
    local folder=$1 compiler=$2 stamp
    shift 2
    stamp="$compiler $* $(find src \( -name '*.c' -o -name meson.build \) | sort | cksum)"
    [ "$(cat "$folder/.options" 2>/dev/null)" = "$stamp" ] && return 0
    if [ -f "$folder/build.ninja" ]; then
        CC=$compiler meson setup --reconfigure "$folder" "$@"
    else
        CC=$compiler meson setup "$folder" "$@"
    fi
    echo "$stamp" >"$folder/.options"
}

# compile FOLDER [TARGET...]
compile() {
    ninja -C "$1" -j "$JOBS" "${@:2}"
}

# unit_tests FOLDER COUNT-FILE MESON-TEST-OPTION... - an empty COUNT-FILE counts nothing.
unit_tests() {
    local folder=$1 count=$2 rc=0
    shift 2
    rm -f "$folder/meson-logs/gate.json"
    # Most of them wait for timers, disks and sockets rather than compute.
    meson test -C "$folder" --no-rebuild --num-processes $((JOBS * 3)) --logbase gate --print-errorlogs \
        "$@" || rc=$?
    $PYTHON tools/results.py "$folder/meson-logs/gate.json" >"${count:-/dev/null}" || rc=1
    return $rc
}

pytests() {
    local folder=$1 count=$2 report rc=0
    report=$PWD/build/gates/$(basename "$folder").xml
    rm -f "$report"
    GODWIT_BUILD=$PWD/build $PYTHON -m pytest -q -ra -p no:cacheprovider --junitxml="$report" \
        "$folder" || rc=$?
    $PYTHON tools/results.py "$report" >"$count" || rc=1
    return $rc
}

gate_format() {
    local wrong
    wrong=$($PYTHON tools/csource.py | xargs clang-format-14 --dry-run -Werror 2>&1 |
        sed -n 's/^\([^: ]*\):.*error:.*/\1/p' | sort -u) || true
    [ -n "$wrong" ] || return 0
    echo "$wrong"
    echo "make format mends them"
    return 1
}

gate_ratchet() { $PYTHON tools/ratchet.py | tee /dev/fd/3; [ "${PIPESTATUS[0]}" = 0 ]; }
gate_layers() { $PYTHON tools/layers.py | tee /dev/fd/3; [ "${PIPESTATUS[0]}" = 0 ]; }
gate_banned() { $PYTHON tools/banned.py | tee /dev/fd/3; [ "${PIPESTATUS[0]}" = 0 ]; }

# Man pages are well formed; made documents are fresh; verbs, settings and paths are what the code has.
gate_docs() {
    $PYTHON tools/docs.py | tee /dev/fd/3
    [ "${PIPESTATUS[0]}" = 0 ] || return 1
    mandoc -Tlint -Wwarning docs/man/*.[0-9]
}

# The checkers above, checked: each rule must be able to fail.
gate_checks() { pytests tests/tools "$1"; }

gate_gcc() {
    configure build 'ccache gcc' -Dtests=enabled
    compile build
}

gate_unit() {
    gate_gcc
    unit_tests build "$1"
}

# Also where clang judges the whole code: the same warnings as gcc, and that only fibers suspend.
gate_asan() {
    configure build-asan 'ccache clang-14' -Dtests=enabled -Db_sanitize=address,undefined \
        -Doptimization=1
    compile build-asan
    unit_tests build-asan '' --timeout-multiplier 4
}

# Only the suites that start threads: the rest has one thread, and fibers are not TSan's subject.
gate_tsan() {
    configure build-tsan 'ccache clang-14' -Dtests=enabled -Db_sanitize=thread -Doptimization=1
    local targets
    targets=$($PYTHON tools/results.py --targets build-tsan tsan)
    [ -n "$targets" ] || return 77
    # shellcheck disable=SC2086
    compile build-tsan $targets
    unit_tests build-tsan '' --suite tsan --timeout-multiplier 4
}

# How much of each module the unit tests reach; tools/coverage.txt has the floors.
gate_coverage() {
    configure build-coverage gcc -Dtests=enabled -Db_coverage=true -Doptimization=0 -Dwerror=false
    compile build-coverage
    find build-coverage -name '*.gcda' -delete
    unit_tests build-coverage '' --timeout-multiplier 4 || true # gate unit is the judge of failures
    $PYTHON tools/coverage.py build-coverage >&3
}

gate_tidy() {
    local made
    configure build-clang 'ccache clang-14' -Dtests=enabled
    made=$(ninja -C build-clang -t targets rule CUSTOM_COMMAND | grep '\.[ch]$') # headers that are included
    # shellcheck disable=SC2086
    compile build-clang $made
    $PYTHON tools/tidy.py build-clang build/tidy-cache
}

gate_cppcheck() {
    mkdir -p build/cppcheck
    cppcheck -q -j "$JOBS" --std=c11 --enable=warning,performance,portability --inline-suppr \
        --suppressions-list=tools/cppcheck.txt --error-exitcode=1 \
        --cppcheck-build-dir=build/cppcheck -D__linux__ -D__GNUC__=12 -I src -I build/src src
}

# gcc 12 loses track of arrays that a loop fills; clang-tidy's analyser judges uninitialized values.
gate_analyzer() {
    configure build-analyzer 'ccache gcc' -Dtests=disabled \
        -Dc_args='-fanalyzer -Wno-analyzer-use-of-uninitialized-value'
    compile build-analyzer
}

gate_fuzz() {
    configure build-fuzz 'ccache clang-14' -Dtests=enabled -Dfuzz=true \
        -Db_sanitize=address,undefined
    tools/fuzz.sh "${FUZZ_SECONDS:-5}"
}

gate_e2e() {
    [ -d tests/e2e ] || return 77
    pytests tests/e2e "$1"
}

gate_crash() {
    [ -d tests/crash ] || return 77
    pytests tests/crash "$1"
}
