#!/bin/sh
# Fuzzes the kernel under AddressSanitizer and UBSan, in the baseline build and in those for AVX2 and AVX-512 that this
# processor can run; says which these were:
#     kernel/fuzz.sh [seconds for each] [first seed]
set -eu
here=$(dirname "$0")
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
has() { grep -qw "$1" /proc/cpuinfo 2>/dev/null; }
builds="baseline"
if has avx2 && has fma && has bmi2; then builds="$builds avx2"; fi
if has avx512f && has avx512dq && has avx512bw && has avx512vl; then builds="$builds avx512"; fi
for name in $builds; do
    case $name in
    baseline) flags="" ;;
    avx2) flags="-mavx2 -mfma -mbmi2 -mpopcnt" ;;
    avx512) flags="-mavx512f -mavx512dq -mavx512bw -mavx512vl -mavx2 -mfma -mprefer-vector-width=512" ;;
    esac
    # shellcheck disable=SC2086
    "${CC:-cc}" -std=c11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -ffp-contract=fast \
        -fno-math-errno $flags -o "$build/fuzz" "$here/fuzz.c"
    if ! "$build/fuzz" "${1:-10}" "${2:-0}" 2>"$build/log"; then
        tr '\r' '\n' <"$build/log" | tail -60
        exit 1
    fi
    echo "kernel/fuzz.sh, $name: $(tr '\r' '\n' <"$build/log" | tail -1)"
done
