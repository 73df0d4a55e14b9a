"""How much is tried: ``SIMULATION=ci`` or ``nightly`` instead of the few seconds that ``make test`` gives it."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

SIZE = os.environ.get("SIMULATION", "quick")
EXAMPLES = {"quick": 12, "ci": 1_000, "nightly": 50_000}[SIZE]
STEPS = {"quick": 15, "ci": 40, "nightly": 60}[SIZE]
SECONDS = {"quick": 300, "ci": 3_600, "nightly": 12 * 3_600}[SIZE]


def tried(examples: int = EXAMPLES) -> settings:
    """Hypothesis's settings for so many examples; what failed is in its database, and tried first the next time."""
    return settings(
        max_examples=examples, stateful_step_count=STEPS, deadline=None, print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
