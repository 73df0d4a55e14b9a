"""What has passed through a proxy, and when it has been enough."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Meter:
    """Counts bytes by the end they go toward; ``limits`` says after how many more the line is cut, and whether with RST."""

    passed: Counter[str] = field(default_factory=Counter)
    limits: dict[str, tuple[int, bool]] = field(default_factory=dict)
    cuts: int = 0

    def may_pass(self, toward: str, size: int) -> tuple[int, bool | None]:
        """How many of these bytes may pass; then whether to cut with a reset (True), in order (False), or not (None)."""
        left, reset = self.limits.get(toward, (size + 1, None))
        if left > size:
            if reset is not None:
                self.limits[toward] = left - size, reset
            self.passed[toward] += size
            return size, None
        del self.limits[toward]
        self.passed[toward] += left
        self.cuts += 1
        return left, reset
