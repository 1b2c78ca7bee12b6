"""TF_CONFIG: which processes train together, and what is wrong with it, told without TensorFlow."""

from __future__ import annotations

import json

import pytest
from python_apart import run_python

from converters.base.errors import InputError, exit_status
from lenet_edge.train import main
from lenet_edge.training.cluster import ALONE, Cluster, cluster_of


def config(cluster, kind="worker", index=0):
    return json.dumps({"cluster": cluster, "task": {"type": kind, "index": index}})


@pytest.mark.parametrize("text", [None, "", "{}", '{"cluster": {}}', config({"worker": ["a:1"]})])
def test_one_process_trains_alone(text):
    cluster = cluster_of(text)
    assert (cluster.count, cluster.place, cluster.is_chief) == (1, 0, True)


def test_the_first_worker_is_the_chief():
    first, second = (cluster_of(config({"worker": ["a:1", "b:2"]}, index=index)) for index in (0, "1"))
    assert first == Cluster(addresses=("a:1", "b:2"), place=0)
    assert second == Cluster(addresses=("a:1", "b:2"), place=1)
    assert (first.is_chief, second.is_chief) == (True, False)


def test_a_chief_comes_before_the_workers():
    jobs = {"worker": ["b:2", "c:3"], "chief": ["a:1"]}
    places = [cluster_of(config(jobs, *task)) for task in (("chief", 0), ("worker", 0), ("worker", 1))]
    assert [cluster.place for cluster in places] == [0, 1, 2]
    assert {cluster.addresses for cluster in places} == {("a:1", "b:2", "c:3")}


TWO = {"worker": ["a:1", "b:2"]}
EXAMPLE = '{"cluster": {"worker": ["HOST:PORT", "HOST:PORT"]}, "task": {"type": "worker", "index": 0}}'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "expected TF_CONFIG to be JSON, got {"),
        ("{" + 99 * "x", f"expected TF_CONFIG to be JSON, got {{{76 * 'x'}..."),
        ("[]", f"expected TF_CONFIG like {EXAMPLE}, got []"),
        ('{"cluster": 3}', f'expected TF_CONFIG like {EXAMPLE}, got {{"cluster": 3}}'),
        (
            config({"ps": ["a:1"]}, "ps"),
            "expected the jobs chief and worker in TF_CONFIG, got ps",
        ),
        (config({"chief": ["a:1", "b:2"]}, "chief"), "expected one chief in TF_CONFIG, got 2"),
        (config({"worker": "a:1"}), "expected lists of HOST:PORT in TF_CONFIG, got a:1"),
        (config({"worker": ["a"]}), "expected addresses HOST:PORT in TF_CONFIG, got a"),
        (config({"worker": [":1"]}), "expected addresses HOST:PORT in TF_CONFIG, got :1"),
        (config({"worker": ["a:70000"]}), "expected addresses HOST:PORT in TF_CONFIG, got a:70000"),
        (config({"worker": [3]}), "expected addresses HOST:PORT in TF_CONFIG, got 3"),
        (
            config({"worker": ["a:1", "a:1"]}),
            "expected a different address for each process in TF_CONFIG, got {'worker': ['a:1', 'a:1']}",
        ),
        (
            config(TWO, "evaluator"),
            "expected a task in TF_CONFIG whose type is a job of the cluster, got "
            "{'type': 'evaluator', 'index': 0}",
        ),
        (
            json.dumps({"cluster": TWO}),
            "expected a task in TF_CONFIG whose type is a job of the cluster, got None",
        ),
        (config(TWO, index=2), "expected an index of 0 to 1 for the worker in TF_CONFIG, got 2"),
        (config(TWO, index=-1), "expected an index of 0 to 1 for the worker in TF_CONFIG, got -1"),
        (config(TWO, index=None), "expected an index of 0 to 1 for the worker in TF_CONFIG, got None"),
    ],
)
def test_what_is_wrong_is_a_line_before_the_digits_are_read(text, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_CONFIG", text)
    monkeypatch.setattr("lenet_edge.train.training_and_held_out", None)
    assert exit_status(main, [], name="lenet-edge train") == 2
    assert capsys.readouterr().err == f"lenet-edge train: {message}\n"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--paper"],
            "expected --paper in one process, as it learns one digit at a time, got a TF_CONFIG of 2 workers",
        ),
        (["--batch-size", "31"], "expected a --batch-size that 2 workers share equally, got 31"),
        (["--strings", "--batch-size", "31"], "expected a --batch-size that 2 workers share equally, got 31"),
    ],
)
def test_what_several_processes_cannot_train(arguments, message, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TF_CONFIG", config(TWO))
    monkeypatch.setattr("lenet_edge.train.the_papers_digits", None)
    monkeypatch.setattr("lenet_edge.train.training_and_held_out", None)
    assert exit_status(main, arguments, name="lenet-edge train") == 2
    assert capsys.readouterr().err == f"lenet-edge train: {message}\n"
    assert not list(tmp_path.iterdir())


def test_tensorflow_is_not_imported_to_say_so(tmp_path):
    code = (
        "import os, sys\n"
        "from converters.base.errors import exit_status\n"
        "from lenet_edge.train import main\n"
        "for config in ('{', '{\"cluster\": {\"ps\": []}}'):\n"
        "    os.environ['TF_CONFIG'] = config\n"
        "    assert exit_status(main, ['--out', sys.argv[1]], name='train') == 2\n"
        "assert not {'tensorflow', 'keras'} & set(sys.modules)\n"
    )
    done = run_python(code, tmp_path / "out")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("resume", [False, True])
def test_only_the_chief_looks_into_out_and_makes_it(resume, tmp_path, monkeypatch):
    """A worker may be on a machine without it; with --resume the chief begins where nothing is."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("lenet_edge.train.training_and_held_out", lambda **_: (None, None))
    monkeypatch.setattr("lenet_edge.train._train", lambda *_, **__: None)
    arguments = ["--out", "out", *(["--resume"] if resume else [])]
    monkeypatch.setenv("TF_CONFIG", config(TWO, index=1))
    assert main(arguments) == 0
    assert not list(tmp_path.iterdir())
    monkeypatch.setenv("TF_CONFIG", config(TWO))
    assert main(arguments) == 0
    assert (tmp_path / "out").is_dir()
    (tmp_path / "out" / "checkpoints" / "checkpoint").write_text("")
    if resume:
        assert main(arguments) == 0
    else:
        with pytest.raises(InputError, match="expected an empty output folder or --resume, got a training"):
            main(arguments)


def test_a_batch_of_any_size_is_one_process_s():
    ALONE.check_batch_size(31)
