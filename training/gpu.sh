#!/bin/bash
# Train on one graphics card for a few minutes and bring the weights back.
#
#   training/gpu.sh packed/ starter.pt back/ 12              minutes; the rest goes to train.py
#   training/gpu.sh packed/ back/average.pt back2/ 30 --seed 7
#
# Needs PyTorch with CUDA and OpenCV (requirements.txt). bfloat16 and batches of 256; the rates are those of batches of
# 32 times about the square root of eight. A run that is cut off goes on with the same command: the run's folder holds
# last.pt and is written every minute. What comes back: average.pt, log.jsonl and last.pt in the third argument.
set -euo pipefail
if [ $# -lt 4 ]; then sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2; fi
data=$1 start=$2 back=$3 minutes=$4
shift 4
here=$(cd "$(dirname "$0")" && pwd)
python=${PYTHON:-python3}
"$python" -c 'import sys, torch; torch.cuda.is_available() or sys.exit("no CUDA card that PyTorch can use")'
mkdir -p "$back"
"$python" "$here/train.py" "$data" "$back" --init "$start" --device cuda --bf16 --batch 256 --minutes "$minutes" \
  --lr 1.6e-3 --encoder-lr 4e-4 --ema 0.998 --save-minutes 1 --threads 4 \
  --workers "$(($(nproc) > 3 ? $(nproc) - 2 : 1))" --phases 128:0.4,192:0.3,256:0.3 --chroma 0.92 "$@"
echo "weights in $back/average.pt; measure them: $python $here/evaluate.py $back/average.pt val/"
