"""Faults of the lines between services and servers."""

from __future__ import annotations

from typing import Any

from lab.faults.proxy import Proxy, Toward
from lab.torture.faults import Faults, way
from lab.torture.lines import SERVERS
from lab.torture.plan import TortureTrouble
from patterns.shop import SERVICES

CUT_BYTES = 4000
"""A line is cut after so many bytes at most: within the frames of a few messages, or the statements of one transaction."""


def _some_line(faults: Faults) -> tuple[list[Proxy], str]:
    if faults.shop.lines is None:
        raise TortureTrouble("There is no proxy on the way to the servers.")
    service, server = faults.chance.choice(SERVICES), faults.chance.choice(SERVERS)
    return faults.shop.lines.of(service, server), server


@way("cut")
def cut(faults: Faults) -> None:
    """All connections of a service to a server end, in order or by a reset."""
    proxies, server = _some_line(faults)
    reset = faults.chance.random() < 0.5
    faults.happened[f"{'reset' if reset else 'cut'} @ {server}"] += sum(proxy.cut(reset=reset) for proxy in proxies)


@way("cut-at-byte")
def cut_at_byte(faults: Faults) -> None:
    """A connection ends within what is being said: after so many bytes one way."""
    proxies, server = _some_line(faults)
    before = sum(proxy.cuts for proxy in proxies)
    toward: Toward = faults.chance.choice(("server", "client"))
    for proxy in proxies:
        proxy.cut_after(faults.chance.randint(0, CUT_BYTES), toward, reset=faults.chance.random() < 0.5)
    faults.wait_until(lambda: sum(proxy.cuts for proxy in proxies) > before, 5)
    for proxy in proxies:
        proxy.heal()
    faults.happened[f"cut at a byte @ {server}"] += sum(proxy.cuts for proxy in proxies) - before


def _spoilt(name: str, least: float, most: float, **how: Any) -> None:
    def does(faults: Faults) -> None:
        proxies, server = _some_line(faults)
        for proxy in proxies:
            proxy.spoil(**how)
        faults.hold(least, most)
        for proxy in proxies:
            proxy.heal()
        faults.happened[f"{name} @ {server}"] += 1

    way(name)(does)


_spoilt("latency", 1, 3, latency=0.05)
_spoilt("slices", 1, 3, slices=1)
_spoilt("bandwidth", 1, 3, bandwidth=50_000)


@way("silence")
def silence(faults: Faults) -> None:
    """Nothing passes between a service and a server for longer than a heartbeat allows, and nobody is told."""
    proxies, server = _some_line(faults)
    for proxy in proxies:
        proxy.fall_silent()
    beyond = 3 * (faults.plan.heartbeat_seconds or 1)
    faults.hold(beyond, beyond)
    for proxy in proxies:
        proxy.heal()
    faults.happened[f"silence @ {server}"] += 1


@way("swizzle")
def swizzle(faults: Faults) -> None:
    """Some services' lines fall silent one after another, and are healed in another order."""
    if faults.shop.lines is None:
        raise TortureTrouble("There is no proxy on the way to the servers.")
    some = faults.chance.sample(SERVICES, faults.chance.randint(2, len(SERVICES)))
    ways = [faults.shop.lines.of(service, faults.chance.choice(SERVERS)) for service in some]
    for silent in (True, False):
        for proxies in faults.chance.sample(ways, len(ways)):
            for proxy in proxies:
                proxy.fall_silent() if silent else proxy.heal()
            faults.hold(0.1, 0.5)
    faults.happened["swizzle"] += len(ways)
