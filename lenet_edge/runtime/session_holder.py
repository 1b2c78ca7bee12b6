"""The shared base of the readers: open a file's session, share it between threads, close it."""

from __future__ import annotations

import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar

from converters.base.errors import InputError
from converters.runtimes.interpreters import Refused
from converters.runtimes.sessions import Session, check_options

Model = str | os.PathLike[str]
"""A packaged model's name or a file's path."""


@dataclass(frozen=True, kw_only=True)
class SessionOptions:
    """The runtime, delegate and threads of a `converters.runtimes.sessions.Session`.

    Raises InputError for options that a Session does not take; nothing is loaded.
    """

    runtime: str = "auto"
    delegate: str | os.PathLike[str] = "auto"
    delegate_options: Mapping[str, str] | None = None
    threads: int = 1
    require_delegate: bool = False

    def __post_init__(self) -> None:
        check_options(
            delegate=os.fspath(self.delegate), delegate_options=self.delegate_options, threads=self.threads
        )

    def open(self, content: bytes) -> Session:
        """Open a session for the .tflite file `content`; errors as Session."""
        return Session(
            content,
            runtime=self.runtime,
            delegate=self.delegate,
            delegate_options=self.delegate_options,
            threads=self.threads,
            require_delegate=self.require_delegate,
        )


@contextlib.contextmanager
def refusals_name_model(model: Model) -> Iterator[None]:
    """Turn a runtime's refusal into an InputError that names `model`."""
    try:
        yield
    except Refused as error:
        wanted = f"{os.fspath(model)} to be a .tflite file that runs"
        raise InputError(f"expected {wanted}, got: {error}") from error


_Reader = TypeVar("_Reader", bound="SessionHolder")


class SessionHolder:
    """Holds a session until closed; threads take turns. A context manager.

    `noun` is the name of the reader in errors. `reopen` opens the session once more: a child of `fork` has
    none of the threads that the interpreter may wait for, and none that would return the turn.
    """

    noun = "reader"

    def __init__(self, session: Session, reopen: Callable[[], Session]) -> None:
        self._session: Session | None = session
        self._turn = threading.Lock()
        self._reopen = reopen
        self._of_parent: Session | None = None
        _holders.add(self)

    def __enter__(self: _Reader) -> _Reader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Free the interpreter; a second call does nothing."""
        with self._turn:
            session, self._session = self._session, None
        if session is not None and session is not self._of_parent:
            session.close()

    @contextlib.contextmanager
    def _exclusive_session(self) -> Iterator[Session]:
        """Lend the session to one thread at a time; InputError after `close`."""
        with self._turn:
            if self._session is None:
                raise InputError(f"expected an open {self.noun}, got a closed one")
            if self._session is self._of_parent:
                self._session = self._reopen()
            yield self._session

    def _after_fork(self) -> None:
        """Forget who had the turn; the parent's session stays in memory, as destroying it may wait, too."""
        self._turn = threading.Lock()
        self._of_parent = self._session


_holders: weakref.WeakSet[SessionHolder] = weakref.WeakSet()


def _after_fork() -> None:
    for holder in _holders:
        holder._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
