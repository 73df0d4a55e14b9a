"""What the tests here say about plays."""

from __future__ import annotations

from collections.abc import Callable
from itertools import islice

from lab.interleaving.episode import Episode, Play

Plays = Callable[..., Play]


def broken(episodes: list[Episode]) -> list[str]:
    """What was broken, with the command that shows it again."""
    return [f"{what}\n    {episode.again}" for episode in episodes for what in episode.broken]


def some(play: Play, most: int = 40) -> list[Episode]:
    """So many orders, or all that matter."""
    return list(islice(play.episodes(), most))


def caught(play: Play, beginning: str = "", most: int = 40) -> str:
    """The first thing broken (that begins so), in so many orders; nothing else is tried then."""
    found = (what for episode in islice(play.episodes(), most) for what in episode.broken)
    return next((what for what in found if what.startswith(beginning)), "")


def until_a_deadlock(play: Play, most: int = 40) -> list[Episode]:
    """Orders, until one in which PostgreSQL ended the first actor's transaction."""
    episodes: list[Episode] = []
    for episode in islice(play.episodes(), most):
        episodes.append(episode)
        if episode.crossing.actors[0].deadlocks:
            return episodes
    raise AssertionError(f"no deadlock of the first actor in {most} orders")


def deadlocks(episodes: list[Episode]) -> int:
    return sum(episode.crossing.deadlocks for episode in episodes)
