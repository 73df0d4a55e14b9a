"""Faults of the lines between services and servers."""

from __future__ import annotations

from typing import Any

from lab.faults.proxy import Proxy, Toward
from lab.torture.faults import HAPPEN_SECONDS, Faults, way
from lab.torture.lines import SERVERS
from lab.torture.plan import TortureTrouble
from patterns.shop import SERVICES

CUT_BYTES, FEW_BYTES = 4000, 8
"""A line is cut after so many bytes at most: within the frames of a few messages, or the statements of one transaction.

Who hears much may say little: where so many do not come, the line is cut within what comes next, be it a heartbeat.
"""
CUT_SECONDS = 8.0
SPOILT_BYTES = 500
"""So much at least must pass through a line that is slow: a message, or a statement and its answer."""


def _some_line(faults: Faults) -> tuple[list[Proxy], str]:
    if faults.shop.lines is None:
        raise TortureTrouble("There is no proxy on the way to the servers.")
    service, server = faults.chance.choice(SERVICES), faults.chance.choice(SERVERS)
    return faults.shop.lines.of(service, server), server


def _cut(faults: Faults, name: str, *, reset: bool) -> None:
    proxies, server = _some_line(faults)
    faults.wait_until(lambda: any(proxy.connections for proxy in proxies), HAPPEN_SECONDS)
    faults.happened[f"{name} @ {server}"] += sum(proxy.cut(reset=reset) for proxy in proxies)


@way("cut")
def cut(faults: Faults) -> None:
    """All connections of a service to a server end in order."""
    _cut(faults, "cut", reset=False)


@way("reset")
def reset(faults: Faults) -> None:
    """All connections of a service to a server end by a reset."""
    _cut(faults, "reset", reset=True)


@way("cut-at-byte")
def cut_at_byte(faults: Faults) -> None:
    """A connection ends within what is being said: after so many bytes one way."""
    proxies, server = _some_line(faults)
    before = sum(proxy.cuts for proxy in proxies)
    toward: Toward = faults.chance.choice(("server", "client"))
    for most, seconds in ((CUT_BYTES, CUT_SECONDS), (FEW_BYTES, HAPPEN_SECONDS)):
        for proxy in proxies:
            proxy.cut_after(faults.chance.randint(0, most), toward, reset=faults.chance.random() < 0.5)
        if faults.wait_until(lambda: sum(proxy.cuts for proxy in proxies) > before, seconds):
            break
    for proxy in proxies:
        proxy.heal()
    cuts = sum(proxy.cuts for proxy in proxies) - before
    (faults.happened if cuts else faults.missed)[f"cut at a byte @ {server}"] += max(1, cuts)


def _spoilt(name: str, least: float, most: float, **how: Any) -> None:
    def does(faults: Faults) -> None:
        proxies, server = _some_line(faults)
        before = sum(proxy.passed.total() for proxy in proxies)
        for proxy in proxies:
            proxy.spoil(**how)
        faults.hold(least, most)
        passed = faults.wait_until(
            lambda: sum(proxy.passed.total() for proxy in proxies) > before + SPOILT_BYTES, HAPPEN_SECONDS)
        for proxy in proxies:
            proxy.heal()
        (faults.happened if passed else faults.missed)[f"{name} @ {server}"] += 1

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
    silenced = sum(proxy.connections for proxy in proxies)
    beyond = 3 * (faults.plan.heartbeat_seconds or 1)
    faults.hold(beyond, beyond)
    for proxy in proxies:
        proxy.heal()
    (faults.happened if silenced else faults.missed)[f"silence @ {server}"] += 1


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
