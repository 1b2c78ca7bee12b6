"""`python -m lenet_edge SUBCOMMAND` is `lenet-edge SUBCOMMAND`."""

from lenet_edge.cli import script

if __name__ == "__main__":
    script()
