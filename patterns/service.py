"""A service: its database, its voice, its ears, its relay; started together, stopped together.

Whatever is away when it starts is waited for: the service answers on its port at once, ``/readyz`` says what is
missing, and everything that needs it answers 503 until it is there.  Tables of another version than the code are not
waited for: the service ends, and says what to run.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import MetaData
from tenacity import Retrying, retry_if_exception_type, sleep_using_event, wait_exponential_jitter
from tenacity.stop import stop_when_event_set

from patterns import outbox, schema, topology
from patterns.checks_service import complaints
from patterns.database import Database, Session
from patterns.envelope import Context, Said
from patterns.errors import DatabaseUnavailable, SchemaMismatch, WiringError
from patterns.hearing import RowLocks
from patterns.journal import keep_journal
from patterns.listener import Listener, addressed
from patterns.logs import get_logger
from patterns.message import Message
from patterns.relay import Relay
from patterns.rpc import converse
from patterns.runtime import runtime
from patterns.settings import settings
from patterns.transport import transport
from patterns.voice import Voice
from patterns.waiting import Waiting
from patterns.wiring import Handler, Wirings, accepts

START_SECONDS = 0.5

EARS_SHARE = 0.9
"""The ears' share of DRAIN_SECONDS; the rest is for saying what their handlers said."""

LEAST_SECONDS = 0.1


