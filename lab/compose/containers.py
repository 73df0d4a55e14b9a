"""The containers of docker-compose.yml: started, killed, started again, and asked for the audit."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
from collections.abc import Sequence
from typing import Any

from patterns.errors import OrderflowError

COMPOSE = shlex.split(os.environ.get("DOCKER_COMPOSE", "docker compose"))
DOCKER = shlex.split(os.environ.get("DOCKER", "docker"))


class ComposeTrouble(OrderflowError):
    """A docker command failed, or the shop did not do what was waited for."""


def compose(*arguments: str, **environment: str) -> str:
    """Run docker compose; answers what it says on standard output."""
    return _run([*COMPOSE, *arguments], environment)


def docker(*arguments: str) -> str:
    """Run docker; answers what it says on standard output."""
    return _run([*DOCKER, *arguments], {})


def up(mode: str = "") -> None:
    """Build and start everything; with a mode, only let the order service begin orders in it (MESSAGING_MODE)."""
    if mode:
        compose("up", "-d", "--no-deps", "order", MESSAGING_MODE=mode)
    else:
        compose("up", "-d", "--build")


class Victim:
    """One container, to be killed and brought back."""

    def __init__(self, service: str) -> None:
        self.service = service
        self._id = compose("ps", "-q", service).strip()
        if not self._id:
            raise ComposeTrouble(f"No container of {service} is running.")

    def kill(self) -> None:
        """``docker kill``: SIGKILL, and nobody starts it again but we."""
        docker("kill", self._id)

    def start(self) -> None:
        """Start it again.  Raises ComposeTrouble if it was not dead, for then nothing was tried."""
        if docker("inspect", "-f", "{{.State.Running}}", self._id).strip() != "false":
            raise ComposeTrouble(f"{self.service} ran although it had been killed.")
        docker("start", self._id)


def audit(wait: float) -> dict[str, Any]:
    """The audit's report, from a container of its own that may read all six databases."""
    command = [*COMPOSE, "run", "--rm", "-T", "audit", "audit", "--json", f"--wait={wait:g}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        raise ComposeTrouble(f"The audit failed: {done.stderr[-1000:] or done.stdout[-1000:]}")
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def _run(command: Sequence[str], environment: dict[str, str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **environment})
    if done.returncode:
        said = (done.stderr or done.stdout)[-2000:]
        raise ComposeTrouble(f"`{shlex.join(command)}` ended with {done.returncode}:\n{said}")
    return done.stdout
