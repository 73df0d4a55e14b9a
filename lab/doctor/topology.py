"""Is the broker's topology what the wiring says?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from lab.doctor.findings import Finding, ok, unchecked, warning, wrong
from lab.doctor.there import Standing, There, differences
from lab.doctor.views import NAME, Listing
from lab.doctor.wanted import Binding, Wanted

REPAIR = "orderflow doctor --repair declares what is missing."
MANAGEMENT = "https://www.rabbitmq.com/docs/management"
LOSING = {"message-ttl", "expires", "max-length", "max-length-bytes"}
"""What a policy may add to a queue so that it loses messages (https://www.rabbitmq.com/docs/parameters#policies)."""


def declared(wanted: Wanted, there: There, listing: Listing | str) -> Iterator[Finding]:
    """Every exchange and queue is there, declared as the wiring declares it."""
    exchanges = {name: there.exchanges[name] for name in wanted.exchanges}
    yield from _all_there("exchanges", exchanges, "Whoever speaks there loses the channel (404)")
    queues = {name: _in_full(name, there.queues[name], wanted, listing) for name in wanted.queues}
    yield from _all_there("queues", queues, "What is said there is returned, or lost")


def _in_full(name: str, standing: Standing | None, wanted: Wanted, listing: Listing | str) -> Standing | None:
    """With every argument that differs, where they are listed; AMQP names the first."""
    if standing is None or not standing.differs or isinstance(listing, str) or name not in listing.queues:
        return standing
    return replace(standing, differs=differences(wanted.queues[name], listing.queues[name]) or standing.differs)


def _all_there(part: str, standings: Mapping[str, Standing | None], otherwise: str) -> Iterator[Finding]:
    missing = [name for name, standing in standings.items() if standing is None]
    if missing:
        yield wrong(part, f"{_missing(missing, len(standings))}.  {otherwise}.", REPAIR)
    good = 0
    for name, standing in standings.items():
        if standing is None:
            continue
        if standing.differs:
            yield wrong(
                part, f"{name}: {standing.differs}.  Declaring it is refused (406), so no service can connect.",
                "orderflow doctor --repair declares it anew where nothing can be lost, and else says what to do.",
                "https://www.rabbitmq.com/docs/queues#property-equivalence",
            )
        elif standing.refused:
            yield wrong(
                part, f"{name}: {standing.refused}",
                "The services need the same: give RABBITMQ_URL's user the permission to configure it.",
                "https://www.rabbitmq.com/docs/access-control#authorisation",
            )
        else:
            good += 1
    if good:
        yield ok(part, f"{good} are there, declared as the wiring says.")


def _missing(names: list[str], number: int) -> str:
    return f"None of the {number} is there" if len(names) == number else f"Missing: {'; '.join(names)}"


def bound(wanted: Wanted, whole: Wanted, listing: Listing | str) -> Iterator[Finding]:
    """Every binding is there, and none that nobody asked for."""
    if isinstance(listing, str):
        yield unchecked(
            "bindings", f"AMQP cannot list bindings, and the management API does not: {listing}.",
            "Enable the plugin (rabbitmq-plugins enable rabbitmq_management), give the user the tag `management`, and set "
            "RABBITMQ_MANAGEMENT_URL.  Or: --repair declares all bindings; one that is there stays as it is.", MANAGEMENT,
        )
        return
    missing = [binding for binding in wanted.bindings if binding not in listing.bindings]
    if missing:
        what = _missing(list(map(str, missing)), len(wanted.bindings))
        yield wrong("bindings", f"{what}.  A queue silently misses what it is not bound to.", REPAIR)
    if present := len(wanted.bindings) - len(missing):
        yield ok("bindings", f"{present} are there.")
    for binding in sorted(listing.bindings - set(whole.bindings)):
        if binding.queue in wanted.queues or binding.exchange in wanted.exchanges:
            yield _foreign(binding, whole)


def _foreign(binding: Binding, whole: Wanted) -> Finding:
    if binding.queue not in whole.queues:
        return warning(
            "bindings", f"{binding}: somebody else's queue gets a copy of the shop's messages.",
            f"Fine if meant (an audit, say), and if somebody reads {binding.queue}; full and refusing (reject-publish) it "
            "would hold up every message said there.",
        )
    return warning(
        "bindings", f"{binding} is in no wiring: {binding.queue} hears more than its service means to.",
        "Perhaps an older wiring's, perhaps needed until all old instances are gone.  Then unbind it: management UI, "
        f"Exchanges, {binding.exchange}, Unbind.  --repair unbinds nothing.",
    )


def others(whole: Wanted, listing: Listing | str, depths: Mapping[str, int]) -> Iterator[Finding]:
    """Queues in the virtual host that belong to no wiring: other settings', or somebody else's."""
    if isinstance(listing, str):
        yield unchecked(
            "others", "Queues that no wiring names cannot be listed over AMQP.", "As for bindings: RABBITMQ_MANAGEMENT_URL.",
        )
        return
    for name in foreign_queues(whole, listing):
        if name.startswith((*(f"{service}." for service in whole.readers), "orderflow.")):
            yield warning(
                "others", f"{name} looks like ours and is in no wiring; {depths.get(name, 0)} messages are in it.",
                "An older wiring's, or that of another RETRY_DELAYS_SECONDS.  A retry queue empties by itself; delete it "
                "when it is empty and no older instance runs.",
            )
        else:
            yield ok("others", f"{name} is somebody else's; {depths.get(name, 0)} messages are in it.")


def foreign_queues(whole: Wanted, listing: Listing) -> list[str]:
    """The queues that are in no wiring, but for those the broker named itself and the doctor's own."""
    return sorted(
        name for name in listing.queues
        if name not in whole.queues and not name.startswith((f"{NAME}.", "amq."))
    )


def policies(wanted: Wanted, listing: Listing | str) -> Iterator[Finding]:
    """No policy makes the shop's queues lose messages."""
    if isinstance(listing, str):
        return
    for name in wanted.queues:
        rules = listing.policies.get(name, {})
        losing = {rule: value for rule, value in rules.items() if rule in LOSING}
        if losing:
            yield wrong(
                "policies", f"A policy gives {name} {_shown(losing)}: messages in it are dropped or expire.",
                "Narrow the policy's pattern, so that it leaves the shop's queues alone.",
                "https://www.rabbitmq.com/docs/parameters#policies",
            )
        elif rules:
            yield ok("policies", f"A policy gives {name} {_shown(rules)}.")


def _shown(rules: Mapping[str, object]) -> str:
    return ", ".join(f"{rule}={value}" for rule, value in sorted(rules.items()))
