"""A folder and the processes that live in it, which never outlive us."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
import tempfile
from pathlib import Path
from typing import Any

#: Waits until our end of the pipe closes (we closed it, or died, even by ``kill -9``), then kills and clears away.
_WATCH = """
cat >/dev/null
for pid in "$1"/pids/*; do [ -e "$pid" ] && kill -9 "${pid##*/}" 2>/dev/null; done
rm -rf "$1" 2>/dev/null || { sleep 1; rm -rf "$1"; }
"""


class Keeper:
    """A temporary folder and the processes started in it.

    A watching shell holds the other end of a pipe: when this process ends, however it ends, the shell kills what
    was started here and not ended yet (by its pid) and removes the folder.
    """

    def __init__(self, name: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix=f"orderflow-{name}-"))
        self._pids = self.folder / "pids"
        self._pids.mkdir()
        self._running: list[subprocess.Popen[Any]] = []
        self._watch = subprocess.Popen(
            ["/bin/sh", "-c", _WATCH, "keeper", str(self.folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            start_new_session=True,
        )

    def start(self, command: list[str], **options: Any) -> subprocess.Popen[Any]:
        """Start a process that ends with us; in its own session, so that Ctrl-C is ours to handle, not its."""
        process = subprocess.Popen(command, start_new_session=True, **options)
        (self._pids / str(process.pid)).touch()
        self._running.append(process)
        return process

    def end(self, process: subprocess.Popen[Any], signum: int = signal.SIGKILL, timeout: float = 30) -> None:
        """Signal a process and wait until it is gone; one that does not go in time is killed."""
        if process.returncode is None:
            process.send_signal(signum)
            try:
                process.wait(timeout)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if process.stdin:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        (self._pids / str(process.pid)).unlink(missing_ok=True)
        if process in self._running:
            self._running.remove(process)

    def close(self) -> None:
        """Kill what still runs and remove the folder."""
        for process in list(self._running):
            self.end(process)
        with contextlib.suppress(BrokenPipeError):
            if self._watch.stdin:
                self._watch.stdin.close()
        self._watch.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def find_program(name: str, *places: str) -> Path | None:
    """A program, looked for in ``places`` (glob patterns, the last match wins: the newest version), then in PATH."""
    for place in places:
        found = sorted(Path("/").glob(f"{place.lstrip('/')}/{name}"))
        if found:
            return found[-1]
    in_path = shutil.which(name)
    return Path(in_path) if in_path else None
