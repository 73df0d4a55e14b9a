"""Serve an app on its port: one service with :func:`serve`, several in one process with :func:`serve_all`."""

from __future__ import annotations

import logging
import math
import socket
import threading
import time
from collections.abc import Mapping
from functools import partial
from typing import Any

import uvicorn
from fastapi import FastAPI

from patterns.errors import OrderflowError, SettingsError
from patterns.leaving import leave_at_once
from patterns.logs import configure_logs
from patterns.service import Service
from patterns.settings import port_setting, settings
from patterns.transport import transport

TIDY_SECONDS = 5.0
"""What a server may need to end after its service has."""


def bind(service: str) -> socket.socket:
    """Take a service's port.  Raises SettingsError with the number and the setting that changes it."""
    host, port = settings().orderflow_host, settings().port(service)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off; without, every answer waits 40 ms for an ACK.
    taken = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        taken.bind((host, port))
        taken.listen(2048)  # listening, so that a port somebody else listens on is noticed now
    except OSError as error:
        taken.close()
        raise SettingsError(
            f"{service}: port {port} on {host} cannot be taken ({error.strerror}). "
            f"Stop what uses it, or choose another with {port_setting(service)}."
        ) from error
    return taken


class Server(uvicorn.Server):
    """Lets the service drain while the last requests are answered, not after them."""

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no new requests and no new messages; finish those that are here."""
        service_of(self.config.app).drain()
        await super().shutdown(sockets)


def service_of(app: Any) -> Service:
    """The service behind an app."""
    service: Service = app.state.service
    return service


def server_of(app: FastAPI) -> Server:
    """A server for the app that logs only what is worth reading."""
    logging.getLogger("uvicorn.error").setLevel(logging.WARNING)
    patience = math.ceil(settings().drain_seconds)
    server = Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=patience))
    service_of(app).on_refusal = partial(setattr, server, "should_exit", True)
    return server


def serve(service: str, app: FastAPI) -> None:
    """Serve one service until it is told to stop (SIGINT, SIGTERM); what is in hand is finished first."""
    configure_logs()
    try:
        transport()  # first: a malformed setting, or an embedded broker in use, is said in one plain line
        server_of(app).run(sockets=[bind(service)])
        if app.state.service.refusal is not None:
            raise app.state.service.refusal
    except OrderflowError as error:
        raise SystemExit(f"orderflow: {error}") from None
    except KeyboardInterrupt:
        if not service_of(app).finished:
            leave_at_once()


class Serving:
    """Several services in this process, each on its own port with a thread of its own."""

    def __init__(self, apps: Mapping[str, FastAPI]) -> None:
        self._apps = list(apps.values())
        self._sockets: dict[str, socket.socket] = {}
        try:
            for name in apps:
                self._sockets[name] = bind(name)
        except SettingsError:
            for taken in self._sockets.values():
                taken.close()
            raise
        self.servers = {name: server_of(app) for name, app in apps.items()}
        self._threads = {
            name: threading.Thread(target=server.run, args=([self._sockets[name]],), name=f"{name}.http", daemon=True)
            for name, server in self.servers.items()
        }

    def start(self) -> None:
        """Start them; returns when each accepts requests, or has stopped because it cannot.

        Raises SchemaMismatch, with none of them left running, when a database is not as the code wants it.
        """
        for thread in self._threads.values():
            thread.start()
        for name, server in self.servers.items():
            while not server.started and self._threads[name].is_alive():
                self._threads[name].join(0.01)
        if any(app.state.service.refusal for app in self._apps):
            self.stop()
            self.refuse_if_one_did()

    def stop(self) -> bool:
        """Let each finish what it has in hand; False when that took one of them longer than DRAIN_SECONDS."""
        for server in self.servers.values():
            server.should_exit = True
        until = time.monotonic() + settings().drain_seconds + TIDY_SECONDS
        for thread in self._threads.values():
            thread.join(max(0.0, until - time.monotonic()))
        return not self.running and all(service_of(server.config.app).finished for server in self.servers.values())

    def refuse_if_one_did(self) -> None:
        """Raises SchemaMismatch when a service ended because its tables are not those of its code."""
        for app in self._apps:
            if app.state.service.refusal is not None:
                raise app.state.service.refusal

    @property
    def alive(self) -> bool:
        """Whether all of them are still running."""
        return len(self.running) == len(self._threads)

    @property
    def running(self) -> list[str]:
        """Those that are running."""
        return [name for name, thread in self._threads.items() if thread.is_alive()]
