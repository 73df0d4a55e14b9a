"""The shop as a whole: its six services, their wirings and apps, known here and nowhere else."""

from __future__ import annotations

from importlib import import_module

from fastapi import FastAPI

from patterns import topology
from patterns.errors import SettingsError
from patterns.settings import settings
from patterns.shop import SERVICES
from patterns.transport import transport
from patterns.wiring import Wiring, Wirings


def wirings_of(service: str) -> Wirings:
    """A service's wiring in every mode."""
    wirings: Wirings = import_module(f"{service}.mqlistener").WIRING
    return wirings


def wirings_in(mode: str) -> dict[str, Wiring]:
    """Every service's wiring in one mode: the mode as a whole."""
    return {service: wirings_of(service)[mode] for service in SERVICES}


def app_of(service: str) -> FastAPI:
    """A service's app.  Raises SettingsError for an unknown service."""
    if service not in SERVICES:
        raise SettingsError(f"{service} is no service; there are {', '.join(SERVICES)}")
    app: FastAPI = import_module(f"{service}.main").app
    return app


def know_all() -> None:
    """Let this process know all services, so that it declares the whole shop's queues before it says a word."""
    for service in SERVICES:
        topology.know(service, wirings_of(service))


def declare_topology() -> int:
    """Make every exchange, queue and binding of the shop exist; answers how many queues."""
    know_all()
    connection = transport().connect("orderflow.topology")
    try:
        topology.declare_known(connection.channel())
    finally:
        connection.close()
    return len(all_queues())


def all_queues() -> list[str]:
    """Every queue the shop uses: those that feed handlers, each service's dead and parked ones, the retries'."""
    heard = [queue for service in SERVICES for queue in topology.heard_queues(service, wirings_of(service))]
    aside = [name(service) for service in SERVICES for name in (topology.dead_queue, topology.parked_queue)]
    return heard + aside + [topology.retry_exchange(delay) for delay in settings().retry_delays_seconds]
