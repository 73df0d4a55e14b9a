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


def caught(play: Play, most: int = 40) -> str:
    """The first thing that is broken, in so many orders; nothing else is tried then."""
    return next((what for episode in islice(play.episodes(), most) for what in episode.broken), "")


def deadlocks(episodes: list[Episode]) -> int:
    return sum(episode.crossing.deadlocks for episode in episodes)
