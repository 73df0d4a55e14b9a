"""The broker's journal: one append-only file that outlives ``kill -9``.

Written with a single ``write`` for each operation and without fsync: the kernel has it, so it survives the process,
though not a power cut.  At start, and when it has grown much, it is replaced by what is still true, with a rename.
"""

from __future__ import annotations

import fcntl
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO

from patterns.broker.data import JournalEntry, Message
from patterns.broker.framing import decode, encode
from patterns.broker.machine import Machine
from patterns.broker.records import rebuild
from patterns.errors import EmbeddedBrokerInUse

FILE, LOCK = "journal", "lock"
SMALL = 8 * 2**20
"""A journal below this many bytes is not worth shrinking."""
FRAME = 500
"""Records in a frame, when the whole journal is rewritten."""


class Journal:
    """A folder's journal, held by one process.  Raises EmbeddedBrokerInUse when another one has it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = _hold(folder)
        self._file: int | None = None
        self._size = self._live = 0

    def records(self) -> list[JournalEntry]:
        """Everything that was written; a torn end is left out.  Write nothing before :meth:`compact` afterwards."""
        return load(self.folder)

    def write(self, records: Iterable[JournalEntry]) -> None:
        """Append the records: all of them, or after a crash none.  Raises OSError when the disk is full."""
        assert self._file is not None, "compact() opens the file"  # noqa: S101
        self._size += _write(self._file, encode(records))

    @property
    def is_bloated(self) -> bool:
        """Whether most of the file is about messages that are gone."""
        return self._size > SMALL and self._size > 2 * self._live

    def compact(self, records: Iterable[JournalEntry]) -> None:
        """Replace the file by one with these records; at any moment one of the two is whole."""
        new = self.folder / f"{FILE}.new"
        file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        left, size = iter(records), 0
        try:
            while frame := list(islice(left, FRAME)):
                size += _write(file, encode(frame))
        except OSError:
            os.close(file)
            raise
        new.replace(self.folder / FILE)
        self._close_file()
        self._file, self._size, self._live = file, size, size

    @staticmethod
    def read(folder: Path) -> dict[str, list[Message]]:
        """What each durable queue holds (ready or delivered), of a broker that runs or one that stopped."""
        machine = rebuild(Machine(), load(folder), 0.0)
        return {name: [entry.message for entry in queue.ready] for name, queue in machine.queues.items()}

    @staticmethod
    @contextmanager
    def locked(folder: Path) -> Iterator[None]:
        """Keep every broker out of the folder.  Raises EmbeddedBrokerInUse when one is in it."""
        folder.mkdir(parents=True, exist_ok=True)
        with _hold(folder):
            yield

    def close(self) -> None:
        """Let go of the folder."""
        self._close_file()
        self._lock.close()

    def _close_file(self) -> None:
        if self._file is not None:
            os.close(self._file)
            self._file = None


def load(folder: Path) -> list[JournalEntry]:
    """A folder's records, whether or not a broker is using it just now."""
    path = folder / FILE
    return decode(path.read_bytes())[0] if path.exists() else []


def _write(file: int, data: bytes) -> int:
    left = memoryview(data)
    while left:
        left = left[os.write(file, left):]
    return len(data)


def _hold(folder: Path) -> IO[str]:
    lock = (folder / LOCK).open("a+")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise EmbeddedBrokerInUse(
            f"The embedded broker in {folder} is in use by {holder}. Stop that process, or set ORDERFLOW_HOME to "
            "another folder; to share one broker between processes, use RabbitMQ (RABBITMQ_URL)"
        ) from error
    lock.truncate(0)
    lock.write(f"process {os.getpid()} ({' '.join(sys.argv)[:200]}), since {datetime.now():%Y-%m-%d %H:%M:%S}")
    lock.flush()
    return lock
