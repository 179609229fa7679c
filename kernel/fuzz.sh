#!/bin/sh
# Fuzzes the kernel under AddressSanitizer and UBSan, the baseline and (where the machine has it) the AVX2 build:
#     kernel/fuzz.sh [seconds for each] [first seed]
set -eu
here=$(dirname "$0")
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
variants=""
if grep -q avx2 /proc/cpuinfo 2>/dev/null; then variants="-mavx2_-mfma_-mbmi2_-mpopcnt"; fi
for flags in "" $variants; do
    "${CC:-cc}" -std=c11 -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -ffp-contract=fast \
        -fno-math-errno $(echo "$flags" | tr _ ' ') -o "$build/fuzz" "$here/fuzz.c"
    if ! "$build/fuzz" "${1:-10}" "${2:-0}" 2>"$build/log"; then
        tr '\r' '\n' <"$build/log" | tail -60
        exit 1
    fi
    echo "kernel/fuzz.sh $flags: $(tr '\r' '\n' <"$build/log" | tail -1)"
done
