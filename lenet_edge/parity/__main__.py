"""`python -m lenet_edge.parity`."""

from converters.base.errors import exit_status
from lenet_edge.parity.command import main

raise SystemExit(exit_status(main, name="lenet-edge parity"))
