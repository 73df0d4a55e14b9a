"""What is parked in all services, and what one of them is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from lab.order_story import RunningShop, Story
from lab.parked.reach import Access, Reach
from patterns.errors import Conflict, ServerUnavailable
from patterns.parked_letter import Parked
from patterns.shop import SERVICES
from patterns.web_parked import Outcome


@dataclass
class List:
    """The parked messages of several services; ``away`` are those that could not be asked, and why."""

    waiting: dict[str, int] = field(default_factory=dict)
    messages: list[Parked] = field(default_factory=list)
    away: dict[str, str] = field(default_factory=dict)

    @property
    def each_once(self) -> list[tuple[Parked, int]]:
        """Every message once, with the number of its copies: a request is asked, fails and is parked again and again."""
        copies: dict[tuple[str, str], int] = {}
        for letter in self.messages:
            copies[letter.service, letter.id] = copies.get((letter.service, letter.id), 0) + 1
        last = {(letter.service, letter.id): letter for letter in self.messages}
        return [(last[key], count) for key, count in copies.items()]

    def as_dict(self) -> dict[str, Any]:
        """The list as plain data."""
        brief = {"headers", "body", "failures"}
        return {
            "waiting": self.waiting, "away": self.away,
            "messages": [{**letter.model_dump(mode="json", exclude=brief), "copies": copies}
                         for letter, copies in self.each_once],
        }


@dataclass
class Found:
    """One parked message, and what became of its order meanwhile."""

    letter: Parked
    story: Story | None

    def as_dict(self) -> dict[str, Any]:
        """Both as plain data."""
        story = None if self.story is None else self.story.as_dict()
        return {"message": self.letter.model_dump(mode="json"), "order": story}


@dataclass
class Dealt:
    """What became of the chosen messages; ``away`` are the services that could not be asked, and why."""

    outcomes: list[tuple[str, Outcome]] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    away: dict[str, str] = field(default_factory=dict)

    @property
    def all_well(self) -> bool:
        """Whether all that was chosen was found and dealt with."""
        failed = any(one.verdict in ("refused", "not confirmed") for _, one in self.outcomes)
        return not (failed or self.missing or self.away)

    def as_dict(self) -> dict[str, Any]:
        """The same as plain data."""
        told = [{"service": service, **one.model_dump(mode="json")} for service, one in self.outcomes]
        return {"messages": told, "missing": self.missing, "away": self.away}


def deal_with(
    reach: Reach, services: Sequence[str], ids: Sequence[str], work: Callable[[Access], list[Outcome]]
) -> Dealt:
    """Replay or drop in each of these services; what was done in one is told although another could not be asked."""
    dealt = Dealt()
    for service in services:
        try:
            dealt.outcomes += [(service, one) for one in work(reach.service(service))]
        except (ServerUnavailable, Conflict) as error:
            dealt.away[service] = str(error)
    known = {name for _, one in dealt.outcomes for name in (one.id, one.message_id)}
    dealt.missing = [name for name in ids if name not in known]
    return dealt


def list_all(reach: Reach, services: Sequence[str] = SERVICES, kind: str = "", limit: int = 100) -> List:
    """The parked messages of these services, the oldest of each first, at most so many of each."""
    found = List()
    for service in services:
        try:
            told = reach.service(service).look(1000 if kind else limit)
        except (ServerUnavailable, Conflict) as error:
            found.away[service] = str(error)
            continue
        found.waiting[service] = told.waiting
        found.messages += [letter for letter in told.messages if kind in ("", letter.type)][:limit]
    return found


def find_all(reach: Reach, name: str, services: Sequence[str] = SERVICES) -> list[tuple[str, Access, Parked]]:
    """The service and the message of this id, wherever it is parked: a broadcast may be parked by several.

    Raises ServerUnavailable when it is nowhere to be seen and some service could not be asked.
    """
    found, away = [], []
    for service in services:
        try:
            access = reach.service(service)
            letter = access.get(name)
        except (ServerUnavailable, Conflict) as error:
            away.append(str(error))
            continue
        if letter is not None:
            found.append((service, access, letter))
    if away and not found:
        raise ServerUnavailable(f"{name} is not parked where one could look.  {'  '.join(away)}")
    return found


def explain(reach: Reach, name: str, services: Sequence[str] = SERVICES, url: str = "") -> list[Found]:
    """A parked message wherever it is, each with its order's story."""
    return [Found(letter, _story(letter.order_id, url)) for _, _, letter in find_all(reach, name, services)]


def _story(order_id: UUID | None, url: str) -> Story | None:
    """What the services tell of an order; those of a closed shop tell nothing."""
    if order_id is None:
        return None
    with RunningShop(url) as shop:
        return shop.read(order_id, None)
