#!/bin/bash
# fuzz.sh SECONDS [NAME...] - runs the libFuzzer targets of build-fuzz for so long each.
#
# Seeds are read from fuzz/corpus/NAME and never written; what the fuzzer finds of interest is kept
# in build-fuzz/found/NAME and used by the next run.  A crash leaves its input in build-fuzz/crash/.
#
# SPDX-License-Identifier: Apache-2.0
set -uo pipefail
cd "$(dirname "$0")/.." || exit 2
seconds=${1:?usage: fuzz.sh SECONDS [NAME...]}
shift

if [ ! -f build-fuzz/build.ninja ]; then
    CC='ccache clang-14' meson setup build-fuzz -Dtests=enabled -Dfuzz=true \
        -Db_sanitize=address,undefined || exit 1
fi
mapfile -t all < <(ninja -C build-fuzz -t targets all | sed -n 's/^\(fuzz-[^:/]*\):.*/\1/p' | sort -u)
[ ${#all[@]} -gt 0 ] || { echo "no fuzz targets"; exit 77; }
ninja -C build-fuzz -j "${JOBS:-2}" "${all[@]}" || exit 1
[ $# -gt 0 ] || set -- "${all[@]#fuzz-}"
mkdir -p build-fuzz/crash

one() {
    local name=$1 seeds=fuzz/corpus/$1 found=build-fuzz/found/$1 dict options=()
    mkdir -p "$found"
    dict=$(find src -name "$name.dict" -print -quit)
    [ -z "$dict" ] || options+=("-dict=$dict")
    [ -d "$seeds" ] || { echo "FAIL $name: no seeds in $seeds"; return 1; }
    if timeout $((seconds + 120)) "build-fuzz/fuzz-$name" -max_total_time="$seconds" -timeout=20 \
        -rss_limit_mb=2048 -max_len=65536 -print_final_stats=1 -verbosity=1 \
        -artifact_prefix="build-fuzz/crash/$name-" \
        "${options[@]}" "$found" "$seeds" >"build-fuzz/$name.log" 2>&1; then
        echo "ok   $name: $(sed -n 's/^stat::number_of_executed_units: *//p' "build-fuzz/$name.log") runs"
    else
        echo "FAIL $name"
        grep -v '^#' "build-fuzz/$name.log" | tail -40
        return 1
    fi
}
export -f one
export seconds
printf '%s\n' "$@" | xargs -P "${JOBS:-2}" -I{} bash -c 'one {}' || exit 1
