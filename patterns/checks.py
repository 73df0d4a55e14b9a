"""Checks of a wiring, without a broker: each answers its complaints as plain sentences, none when all is well.

Wirings are data, so a word nobody hears, a story without an end or a queue read twice can be found by looking.  What
looking cannot find (races, duplicates, late arrivals) is for the model of the flow and for the simulation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection

from patterns.address import Answer, Rpc, reaches
from patterns.checks_queues import accidents, collisions, overlaps
from patterns.checks_stories import open_ends
from patterns.hops import (
    CLIENT,
    DOORS,
    FOR_CLIENTS,
    STARTS,
    Hop,
    ModeWirings,
    all_lines,
    all_said,
    answers,
    askers,
    choices,
    hops,
    may_be_silent,
)
from patterns.wiring import accepts, outcomes

__all__ = ["ONE_MODE", "Check", "Table", "check", "differences", "overlaps"]

Check = Callable[[ModeWirings], list[str]]

Table = Collection[tuple[str, str, str, str]]
"""A flow: who says what to whom, and what is done there."""


def unheard(wirings: ModeWirings) -> list[str]:
    """Every word said is heard."""
    every = hops(wirings)
    heard = {(hop.speaker, hop.message, hop.address) for hop in every}
    lost = [
        f"{who} says {message.__name__} to {address}, and nobody hears it"
        for who, message, address in all_said(wirings) if (who, message, address) not in heard
    ]
    answered = {(hop.speaker, hop.message, hop.listener) for hop in every if isinstance(hop.address, Answer)}
    return lost + [
        f"{who} answers {message.__name__} to {asker}, which does not hear it"
        for who, message, asker in dict.fromkeys(answers(wirings)) if (who, message, asker) not in answered
    ]


def unsaid(wirings: ModeWirings) -> list[str]:
    """Every line hears something, and every handler hears all that it takes; what clients say counts as said."""
    every = hops(wirings)
    complaints = []
    for service, line in all_lines(wirings):
        mine = [hop for hop in every if hop.listener == service and hop.handler is line.handler]
        if not any(reaches(hop.address, line.address) for hop in mine):
            complaints.append(f"{service} hears {line.handler.__name__} at {line.address}, and nobody says it there")
        got = {hop.message for hop in mine}
        missing = sorted(message.__name__ for message in accepts(line.handler) - got)
        complaints += [f"{service}.{line.handler.__name__} waits for {name}, and nobody says it" for name in missing]
    return list(dict.fromkeys(complaints))


def homeless(wirings: ModeWirings) -> list[str]:
    """Every outcome has an address; only one asked for by RPC may go back to the asker, who must be there."""
    complaints = []
    for service, line in all_lines(wirings):
        asked = isinstance(line.address, Rpc)
        clients = asked and not accepts(line.handler).isdisjoint(DOORS)
        for message in outcomes(line.handler):
            if wirings[service].destinations(message) or (clients and message in FOR_CLIENTS):
                continue
            if not asked or not any(askers(wirings, line)):
                complaints.append(f"{service}.{line.handler.__name__} answers {message.__name__}, which has no address")
    return list(dict.fromkeys(complaints))


def silent(wirings: ModeWirings) -> list[str]:
    """Whoever asks by RPC is always answered: else the question would be asked again for ever."""
    return list(dict.fromkeys(
        f"{service}.{line.handler.__name__} is asked at {line.address}, and need not answer"
        for service, line in all_lines(wirings)
        if isinstance(line.address, Rpc) and (may_be_silent(line.handler) or not outcomes(line.handler))
    ))


def idle(wirings: ModeWirings) -> list[str]:
    """Every address is for something that a handler there answers, or that begins a story."""
    complaints = []
    for service, message, address in all_said(wirings):
        said = {outcome for line in wirings[service].lines for outcome in outcomes(line.handler)}
        if message not in said and message not in STARTS:
            complaints.append(f"{service} has an address for {message.__name__} ({address}), which it never says")
    return complaints


def unreached(wirings: ModeWirings) -> list[str]:
    """Every handler has its part in some story."""
    every = hops(wirings)
    todo = [hop for hop in every if hop.speaker == CLIENT or hop.message in STARTS]
    done: set[Hop] = set()
    while todo:
        hop = todo.pop()
        if hop not in done:
            done.add(hop)
            said = {message for option in choices(hop.handler, hop.message) for message in option}
            todo += [after for after in every if after.speaker == hop.listener and after.message in said]
    reached = {(hop.listener, hop.handler) for hop in done}
    return list(dict.fromkeys(
        f"no story reaches {service}.{line.handler.__name__}"
        for service, line in all_lines(wirings) if (service, line.handler) not in reached
    ))


def repeats(wirings: ModeWirings) -> list[str]:
    """No line stands twice."""
    complaints = []
    for service, wiring in wirings.items():
        heard = Counter(f"hears {line.handler.__name__} at {line.address}" for line in wiring.lines)
        said = Counter(f"says {message.__name__} to {address}" for message, address in wiring.says)
        complaints += [f"{service} {line}, twice" for line, times in (heard + said).items() if times > 1]
    return complaints


ONE_MODE: tuple[Check, ...] = (unheard, unsaid, homeless, silent, idle, open_ends, collisions, accidents, unreached, repeats)


def check(wirings: ModeWirings) -> list[str]:
    """All that can be said against the wiring of one mode."""
    return [complaint for one in ONE_MODE for complaint in one(wirings)]


def differences(wirings: ModeWirings, table: Table) -> list[str]:
    """Messages go to exactly whom the flow table says."""
    found = {hop.what for hop in hops(wirings)}
    return [f"missing: {_sentence(what)}" for what in sorted(set(table) - found)] + [
        f"not in the flow: {_sentence(what)}" for what in sorted(found - set(table))
    ]


def _sentence(what: tuple[str, str, str, str]) -> str:
    speaker, message, listener, handler = what
    return f"{speaker} says {message} to {listener}, who does {handler}"
