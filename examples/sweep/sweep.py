"""Train LeNet-5 from several seeds and with several sets of distorted copies, with Ray Tune; name the best.

pip install "lenet-edge[train]" "ray[tune]"
python sweep.py runs/sweep -- --data MNIST --epochs 25

What stands behind `--` goes to every training. The best is chosen by the held-out digits, never by the test
digits. Started again, it goes on: what was trained is kept.
"""

import argparse
import json
import subprocess
from pathlib import Path

from ray import tune

SEEDS = [1998, 1999, 2000]
DISTORTION_SEEDS = [1, 2]
CORES = 1  # of each training


def trained(choice, *, out, words):
    """Train with the seeds of `choice` in a folder of its own; report the held-out error, in percent."""
    folder = out / f"seed-{choice['seed']}-distortions-{choice['distortion_seed']}"
    report = folder / "report.json"
    if not report.exists():
        resume = ["--resume"] if (folder / "checkpoints" / "checkpoint").exists() else []
        seeds = ["--seed", str(choice["seed"]), "--distortion-seed", str(choice["distortion_seed"])]
        command = ["lenet-edge", "train", "--out", str(folder), *seeds, "--threads", str(CORES), *resume]
        subprocess.run([*command, "--verbose", "0", *words], check=True)
    tune.report({"held_out_error": json.loads(report.read_text())["held_out"]["error"], "out": str(folder)})


def main():
    """Train all, and print them, the best first."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, help="a folder for the trainings, which all machines see")
    parser.add_argument("words", nargs="*", help="more options of lenet-edge train")
    options = parser.parse_args()
    out = options.out.resolve()
    choices = {"seed": tune.grid_search(SEEDS), "distortion_seed": tune.grid_search(DISTORTION_SEEDS)}
    trainable = tune.with_parameters(trained, out=out, words=options.words)
    tuner = tune.Tuner(
        tune.with_resources(trainable, {"cpu": CORES}),
        param_space=choices,
        run_config=tune.RunConfig(storage_path=str(out / "ray"), verbose=0),
    )
    results = tuner.fit()
    if results.errors:
        raise SystemExit(f"{len(results.errors)} of {len(results)} trainings failed: {results.errors[0]}")
    for result in sorted(results, key=lambda result: result.metrics["held_out_error"]):
        print(f"{result.metrics['held_out_error']:.2f} % of the held-out digits: {result.metrics['out']}")


if __name__ == "__main__":
    main()
