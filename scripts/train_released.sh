#!/bin/sh
# The exact commands that made the released weights: two teachers, the two nets that learn from them,
# the paper's own recipe, then the release; then the strings' net, which starts from the released one.
# Some five hours on two cores; an interrupted step goes on with --resume. BIN is the folder with lenet-edge, DATA one with MNIST's four IDX files (or empty).
set -eu
BIN=${BIN:-.venv/bin}
data=${DATA:+--data $DATA}
train() {
    out=$1
    shift
    resume=
    test -d "$out/checkpoints" && resume=--resume
    test -f "$out/report.json" || "$BIN/lenet-edge" train --out "$out" --distortion-seed 1998 --verbose 2 $data $resume "$@"
}
train runs/teacher1 --model teacher --epochs 24 --learning-rate 1e-3 --seed 1
train runs/teacher2 --model teacher --epochs 24 --learning-rate 1e-3 --seed 2
train runs/lenet5 --learn-from runs/teacher1 runs/teacher2 --epochs 400
test -f runs/qat/report.json || "$BIN/lenet-edge" quantize --weights runs/lenet5/weights.npz --out runs/qat --verbose 2 $data
train runs/stock --model stock --learn-from runs/teacher1 runs/teacher2 --epochs 120
as_printed() {
    out=$1
    shift
    resume=
    test -d "$out/checkpoints" && resume=--resume
    test -f "$out/report.json" || "$BIN/lenet-edge" train --paper --threads 1 --verbose 2 --out "$out" $data $resume "$@"
}
for seed in 1 2 3; do
    as_printed runs/paper_$seed --seed $seed --test
done
as_printed runs/paper_distorted_1 --distortions --seed 1 --test
as_printed runs/paper_first_15000 --seed 1 --limit 15000 --test
as_printed runs/paper_first_30000 --seed 1 --limit 30000 --test
as_printed runs/paper_held_out --seed 1 --limit 55000
"$BIN/python" scripts/paper_departures.py runs $data
"$BIN/python" scripts/paper_figures.py runs
"$BIN/python" scripts/release.py runs
# The strings' net went on from what was released before it, which `train --strings --epochs 280 --batch-size 64` had made,
# and then the same command with `--start` and `--keep 0.4` (git show 8ab2e87:scripts/train_released.sh).
test -f runs/start.npz || git show 8ab2e87:lenet_edge/released/lenet5_wide.npz > runs/start.npz
train runs/string_teacher --strings --model teacher --epochs 40 --passes 60 --gentle-passes 8 --batch-size 64 --learning-rate 2e-3
wide() {
    train "$@" --strings --learn-from runs/string_teacher --batch-size 64
}
wide runs/lenet5_wide_1 --start runs/start.npz --keep 0.25 --epochs 200 --passes 60 --gentle-passes 8 --learning-rate 1.5e-3
wide runs/lenet5_wide --start runs/lenet5_wide_1/weights.npz --keep 0.5 --epochs 80 --passes 52 --gentle-passes 0 --learning-rate 1e-3 --seed 1999
test -f runs/wide_qat/report.json || "$BIN/lenet-edge" quantize --strings --weights runs/lenet5_wide/weights.npz --batch-size 64 --out runs/wide_qat --verbose 2 $data
"$BIN/python" scripts/release_wide.py runs/lenet5_wide --fine-tuned runs/wide_qat $data
