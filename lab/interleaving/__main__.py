"""Play one order of one scenario: ``python -m lab.interleaving "user: a hold and its release" topic 0011010``.

Without an order: every one that matters.  Without anything: the scenarios' names.  With ``--twin`` at the end the simulated
database that is to be like PostgreSQL does the same, and where it does otherwise is said.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from lab.interleaving.episode import SCENARIOS, Episode
from lab.interleaving.likeness import Twin
from lab.interleaving.tier import prepared
from lab.servers import Databases, PrivatePostgres
from patterns.settings import configure


def main(arguments: Sequence[str]) -> int:
    """Play what is asked for; 1 if it broke anything."""
    named = {f"{scenario.service}: {scenario.name}": scenario for scenario in SCENARIOS}
    with_twin = arguments[-1:] == ["--twin"]
    arguments = arguments[:-1] if with_twin else arguments
    if not arguments or arguments[0] not in named:
        print("\n".join(sorted(named)))
        return 0 if not arguments else 2
    scenario = named[arguments[0]]
    mode = arguments[1] if len(arguments) > 1 else scenario.modes[0]
    with PrivatePostgres(fsync=False) as server:
        configure(database_url=Databases(server).fresh())
        with prepared([(scenario, mode)]) as [play]:
            episodes = [play.as_written(arguments[2])] if len(arguments) > 2 else list(play.episodes())
            twin = Twin(play) if with_twin else None
            unlike = [twin.unlike(episode) if twin is not None else None for episode in episodes]
    for episode, what in zip(episodes, unlike, strict=True):
        show(episode, whole=len(episodes) == 1)
        print(f"  the simulated database differs: {what}" if what else "", end="\n" if what else "")
    return int(any(episode.broken for episode in episodes) or any(unlike))


def show(episode: Episode, *, whole: bool) -> None:
    """An episode on the screen."""
    print(f"{episode.crossing.order}: {'; '.join(episode.broken) or 'every promise kept'}")
    for number, step in episode.crossing.steps if whole else ():
        print(f"  {number * 34 * ' '}{number} {step.words[:96]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
