"""Run tiers, slice by slice, and add up what they saw."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from lab.verify.diary import Diary
from lab.verify.slice import tier_at
from lab.verify.tier import Asked, Tally, Tell
from lab.verify.tiers import ROOT
from lab.verify.wire import asked_as_json, tally_of_dict
from patterns.errors import OrderflowError


class SliceTrouble(OrderflowError):
    """A slice could not be done: this says nothing about the shop's promises."""


@dataclass
class Outcome:
    """One tier: what it saw in all, and how long it took by the clock."""

    tier: str
    unit: str
    tally: Tally = field(default_factory=Tally)
    seconds: float = 0.0


Watch = Callable[[str, float, Tally], None]
"""Told now and then which tier is how far, 0 to 1, and what was counted so far."""


def verify(tiers: Mapping[str, str], asked: Asked, diary: Diary, watch: Watch) -> list[Outcome]:
    """Run these tiers (name → ``module:attribute``), one after another.

    Raises SliceTrouble when a slice twice ended without an answer.
    """
    return [_tier(name, where, asked, diary, watch) for name, where in tiers.items()]


def _tier(name: str, where: str, asked: Asked, diary: Diary, watch: Watch) -> Outcome:
    tier = tier_at(where)
    slices = list(tier.slices(asked))
    found, lock, parts = Outcome(name, tier.unit), threading.Lock(), [0.0] * len(slices)

    def part(number: int) -> None:
        def tell(done: float) -> None:
            with lock:
                parts[number] = done
                watch(name, sum(parts) / len(parts), found.tally)

        before = diary.done(name, slices[number])
        began = time.monotonic()
        tally, seconds = before or (_twice(where, slices[number], tell), 0.0)
        if before is None:
            seconds = time.monotonic() - began
            with lock:
                diary.write(name, slices[number], tally, seconds)
        with lock:
            found.tally.add(tally)
            found.seconds += seconds / tier.parallel
        tell(1.0)

    with ThreadPoolExecutor(tier.parallel) as pool:
        list(pool.map(part, range(len(slices))))
    found.tally.hardly = tier.judge(asked, found.tally)
    return found


def _twice(where: str, asked: Asked, tell: Tell) -> Tally:
    """Do a slice; once more if it could not be done, never because of what it found."""
    try:
        return _slice(where, asked, tell)
    except SliceTrouble:
        return _slice(where, asked, tell)


def _slice(where: str, asked: Asked, tell: Tell) -> Tally:
    command = [sys.executable, "-m", "lab.verify.slice", where, asked_as_json(asked)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe, text=True, cwd=ROOT, env=environment) as process:
        errors: list[str] = []
        reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
        reader.start()
        tally = None
        try:
            for line in process.stdout or ():
                told = json.loads(line)
                if "tally" in told:
                    tally = tally_of_dict(told["tally"])
                else:
                    tell(told["done"])
        finally:
            if process.poll() is None and tally is None:
                process.terminate()
        process.wait()
        reader.join(5)
    if tally is None or process.returncode:
        last = "".join(errors[-15:]).strip()
        raise SliceTrouble(f"{where} of seed {asked.seed} ended with {process.returncode} and no answer:\n{last}")
    return tally
