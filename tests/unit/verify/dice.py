"""A tier that throws dice, and does as its faults say: to see how tiers are run."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from dataclasses import replace
from pathlib import Path

from lab.verify.tier import Asked, Tally, Tell, Tier, Violation

MEETING = threading.Barrier(2)


def slices(asked: Asked) -> list[Asked]:
    return [replace(asked, seed=asked.seed + number) for number in range(2)]


def throw(asked: Asked, tell: Tell) -> Tally:
    print("a line that is not for the one who counts")
    chance = random.Random(asked.seed)
    tally = Tally(runs=asked.faults or 10)
    for number in range(tally.runs):
        tally.happened[f"{chance.choice(('odd', 'even'))} @ table"] += 1
        tell((number + 1) / tally.runs)
    if asked.seed == 13:
        tally.violations.append(Violation("thirteen", "orderflow verify --seed 13"))
    return tally


def dying(asked: Asked, tell: Tell) -> Tally:
    """The first time it dies without an answer, as a harness may; the second time not."""
    mark = Path(os.environ["DICE_MARK"])
    if asked.seed == 1 and not mark.exists():
        mark.touch()
        os._exit(9)
    return throw(asked, tell)


def dead(asked: Asked, tell: Tell) -> Tally:
    raise RuntimeError("the dice fell off the table")


def meet(asked: Asked, tell: Tell) -> Tally:
    """Goes on when the other one is there: in threads of one process."""
    MEETING.wait(60)
    return throw(asked, tell)


def judge(asked: Asked, tally: Tally) -> list[str]:
    return [] if Counter(tally.happened)["odd @ table"] > 2 else ["odd: seen too seldom"]


TIER = Tier("dice", "nothing", "throws", slices, throw, judge, parallel=2)
DYING = Tier("dying", "itself", "throws", slices, dying, judge)
DEAD = Tier("dead", "itself", "throws", slices, dead, judge)
ONE = Tier("one", "nothing", "throws", slices, meet, judge)
OTHER = Tier("other", "nothing", "throws", slices, meet, judge, waits=True)
