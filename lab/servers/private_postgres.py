"""A private PostgreSQL server, to be crashed at will."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psycopg import sql

from lab.servers.keeper import Keeper, find_program
from lab.servers.ports import free_ports
from lab.servers.postgres import Postgres
from lab.servers.private import Private
from patterns.errors import DatabaseUnavailable

PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)

#: PostgreSQL refuses to run as root, so root runs it as one of these.
USERS = ("postgres", "nobody")

#: The operating system holds what was written, so ``kill -9`` loses nothing (``synchronous_commit=off`` would).
#: Nor does it leave anything in /dev/shm, as other shared memory would.
_RELAXED = {"fsync": "off", "full_page_writes": "off", "dynamic_shared_memory_type": "mmap"}

_SMALL = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "autovacuum": "off",  # its locks on a template database would hold up CREATE DATABASE
    "jit": "off",
    "log_min_messages": "warning",
}

START_SECONDS = 30.0


class PrivatePostgres(Private, Postgres):
    """A PostgreSQL server of our own, with its own port, folder and password; reachable from this machine only.

    ``fsync=False`` makes it faster, and still safe against ``kill -9`` of the server, not against a power cut.  Other
    ``options`` are those of ``postgresql.conf``; without them it is small, as suits tests.
    """

    def __init__(self, *, fsync: bool = True, options: Mapping[str, str] | None = None) -> None:
        self.programs = _programs()
        self._keeper = Keeper("postgres")
        self.folder = self._keeper.folder
        self.port = free_ports(1)[0]
        self._password = secrets.token_hex(8)
        self._options = {**_SMALL, **({} if fsync else _RELAXED), **(options or {}), "port": str(self.port)}
        self._server: subprocess.Popen[bytes] | None = None
        self.version = "?"
        super().__init__(f"postgresql://orderflow:{self._password}@127.0.0.1:{self.port}/postgres")

    @property
    def description(self) -> str:
        """Which server this is."""
        return f"PostgreSQL {self.version}, private, port {self.port}"

    @property
    def running(self) -> bool:
        """Whether the server's first process lives."""
        return self._server is not None and self._server.poll() is None

    @property
    def pid(self) -> int:
        """The process id of the server's first process."""
        return self._alive().pid

    def start(self) -> None:
        """Start the server, and wait until it lets us in; it recovers what a crash left first."""
        if self.running:
            return
        deadline = time.monotonic() + START_SECONDS
        while True:
            options = [part for name, value in self._options.items() for part in ("-c", f"{name}={value}")]
            with (self.folder / "postgres.log").open("ab") as log:
                command = [str(self.programs / "postgres"), "-D", str(self.folder / "data"), *options]
                self._server = self._keeper.start(command, stdout=log, stderr=log, **self._as_user())
            if self._came_up(deadline):
                self.version = str(self.execute(sql.SQL("SHOW server_version"))[0][0]).split()[0]
                return
            # After a crash the old server's children may hold its shared memory for a moment: it refuses to start.
            self._keeper.end(self._server)
            if time.monotonic() > deadline:
                raise DatabaseUnavailable(f"The private PostgreSQL does not start. Its last words:\n{self._log()}")

    def kill(self) -> None:
        """SIGKILL: as in a crash; its other processes notice and end."""
        self._keeper.end(self._alive())

    def stop(self, *, immediate: bool = False) -> None:
        """Shut down: in order (clients are cut off), or at once, leaving recovery to the next start."""
        self._keeper.end(self._alive(), signal.SIGQUIT if immediate else signal.SIGINT)

    def close(self) -> None:
        """Kill the server and remove its folder."""
        self.disconnect()
        if self._server is not None:
            self._keeper.end(self._server, signal.SIGQUIT)
        self._keeper.close()

    def _how_copied(self) -> sql.SQL:
        """As files: a fifth of the time, where a checkpoint costs nothing since nothing is synced.

        https://www.postgresql.org/docs/15/sql-createdatabase.html (STRATEGY, new in 15)
        """
        known = self._options.get("fsync") == "off" and int(self.version.partition(".")[0]) >= 15
        return sql.SQL(" STRATEGY FILE_COPY" if known else "")

    def _alive(self) -> subprocess.Popen[bytes]:
        if self._server is None or self._server.returncode is not None:
            raise DatabaseUnavailable("This private PostgreSQL is not running; start() it first.")
        return self._server

    def _prepare(self) -> None:
        data, secret = self.folder / "data", self.folder / "password"
        data.mkdir(mode=0o700)
        secret.write_text(self._password)
        if "user" in self._as_user():
            self.folder.chmod(0o755)
            shutil.chown(data, self._as_user()["user"])
            shutil.chown(secret, self._as_user()["user"])
        command = [str(self.programs / "initdb"), "-D", str(data), "-U", "orderflow", f"--pwfile={secret}"]
        command += ["-A", "scram-sha-256", "-E", "UTF8", "--locale=C", "--no-sync", "--no-instructions"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, **self._as_user())
        if done.returncode:
            raise DatabaseUnavailable(f"initdb failed: {done.stderr or done.stdout}")

    def _came_up(self, deadline: float) -> bool:
        """Ask at the door until it opens (True), the server ends (False) or time is up (False)."""
        while self.running and time.monotonic() < deadline:
            try:
                self._connect().close()
            except DatabaseUnavailable:
                time.sleep(0.02)
            else:
                return True
        return False

    def _log(self) -> str:
        return "\n".join((self.folder / "postgres.log").read_text(errors="replace").splitlines()[-20:])

    @staticmethod
    def _as_user() -> dict[str, Any]:
        """How to start PostgreSQL when we are root: as somebody else."""
        if os.geteuid() != 0:
            return {"cwd": "/"}
        import pwd

        known = {entry.pw_name: entry for entry in pwd.getpwall()}
        entry = next(known[name] for name in USERS if name in known)
        return {"cwd": "/", "user": entry.pw_name, "group": entry.pw_gid, "extra_groups": []}


def _programs() -> Path:
    postgres = find_program("postgres", *PLACES)
    if postgres is None:
        raise DatabaseUnavailable("PostgreSQL is not installed here; `apt install postgresql` (or brew) brings it.")
    return postgres.parent
