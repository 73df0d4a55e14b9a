"""One process of the shop, which can be killed and comes back on the same ports."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx

import lab
from lab import clients
from lab.faults.dying import VARIABLE
from lab.servers import Keeper
from lab.torture.plan import TortureTrouble

START_SECONDS = 240.0
"""More than any start takes on a machine that is busy with other things."""
DRAIN_SECONDS = 120
"""Longer than usual: to finish what is in hand may take a while on a busy machine, and is a promise here."""
END_SECONDS = DRAIN_SECONDS + 20.0

_ORDERFLOW = [sys.executable, "-c", "from lab.cli import main; main()"]


class ShopProcess:
    """``orderflow`` with these arguments, logging to a file; ready when every one of its services is.

    A change of ``command`` or ``environment`` counts from its next start.
    """

    def __init__(
        self, keeper: Keeper, name: str, arguments: Sequence[str], environment: Mapping[str, str],
        services: Mapping[str, str], logs: Path,
    ) -> None:
        self.name, self.services, self.log = name, dict(services), logs / f"{name}.log"
        self._keeper, self._folder, self.command = keeper, logs, [*_ORDERFLOW, *arguments]
        source = str(Path(lab.__file__).parents[1])
        paths = [source, *filter(None, [os.environ.get("PYTHONPATH")])]
        self.environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), **environment}
        self._process: subprocess.Popen[Any] | None = None
        self.death = logs / f"{name}.dies"
        """Where a process that can die at a place is told to (:mod:`lab.faults.dying`)."""

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._running().pid

    def be_mortal(self) -> None:
        """Let it be one that can die at an exact place, from its next start."""
        self.command = [sys.executable, "-m", "lab.faults.dying", *self.command[len(_ORDERFLOW):]]
        self.environment[VARIABLE] = str(self.death)

    def start(self) -> None:
        """Start it; returns at once."""
        with self.log.open("ab") as log:
            self._process = self._keeper.start(
                self.command, env=self.environment, cwd=self._folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def wait_until_ready(self, not_any_more: threading.Event | None = None) -> None:
        """Wait until each of its services says that every part of it works, or the event is set."""
        deadline = time.monotonic() + START_SECONDS
        given_up = not_any_more or threading.Event()
        with clients.client(timeout=5) as http:
            for url in self.services.values():
                while not given_up.is_set() and not is_ready(http, url):
                    if self.ended is not None:
                        raise TortureTrouble(f"{self.name} ended with {self.ended} while starting. {self.last_words()}")
                    if time.monotonic() > deadline:
                        raise TortureTrouble(f"{self.name} is not ready after {START_SECONDS:g} s. {self.last_words()}")
                    given_up.wait(0.05)  # it is another process, which tells nobody here

    def kill(self) -> None:
        """``kill -9``: nothing in hand is finished."""
        self._keeper.end(self._running(), signal.SIGKILL)

    def pause(self) -> None:
        """SIGSTOP: it is there, and does nothing."""
        self._running().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT: it goes on where it was, and does not know how much later it is."""
        self._running().send_signal(signal.SIGCONT)

    def ask_to_end(self, signum: int = signal.SIGTERM) -> None:
        """Tell it to close; returns at once."""
        if self.ended is None:
            self._running().send_signal(signum)

    def wait_until_ended(self) -> int:
        """Its exit status, waited for; a process that does not end in time is killed, and answers as such."""
        process = self._running()
        with suppress(subprocess.TimeoutExpired):  # then the keeper kills it, and the exit status says so
            process.wait(END_SECONDS)
        self._keeper.end(process)
        return int(process.returncode)

    @property
    def ended(self) -> int | None:
        """Its exit status, or None while it runs."""
        return self._running().poll()

    def last_words(self) -> str:
        """Where its log is, and how it ends."""
        return f"The end of {self.log}:\n" + "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def _running(self) -> subprocess.Popen[Any]:
        if self._process is None:
            raise TortureTrouble(f"{self.name} was never started.")
        return self._process


def is_ready(http: httpx.Client, url: str) -> bool:
    """Whether a service says that every part of it works."""
    try:
        return http.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False
