"""Let Ctrl-C end a training."""

from __future__ import annotations

import contextlib
import gc
import traceback
from collections.abc import Iterator


@contextlib.contextmanager
def iterators_let_go() -> Iterator[None]:
    """Destroy at a Ctrl-C what the interrupted training held, while other threads can still run.

    An iterator of TensorFlow waits for its threads when it is destroyed: at the interpreter's end, in vain.
    """
    try:
        yield
    except KeyboardInterrupt as error:
        traceback.clear_frames(error.__traceback__)
        gc.collect()
        raise
