"""An sdist without the hour, the person and the machine that built it.

setuptools heeds SOURCE_DATE_EPOCH in wheels only: its .tar.gz has the time of the build and the
owner's name.
"""

from __future__ import annotations

import gzip
import io
import tarfile
from pathlib import Path

from converters.base.files import write_atomically


def with_times(sdist: Path, seconds: int) -> None:
    """Write the .tar.gz `sdist` anew: sorted, nobody's, every file of the time `seconds` since 1970."""
    plain = io.BytesIO()
    with tarfile.open(sdist) as source, tarfile.open(fileobj=plain, mode="w") as target:
        for member in sorted(source.getmembers(), key=lambda one: one.name):
            entry = tarfile.TarInfo(member.name)
            entry.type, entry.size, entry.mtime = member.type, member.size, seconds
            entry.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            target.addfile(entry, source.extractfile(member) if member.isfile() else None)
    write_atomically(sdist, gzip.compress(plain.getvalue(), mtime=seconds))
