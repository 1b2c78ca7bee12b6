"""`lenet-edge train` on the few digits of the package; what each process ends with goes to a file.

Arguments: that file, then those of the command.
"""

import sys

import numpy as np

from converters.base.errors import exit_status
from lenet_edge import train
from lenet_edge.digits.mnist import Digits, calibration_digits
from lenet_edge.training import preparing


def main(argv):
    """Train, and save the weights of the model in this process."""
    from lenet_edge.training import recipe_run

    inner = recipe_run.train

    def saving(*arguments, **options):
        model, history = inner(*arguments, **options)
        np.savez(sys.argv[1], *model.get_weights())
        return model, history

    recipe_run.train = saving
    return train.main(argv)


def halves(digits):
    """Return the first 400 digits to train on, and the others."""
    return Digits(digits.images[:400], digits.labels[:400]), Digits(digits.images[400:], digits.labels[400:])


if __name__ == "__main__":
    training, held_out = halves(calibration_digits())
    preparing.training_digits = lambda data: training
    preparing.held_out_digits = lambda data: held_out
    raise SystemExit(exit_status(main, sys.argv[2:], name="lenet-edge train"))
