"""A folder in memory, for what is written and soon forgotten: databases by the hundred, journals, logs of a run."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from lab.servers.otherroot import inside

PLACE = Path("/dev/shm")  # noqa: S108 (the folder made in it is our own)
"""Linux keeps its files in memory: https://docs.kernel.org/filesystems/tmpfs.html."""
ENOUGH_BYTES = 4 << 30
"""Four processes with their servers need one at most; a container often has 64 MB there, and keeps to its disk."""


@contextmanager
def temporary_files_in_memory() -> Iterator[list[str]]:
    """Temporary files of this process, and of those it starts, go to memory where there is enough of it.

    To make a database costs the processor a tenth there (Debian 12: 50 to 200 ms on ext4, 10 ms in memory), and
    ``kill -9`` loses no more than on a disk.  Answers a list: whoever puts a reason into it has the folder left there.
    """
    reasons: list[str] = []
    if not _enough():
        yield reasons
        return
    before, folder = os.environ.get("TMPDIR"), tempfile.mkdtemp(prefix="orderflow-", dir=PLACE)
    Path(folder).chmod(0o711)  # root's PostgreSQL is another user's
    os.environ["TMPDIR"], tempfile.tempdir = folder, None
    try:
        yield reasons
    finally:
        tempfile.tempdir = None
        os.environ.pop("TMPDIR")
        if before is not None:
            os.environ["TMPDIR"] = before
        if reasons:
            print(f"{reasons[0]}: what it left is in {folder}, in memory. Remove it when you have looked.", file=sys.stderr)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _enough() -> bool:
    with suppress(OSError):
        return not inside() and os.access(PLACE, os.W_OK) and shutil.disk_usage(PLACE).free >= ENOUGH_BYTES
    return False
