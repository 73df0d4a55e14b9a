"""Checks of a wiring: what concerns addresses and queues, within one mode and between modes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import combinations

from patterns.address import Address, Answer, reaches
from patterns.amqp import DIRECT_REPLY_TO
from patterns.hops import ModeWirings, all_lines, all_said, hops
from patterns.message import Message
from patterns.wiring import accepts


def collisions(wirings: ModeWirings) -> list[str]:
    """Nothing is ambiguous: neither which line handles a message, nor whose message an id is, nor whose a queue is."""
    lines: dict[tuple[str, str, type[Message]], set[object]] = defaultdict(set)
    readers: dict[str, set[str]] = defaultdict(set)
    speakers: dict[tuple[type[Message], Address], set[str]] = defaultdict(set)
    for service, line in all_lines(wirings):
        queue = _queue(service, line.address)
        if not isinstance(line.address, Answer):
            readers[queue].add(service)
        for message in accepts(line.handler):
            lines[service, queue, message].add((line.handler, line.preparation))
    for service, message, address in all_said(wirings):
        speakers[message, address].add(service)
    return [
        f"{service} handles {message.__name__} from queue {queue} in {len(several)} ways"
        for (service, queue, message), several in lines.items() if len(several) > 1
    ] + [
        f"queue {queue} is read by {', '.join(sorted(several))}, who would take each other's messages"
        for queue, several in readers.items() if len(several) > 1
    ] + [
        f"{message.__name__} to {address} is said by {', '.join(sorted(several))}: their messages would have the same id"
        for (message, address), several in speakers.items() if len(several) > 1
    ]


def accidents(wirings: ModeWirings) -> list[str]:
    """Whatever arrives in a queue and finds a handler there is meant for it: a line says so, with that address."""
    complaints = []
    meant = {(hop.address, hop.message, hop.listener, hop.handler) for hop in hops(wirings)}
    for speaker, message, address in all_said(wirings):
        arrives = {_queue(service, line.address) for service, line in all_lines(wirings) if reaches(address, line.address)}
        for service, line in all_lines(wirings):
            handled = message in accepts(line.handler) and _queue(service, line.address) in arrives
            if handled and (address, message, service, line.handler) not in meant:
                complaints.append(
                    f"{speaker} says {message.__name__} to {address}: it reaches {service}.{line.handler.__name__} by "
                    "accident, through the binding of another line"
                )
    return list(dict.fromkeys(complaints))


def overlaps(by_mode: Mapping[str, ModeWirings]) -> list[str]:
    """Modes keep to themselves: no address of one reaches another, no queue belongs to two."""
    complaints: list[str] = []
    for (one, mine), (other, theirs) in combinations(by_mode.items(), 2):
        complaints += _leaks(one, mine, other, theirs)
        complaints += _leaks(other, theirs, one, mine)
        complaints += _shared(one, mine, other, theirs)
    return list(dict.fromkeys(complaints))


def _leaks(one: str, mine: ModeWirings, other: str, theirs: ModeWirings) -> Iterator[str]:
    for who, message, address in all_said(mine):
        for service, line in all_lines(theirs):
            if reaches(address, line.address):
                yield f"in mode {one}, {who}'s {message.__name__} to {address} reaches {service} in mode {other}"


def _shared(one: str, mine: ModeWirings, other: str, theirs: ModeWirings) -> Iterator[str]:
    queues = [
        {_queue(service, line.address) for service, line in all_lines(wirings) if not isinstance(line.address, Answer)}
        for wirings in (mine, theirs)
    ]
    for queue in sorted(queues[0] & queues[1]):
        yield f"queue {queue} is read in mode {one} and in mode {other}"


def _queue(service: str, address: Address) -> str:
    return f"{DIRECT_REPLY_TO} of {service}" if isinstance(address, Answer) else address.queue_for(service)
