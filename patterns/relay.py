"""Relay: from the outbox to the broker, whatever came between.

Says at once what other threads commit and hand over (:meth:`Relay.say_soon`), many together; and sweeps up what is due:
messages that a crash left unsent, and RPC requests nobody answered.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from patterns import journal, outbox
from patterns.database import Database
from patterns.envelope import Said
from patterns.errors import DatabaseUnavailable
from patterns.logs import get_logger
from patterns.runtime import runtime
from patterns.settings import settings
from patterns.voice import Voice

PRUNE_SECONDS = 60.0
PRUNE_AT_ONCE = 20
"""Transactions of pruning in one round, between which what is due is said."""


class Relay:
    """One service's relay, and what else it must see to in time (``chores``: each called about once a second)."""

    def __init__(self, service: str, database: Database, voice: Voice, chores: Sequence[Callable[[], None]] = ()) -> None:
        self.service, self.database, self.voice, self.chores = service, database, voice, chores
        self._handed: list[Said] = []
        self._wake = runtime().condition()
        self._stopping = False
        self._prune_at = runtime().monotonic() + PRUNE_SECONDS
        self._thread = runtime().thread(f"{service}.relay", self._run)
        self._log = get_logger(service)

    def start(self) -> None:
        """Begin to relay."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """Say what was handed over, then stop; False when that took longer than ``timeout`` seconds."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def abandon(self) -> None:
        """Forget what was handed over, as a crash does; it stands in the outbox."""
        with self._wake:
            self._stopping, self._handed = True, []
            self._wake.notify()

    def say_soon(self, said: Sequence[Said]) -> None:
        """Publish these in a moment; whoever hands them over does not wait."""
        if said:
            with self._wake:
                self._handed += said
                self._wake.notify()

    def _run(self) -> None:
        sweep_at = runtime().monotonic()
        while True:
            with self._wake:
                self._wake.wait_for(lambda: self._handed or self._stopping, max(0.0, sweep_at - runtime().monotonic()))
                handed, self._handed = self._handed, []
            self._guarded(partial(self.voice.say, handed))
            if self._stopping:
                return
            if runtime().monotonic() >= sweep_at:
                self._guarded(self._round)
                sweep_at = runtime().monotonic() + settings().relay_seconds

    def _guarded(self, work: Callable[[], object]) -> None:
        try:
            work()
        except DatabaseUnavailable as error:
            self._log.debug("%s; the next round tries again.", error)
        except Exception:  # the relay is the last defence: it must outlive a surprise, loudly
            self._log.exception("The relay failed and goes on.", extra={"action": "failed"})

    def _round(self) -> None:
        self.sweep()
        for chore in self.chores:
            chore()
        if runtime().monotonic() >= self._prune_at:
            self._prune_at = runtime().monotonic() + PRUNE_SECONDS
            self._prune()

    def _prune(self) -> None:
        """Remove what is old, in small transactions, as fast as a busy shop writes; the rest in the next round."""
        for _ in range(PRUNE_AT_ONCE):
            if self._stopping or not self.database.transact(journal.prune, settings().journal_days * 86400):
                return
        self._prune_at = runtime().monotonic()

    def sweep(self) -> None:
        """Say everything that is due, page by page; nothing while the broker is away, so that nothing ages."""
        while self.voice.link.trouble is None and not self._stopping:
            due = self.database.transact_one(outbox.claim)
            self.voice.say(due)
            if len(due) < outbox.CLAIM_ROWS:
                return
