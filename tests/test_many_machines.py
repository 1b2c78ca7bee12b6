"""The lines of docs/many-machines.md that start a training on several machines, with stand-ins."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from lenet_edge.training.cluster import Cluster, cluster_of

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "many-machines.md").read_text()

COMMANDS = {
    # Notes its TF_CONFIG and words; ends with the next of the statuses that it was given, and then with 0.
    "lenet-edge": """
printf '%s\\t%s\\n' "$TF_CONFIG" "$*" >> trained
status=$(head -n 1 statuses); sed -i 1d statuses
exit ${status:-0}""",
    "scontrol": """
if [ "$1" = show ]; then printf 'node-1\\nnode-2\\n'; else echo "$*" >> requeued; fi""",
    # As Slurm's: the command for each task, and the highest of their statuses.
    "srun": """
worst=0
for SLURM_PROCID in 0 1; do
    export SLURM_PROCID; "$@"; status=$?; [ $status -gt $worst ] && worst=$status
done
exit $worst""",
}


def block(language, word):
    """Return the block of the page in `language` that has `word` in it."""
    (found,) = [text for text in re.findall(rf"```{language}\n(.*?)```", PAGE, re.DOTALL) if word in text]
    return found


@pytest.fixture
def run(tmp_path):
    """Run a script with the stand-ins, which end with `statuses`; return what was trained."""
    (tmp_path / "bin").mkdir()
    for name, body in COMMANDS.items():
        command = tmp_path / "bin" / name
        command.write_text(f"#!/bin/bash{body}\n")
        command.chmod(0o755)

    def run(script, *statuses, **variables):
        (tmp_path / "trained").write_text("")
        (tmp_path / "statuses").write_text("".join(f"{status}\n" for status in statuses))
        path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
        subprocess.run(["bash", "-c", script], cwd=tmp_path, env={"PATH": path, **variables}, timeout=60)
        trained = [line.split("\t") for line in (tmp_path / "trained").read_text().splitlines()]
        assert all(words.startswith("train ") and "--resume" in words for _, words in trained)
        return [cluster_of(config) for config, _ in trained]

    return run


HOSTS = Cluster(addresses=("host-a:12345", "host-b:12345"))
NODES = [Cluster(addresses=("node-1:12345", "node-2:12345"), place=place) for place in (0, 1)]


@pytest.mark.parametrize(
    ("statuses", "times"), [((), 1), ((75,), 2), ((137, 75), 3), ((2,), 1), ((75, 130), 2)]
)
def test_two_hosts_start_again_until_it_is_trained_or_the_input_is_bad(statuses, times, run):
    assert run(block("sh", "until lenet-edge"), *statuses) == [HOSTS] * times


@pytest.mark.parametrize(
    ("statuses", "requeued"), [((), False), ((75, 0), True), ((137, 75), True), ((2, 2), False)]
)
def test_slurm_tells_each_task_and_queues_the_job_again(statuses, requeued, run, tmp_path):
    variables = {"SLURM_JOB_NODELIST": "node-[1-2]", "SLURM_JOB_ID": "17"}
    assert run(block("sh", "#SBATCH"), *statuses, **variables) == NODES
    if requeued:
        assert (tmp_path / "requeued").read_text() == "requeue 17\n"
    else:
        assert not (tmp_path / "requeued").exists()


def test_kubernetes_tells_each_pod(run):
    service, job = yaml.safe_load_all(block("yaml", "kind: Job"))
    spec, name = job["spec"], job["metadata"]["name"]
    pod = spec["template"]["spec"]
    domain = service["metadata"]["name"]
    assert (service["spec"]["selector"], pod["subdomain"]) == ({"job-name": name}, domain)
    count = spec["completions"]
    assert spec["parallelism"] == count  # all at once: each waits for the others
    (container,) = pod["containers"]
    assert container["command"] == ["bash", "-c"]
    addresses = tuple(f"{name}-{index}.{domain}:12345" for index in range(count))
    for index in range(count):
        found = run(container["args"][0], JOB_COMPLETION_INDEX=str(index))
        assert found == [Cluster(addresses=addresses, place=index)]
    mounted = {mount["name"] for mount in container["volumeMounts"]}
    assert mounted == {volume["name"] for volume in pod["volumes"]}
