"""`lenet-edge SUBCOMMAND` and its help."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lenet_edge import __version__
from lenet_edge.cli import COMMANDS, main


def test_help_names_every_subcommand(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    out = capsys.readouterr().out
    assert all(name in out for name in COMMANDS)


def test_without_a_subcommand_all_are_listed(capsys):
    assert main([]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("lenet-edge: expected a subcommand, got none\n")
    assert all(f"  {name:<12} {line}\n" in err for name, line in COMMANDS.items())


def test_version(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"lenet-edge {__version__}\n"


@pytest.mark.parametrize("name", COMMANDS)
def test_each_subcommand_has_help_without_loading_tensorflow(name):
    code = (
        "import sys\nfrom lenet_edge.cli import main\n"
        f"try:\n    main([{name!r}, '--help'])\nexcept SystemExit as end:\n    assert end.code == 0\n"
        "assert 'tensorflow' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert f"usage: lenet-edge {name}" in done.stdout


def test_bad_input_in_a_subcommand_is_one_line(capsys):
    assert main(["train", "--epochs", "0"]) == 2
    assert capsys.readouterr().err == "lenet-edge train: expected --epochs of 1 or more, got 0\n"


def test_an_unknown_subcommand_is_an_error():
    done = subprocess.run([sys.executable, "-m", "lenet_edge", "fly"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "invalid choice: 'fly'" in done.stderr
    assert "Traceback" not in done.stderr


WITHOUT = """
import importlib.util, sys
hidden = set(sys.argv[1].split(","))
found = importlib.util.find_spec
class Hidden:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in hidden:
            raise ModuleNotFoundError(f"no {name}", name=name)
sys.meta_path.insert(0, Hidden())
importlib.util.find_spec = lambda name, *rest: None if name.split(".")[0] in hidden else found(name, *rest)
from lenet_edge.cli import main
sys.exit(main(sys.argv[2:]))
"""


@pytest.mark.parametrize("command", ["convert", "parity"])
@pytest.mark.parametrize("hidden", ["tensorflow", "tensorflow,ai_edge_litert"])
def test_without_tensorflow_a_line_says_how_to_install_it(command, hidden):
    line = [sys.executable, "-c", WITHOUT, hidden, command]
    done = subprocess.run(line, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr.startswith(f"lenet-edge {command}: expected TensorFlow")
    assert 'pip install "lenet-edge[train]"' in done.stderr
    assert done.stderr.count("\n") == 1
