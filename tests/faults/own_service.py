"""The documentation's example of a service of one's own: copied into an empty folder, run there, killed, run again."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from lab import clients
from lab.servers import Keeper, free_ports
from patterns.amqp import Channel, Transport
from patterns.broker import EmbeddedTransport
from patterns.connection import RabbitTransport
from patterns.database import Database
from patterns.engine import sqlite_url
from patterns.settings import Settings
from tests.house.sources import ROOT

PROGRAM = ROOT / "examples" / "loyalty.py"
PATIENCE_SECONDS = 90.0
SERVICE = "loyalty"


class OwnService:
    """One process that runs the example, and what a test wants to know of it."""

    def __init__(self, keeper: Keeper, folder: Path, rabbitmq_url: str = "", database_url: str = "", **others: str) -> None:
        shutil.copy(PROGRAM, folder)
        self._keeper, self._folder, self._rabbitmq_url = keeper, folder, rabbitmq_url
        self._process: subprocess.Popen[Any] | None = None
        [port] = free_ports(1)
        ours = {name.upper() for name in Settings.model_fields}
        self._environment = {name: value for name, value in os.environ.items() if name not in ours} | {
            "RABBITMQ_URL": rabbitmq_url, "DATABASE_URL": database_url, "SERVICE_PORT": str(port), **others,
        }
        self.http = clients.client(base_url=f"http://127.0.0.1:{port}", timeout=30)
        url = database_url.replace("{service}", SERVICE) if database_url else sqlite_url(folder / ".orderflow", SERVICE)
        self.database = Database(SERVICE, url)

    def start(self) -> None:
        """Run it, and wait until it is ready."""
        with (self._folder / "log").open("a") as log:
            self._process = self._keeper.start(
                [sys.executable, PROGRAM.name], cwd=self._folder, env=self._environment, stdout=log, stderr=log
            )
        self.until(lambda: self.ready, "it is ready")

    def kill(self) -> None:
        """``kill -9``."""
        assert self._process is not None and self._process.poll() is None, self.log
        self._keeper.end(self._process)

    def stop(self) -> None:
        """SIGTERM; it ends by itself, in order."""
        assert self._process is not None
        self._process.terminate()
        assert self._process.wait(PATIENCE_SECONDS) == 0, self.log

    @property
    def ready(self) -> bool:
        """What ``/readyz`` says."""
        assert self._process is not None and self._process.poll() is None, self.log
        try:
            return self.http.get("/readyz").status_code == 200
        except httpx.TransportError:
            return False

    @property
    def log(self) -> str:
        """All it has logged."""
        return (self._folder / "log").read_text()

    def counts(self, what: str) -> int:
        """What its listener has counted."""
        return int(self.http.get("/readyz").json()["counts"].get(what, 0))

    def sql(self, statement: str) -> list[Any]:
        """Run a statement in its database; answers the rows, if it has any."""
        def work(session: Any) -> list[Any]:
            result = session.execute(text(statement))
            return list(result) if result.returns_rows else []

        return self.database.transact(work)

    @contextmanager
    def channel(self) -> Iterator[Channel]:
        """Its broker, for a look or a word from outside; the embedded one only while the service is down."""
        broker: Transport
        if self._rabbitmq_url:
            broker = RabbitTransport(self._rabbitmq_url)
        else:
            broker = EmbeddedTransport(self._folder / ".orderflow" / "broker")
        connection = broker.connect("test")
        try:
            yield connection.channel()
        finally:
            connection.close()
            if isinstance(broker, EmbeddedTransport):
                broker.close()

    def until(self, what: Callable[[], Any], doing: str) -> None:
        """Wait for something to become true."""
        limit, pause = time.monotonic() + PATIENCE_SECONDS, threading.Event()
        while not what():
            assert time.monotonic() < limit, f"waited {PATIENCE_SECONDS:g} s in vain: {doing}\n{self.log}"
            pause.wait(0.02)

    def close(self) -> None:
        """End it, however it is."""
        if self._process is not None:
            self._keeper.end(self._process)
        self.http.close()
        self.database.close()
