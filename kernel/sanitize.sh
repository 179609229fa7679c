#!/bin/sh
# Runs the tests of the compiled engine under AddressSanitizer and UBSan, Python's binding included, once for each build
# of the kernel that this processor can run, and says which these were:
#     kernel/sanitize.sh [python] [arguments of pytest]
set -eu
python=${1:-python3}
[ $# -eq 0 ] || shift
cd "$(dirname "$0")/.."
build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
cp -r src/glassnet "$build/glassnet"
rm -f "$build"/glassnet/engines/*.so
CC=${CC:-gcc} CFLAGS="-O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all" LDFLAGS="-fsanitize=address,undefined" \
    "$python" setup.py -q build_ext --build-lib "$build" --build-temp "$build/objects"
export PYTHONPATH="$build" ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 PYTHONMALLOC=malloc
sanitized="$(${CC:-gcc} -print-file-name=libasan.so) $(${CC:-gcc} -print-file-name=libubsan.so)"
usable=$(LD_PRELOAD="$sanitized" "$python" -c "from glassnet.engines import _kernel; print(*_kernel.variants())")
for variant in $usable; do
    GLASSNET_CPU=$variant LD_PRELOAD="$sanitized" "$python" -m pytest -q -n 0 -p no:cacheprovider tests/engines/test_native.py -s "$@"
    echo "kernel/sanitize.sh: $variant, and the binding, under AddressSanitizer and UBSan"
done
