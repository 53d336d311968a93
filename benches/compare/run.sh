#!/usr/bin/env bash
# Fits Stoa's hybrid, two of its engines, the implicit library's ALS and discorec's on the same split, in
# one run, one thread each, and prints one table. Compare inside a run only.
#
#   benches/compare/run.sh SPLIT [VENV]
#
# SPLIT is a folder in the split layout (docs/EVALUATION.md). VENV is where implicit is installed, made if
# missing [default: target/compare-venv]; that needs Python 3 and its package index.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
split=${1:?"which split? benches/compare/run.sh SPLIT [VENV]"}
venv=${2:-$root/target/compare-venv}

# A core named for another machine makes OpenBLAS slow or wrong.
unset OPENBLAS_CORETYPE OPENBLAS_L2_SIZE
export OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 MKL_NUM_THREADS=1 RAYON_NUM_THREADS=1

if [ ! -x "$venv/bin/python" ]; then
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet implicit==0.7.3 scipy numpy
fi
(cd "$root" && cargo build --quiet --release -p stoa-compare)
out=$(mktemp)
trap 'rm -f "$out"' EXIT
# Each in a process of its own, so that each has its own peak of memory.
for method in rules slist hybrid discorec; do
  "${CARGO_TARGET_DIR:-$root/target}/release/stoa-compare" "$method" "$split" | tee -a "$out" >&2
done
"$venv/bin/python" "$here/implicit_als.py" "$split" | tee -a "$out" >&2
"$venv/bin/python" "$here/table.py" < "$out"
