#!/bin/sh
# Builds the C kernel as WebAssembly: src/core/kernel.wasm. The compiler is named in src/core/kernel.wasm.txt, since
# another one writes other bytes.
set -eu
cd "$(dirname "$0")"
OUT=${1:-src/core/kernel.wasm}
clang --target=wasm32 -O3 -msimd128 -mbulk-memory -nostdlib -ffreestanding -std=c11 -Wall -Wextra -Werror \
    -Wl,--no-entry -Wl,--strip-all -o "$OUT" ../kernel/wasm.c
clang --version | head -1 > "$OUT.txt"
