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
    """Run these tiers (name → ``module:attribute``): those that wait for servers beside those that compute.

    Of each sort one after another.  Raises SliceTrouble when a slice twice ended without an answer.
    """
    found: dict[str, Outcome] = {}
    trouble: list[SliceTrouble] = []
    written = threading.Lock()

    def one_after_another(names: list[str]) -> None:
        for name in names:
            found[name] = _Run(name, tiers[name], asked, diary, watch, trouble, written).all()

    waiting = [name for name, where in tiers.items() if tier_at(where).waits]
    with ThreadPoolExecutor(2) as pool:
        for lane in [pool.submit(one_after_another, each) for each in (
            [name for name in tiers if name not in waiting], waiting,
        )]:
            lane.result()
    return [found[name] for name in tiers]


class _Run:
    """One tier: its slices, and what they saw."""

    def __init__(
        self, name: str, where: str, asked: Asked, diary: Diary, watch: Watch, trouble: list[SliceTrouble],
        written: threading.Lock,
    ) -> None:
        self.name, self.where, self.asked, self.diary, self.watch = name, where, asked, diary, watch
        self.trouble, self.written = trouble, written
        self.tier = tier_at(where)
        self.slices = list(self.tier.slices(asked))
        self.found, self.lock, self.parts = Outcome(name, self.tier.unit), threading.Lock(), [0.0] * len(self.slices)

    def all(self) -> Outcome:
        """Every slice, some of them side by side."""
        with ThreadPoolExecutor(self.tier.parallel) as pool:
            list(pool.map(self._part, range(len(self.slices))))
        self.found.tally.hardly = self.tier.judge(self.asked, self.found.tally)
        return self.found

    def _part(self, number: int) -> None:
        if self.trouble:
            raise self.trouble[0]  # whoever met it: nobody begins anything more
        before = self.diary.done(self.name, self.slices[number])
        tally, seconds = before or self._done_now(number)
        with self.lock:
            self.found.tally.add(tally)
            self.found.seconds += seconds / self.tier.parallel
        self._tell(number, 1.0)

    def _done_now(self, number: int) -> tuple[Tally, float]:
        began = time.monotonic()
        try:
            tally = _twice(self.where, self.slices[number], lambda done: self._tell(number, done))
        except SliceTrouble as error:
            self.trouble.append(error)
            raise
        seconds = time.monotonic() - began
        with self.written:
            self.diary.write(self.name, self.slices[number], tally, seconds)
        return tally, seconds

    def _tell(self, number: int, done: float) -> None:
        with self.lock:
            self.parts[number] = done
            self.watch(self.name, sum(self.parts) / len(self.parts), self.found.tally)


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
