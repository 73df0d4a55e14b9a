"""The tier ``mutants``: whole, counted, and failing where it should."""

from __future__ import annotations

from dataclasses import replace

import pytest

from lab.verify.tier import Asked, Tally
from tests.mutants import tier
from tests.mutants.on_servers import ON_SERVERS
from tests.mutants.registry import MUTANTS

QUICK = Asked(size="quick", faults=3)


def nothing(_: pytest.MonkeyPatch) -> None:
    """Takes nothing away."""


def test_every_mutant_is_in_a_slice() -> None:
    firsts = [one.seed % 1000 for one in tier.slices(Asked(size="commit", seed=7))]
    assert firsts == [
        *range(tier.SERVERS, tier.SERVERS + len(ON_SERVERS)), tier.CROSSING, *range(0, len(MUTANTS), tier.A_SLICE),
    ]


def test_a_mutant_that_survives_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    survivor = replace(MUTANTS["no-tombstone"], patch=nothing)
    monkeypatch.setattr(tier, "MUTANTS", {"survivor": survivor})
    tally = tier.run(QUICK, lambda _: None)
    assert [violation.again for violation in tally.violations] == ["python -m tests.mutants no-tombstone"]


def test_a_mutant_that_was_thought_harmless_fails_the_run_when_it_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tier, "MUTANTS", {"bad": replace(MUTANTS["goods-not-put-back"], harmless="so it was thought")})
    assert tier.run(QUICK, lambda _: None).violations


def test_a_mutant_on_real_servers_that_nobody_objects_to_fails_the_run(monkeypatch: pytest.MonkeyPatch) -> None:
    for objections, survived in (([], 1), (["an order is PROCESSING"], 0)):
        monkeypatch.setattr(tier, "hunt_on_servers", lambda _, said=objections: said)
        tally = tier.run(Asked(size="commit", seed=tier.SERVERS), lambda _: None)
        assert (len(tally.violations), tally.seen["mutants caught on real servers"]) == (survived, 1 - survived)


def test_a_run_without_mutants_says_so() -> None:
    assert tier.judge(QUICK, Tally()) == ["no mutant was hunted"]
