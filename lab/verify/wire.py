"""Asked and tallied as JSON, between the process that counts and those that break."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict
from typing import Any

from lab.verify.tier import Asked, Tally, Violation


def asked_as_json(asked: Asked) -> str:
    """What is asked, in one line."""
    return json.dumps(asdict(asked))


def asked_of_json(text: str) -> Asked:
    """What was asked."""
    given = json.loads(text)
    return Asked(**{**given, "modes": tuple(given["modes"])})


def tally_as_dict(tally: Tally) -> dict[str, Any]:
    """A tally as JSON holds it."""
    return {
        "runs": tally.runs, "happened": dict(tally.happened), "seen": dict(tally.seen), "hardly": tally.hardly,
        "violations": [asdict(each) for each in tally.violations],
    }


def tally_of_dict(given: dict[str, Any]) -> Tally:
    """A tally from what JSON held."""
    return Tally(
        runs=given["runs"], happened=Counter(given["happened"]), seen=Counter(given["seen"]),
        violations=[Violation(**each) for each in given["violations"]], hardly=list(given["hardly"]),
    )
