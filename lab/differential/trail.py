"""The ways a program may have gone on RabbitMQ, searched like a maze: at a dead end, back to the last fork."""

from __future__ import annotations


class Trail:
    """What was chosen at each fork so far.  The same way through the same program comes to the same forks."""

    def __init__(self) -> None:
        self.taken: list[tuple[int, int]] = []  # which way, of how many
        self._passed = 0

    def choose(self, ways: int) -> int:
        """Which way to go: as before, or the first at a fork that was not seen yet."""
        if ways < 2:
            return 0
        if self._passed == len(self.taken):
            self.taken.append((0, ways))
        self._passed += 1
        return self.taken[self._passed - 1][0]

    def begin(self) -> None:
        """Go back to the entrance."""
        self._passed = 0

    def turn(self) -> bool:
        """Take the next way at the last fork that has one left, and go back to the entrance; False if none has."""
        self._passed = 0
        while self.taken:
            way, ways = self.taken.pop()
            if way + 1 < ways:
                self.taken.append((way + 1, ways))
                return True
        return False
