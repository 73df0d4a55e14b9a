"""What private servers have in common: they run for as long as a ``with`` lasts, and can be restarted meanwhile."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Private(ABC):
    """A server of our own, in a folder of its own, of which nothing is left afterwards."""

    def __enter__(self) -> Self:
        try:
            self._prepare()
            self.start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @abstractmethod
    def start(self) -> None:
        """Start it, and wait until it serves."""

    @abstractmethod
    def kill(self) -> None:
        """SIGKILL."""

    @abstractmethod
    def stop(self) -> None:
        """Shut it down in order."""

    @abstractmethod
    def close(self) -> None:
        """Kill what runs and remove its folder."""

    @abstractmethod
    def _prepare(self) -> None:
        """What the first start needs."""

    def restart(self, *, crash: bool = False) -> None:
        """Stop it (or kill it: ``crash``) and start it again on the same ports with the same data."""
        self.kill() if crash else self.stop()
        self.start()
