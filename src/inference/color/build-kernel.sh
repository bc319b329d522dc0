#!/bin/sh
# Compiles recombine.c and writes recombine-wasm.ts. Needs Debian's clang and lld (14 or later).
# Run it after a change to recombine.c; the result is committed, so that installing needs no compiler.
set -eu
cd "$(dirname "$0")"
wasm=$(mktemp)
trap 'rm -f "$wasm"' EXIT
clang --target=wasm32 -O3 -msimd128 -mbulk-memory -mnontrapping-fptoint -nostdlib -fvisibility=hidden \
  -Wall -Wextra -Werror -Wl,--no-entry -Wl,--export-dynamic -Wl,--import-memory -Wl,--stack-first \
  -Wl,-z,stack-size=16384 -Wl,--strip-all -o "$wasm" recombine.c
{
  echo "/** recombine.c as WebAssembly, base64; written by build-kernel.sh. */"
  echo "export const recombineWasm ="
  base64 -w 96 "$wasm" | sed "s/.*/  '&' +/; \$s/ +\$/;/"
} > recombine-wasm.ts