class Service:
    """One service, of the shop or of your own.

    ``metadata`` holds its tables; the journal's are added.  ``wirings`` holds what it hears and says in each mode that
    it takes part in.  ``acts`` are handlers a client or a clock may ask for directly (:meth:`perform`); ``chores`` are
    called about once a second with the service: what must happen in time, such as deadlines.  ``lock_rows`` locks what
    several orders share, for all messages of a transaction at once.  Raises WiringError when a wiring cannot work.
    """

    def __init__(
        self, name: str, database: Database, metadata: MetaData, wirings: Wirings,
        acts: Sequence[Handler] = (), chores: Sequence[Callable[[Service], None]] = (),
        lock_rows: RowLocks | None = None,
    ) -> None:
        self.name, self.database, self.metadata, self.wirings, self.chores = name, database, metadata, wirings, chores
        if wrong := complaints(name, wirings, acts):
            raise WiringError(f"{name}: {'; '.join(wrong)}")
        keep_journal(metadata)
        self._lock_rows = lock_rows
        self._acts = {message: act for act in acts for message in accepts(act)}
        self.trouble: str | None = "not started"
        self.refusal: SchemaMismatch | None = None
        self.on_refusal: Callable[[], None] | None = None
        """Ends the process's server; whoever serves the app sets it."""
        self.waiting = Waiting()
        topology.know(name, wirings)
        self.voice: Voice
        self.listener: Listener
        self.relay: Relay
        self._stopping = runtime().event()
        self._beginning = runtime().lock()
        self.has_begun = False
        """Whether its connections were begun, and not stopped since."""
        self.finished = True
        """Whether the last stop finished all that was in hand."""
        self._until: float | None = None

    @property
    def mode(self) -> str:
        """How what it begins travels: by MESSAGING_MODE, or in the first of its modes if that is none of them."""
        chosen = settings().messaging_mode
        return chosen if chosen in self.wirings else next(iter(self.wirings))

    def start(self) -> None:
        """See to the tables, connect, listen; what is away is waited for in the background.

        Raises SchemaMismatch when the tables are not this code's, unless ``on_refusal`` ends it in better order.
        """
        self._stopping.clear()
        self.refusal = None
        self.waiting.open()
        broker = transport()
        self.voice = Voice(self.name, broker, self.database, self.wirings, lambda _, answers: self.listener.handle(answers))
        self.listener = Listener(
            self.name, broker, self.database, self.wirings, self.voice, self._lock_rows, self.waiting.news)
        chores = [lambda chore=chore: chore(self) for chore in self.chores]
        self.relay = Relay(self.name, self.database, self.voice, chores)
        try:
            self._begin()
        except DatabaseUnavailable as error:
            self.trouble = str(error)
            get_logger(self.name).warning("%s; waiting for it.", error, extra={"action": "unavailable"})
            runtime().thread(f"{self.name}.start", self._begin_when_possible).start()
        except SchemaMismatch as error:
            self._refuse(error)
            if self.on_refusal is None:
                raise

    def drain(self) -> None:
        """Take nothing new from now on, and finish what is in hand, within DRAIN_SECONDS; returns at once.

        Whoever waits for an order's ending is answered as it stands; whoever asks for anything is told 503 from now on.
        """
        if self._until is None:
            with self._beginning:  # whoever is beginning says so first, and is stopped then
                self._stopping.set()
            seconds = settings().drain_seconds
            self._until, self.trouble = runtime().monotonic() + seconds, "stopping"
            self.waiting.close()
            if self.has_begun:
                self.listener.link.drain(seconds * EARS_SHARE)

    def stop(self) -> bool:
        """Finish what is in hand, say it, close; False when that took longer than DRAIN_SECONDS.

        What was not finished by then is in no acknowledged message: the broker delivers it to whoever comes next.
        """
        self.drain()
        finished = not self.has_begun or all([
            self.listener.stop(self._left(EARS_SHARE)), self.relay.stop(self._left()), self.voice.link.stop(self._left()),
        ])
        if not finished:
            get_logger(self.name).error(
                "Not finished within %g s (DRAIN_SECONDS); the broker keeps what was in hand for another instance.",
                settings().drain_seconds, extra={"action": "unfinished"},
            )
        self.database.close()
        self.trouble, self.has_begun, self._until, self.finished = "stopped", False, None, finished
        return finished

    def _left(self, share: float = 1.0) -> float:
        """The seconds left for stopping, less what a later part needs."""
        now, until = runtime().monotonic(), self._until or 0.0
        return max(until - now - settings().drain_seconds * (1 - share), LEAST_SECONDS)

    def abandon(self) -> None:
        """Break off as a crash does, for tests: nothing in hand is finished, said or acknowledged."""
        self._stopping.set()
        if self.has_begun:
            self.relay.abandon()
            self.voice.link.abandon()
            self.listener.link.abandon()

    def _begin(self) -> None:
        schema.prepare(self.database, self.metadata)
        with self._beginning:
            if self._stopping.is_set():
                return
            self.voice.link.start()
            self.listener.link.start()
            self.relay.start()
            self.has_begun, self.trouble = True, None
        # Ready when the port opens, if the broker is there; what is said before waits for the relay's next round.
        self.voice.link.opened(within=START_SECONDS)

    def _begin_when_possible(self) -> None:
        patience = Retrying(
            retry=retry_if_exception_type(DatabaseUnavailable), wait=wait_exponential_jitter(multiplier=0.2, max=5),
            stop=stop_when_event_set(self._stopping), sleep=sleep_using_event(self._stopping),
            retry_error_callback=lambda _: None,
        )
        try:
            patience(self._begin)
        except SchemaMismatch as error:
            get_logger(self.name).error("%s", error, extra={"action": "refused"})
            self._refuse(error)

    def _refuse(self, error: SchemaMismatch) -> None:
        self.trouble, self.refusal = str(error), error
        if self.on_refusal is not None:
            self.on_refusal()

    def perform(
        self, message: Message, *, wait: bool = False, until: float | None = None, traceparent: str | None = None,
        look: Callable[[Session], object] = lambda _: None,
    ) -> tuple[Message, ...]:
        """Do one of the service's own acts, asked for by a client or a clock; answers what its handler said.

        Committed when it returns; what is said travels right after, in the order's mode.  With ``wait``, questions are
        asked and their answers handled here and now, at most RPC_WAIT_SECONDS or ``until`` then (monotonic).  ``look``
        sees, in the same transaction, what became of it: cheaper than to look again after the commit.
        """
        until = runtime().monotonic() + settings().rpc_wait_seconds if until is None else until
        answers, said = self.database.transact(self._act, message, traceparent, look)
        self.waiting.news([message.order_id])
        if wait and runtime().monotonic() < until and any(one.awaits_answer for one in said):
            converse(said, self.voice, self.listener, self.relay, until)
        else:
            self.relay.say_soon(said)
        return answers

    def _act(
        self, session: Session, message: Message, traceparent: str | None,
        look: Callable[[Session], object] = lambda _: None,
    ) -> tuple[tuple[Message, ...], Sequence[Said]]:
        result = self._acts[type(message)](session, message)
        look(session)
        answers = result if isinstance(result, tuple) else (result,) if result is not None else ()
        deadline = runtime().now() + settings().order_deadline_seconds
        context = Context(self.mode, traceparent=traceparent, deadline=deadline)
        return answers, outbox.add(session, addressed(answers, self.wirings, context))
