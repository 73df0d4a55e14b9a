"""The simulated world: one broker, six databases, several instances of each service, and what befalls them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from lab.shop import app_of, know_all
from lab.simulation.broker import SimulatedTransport
from lab.simulation.faults import Injector, Plan
from lab.simulation.invariants import Broken, Watch
from lab.simulation.scheduler import Process, Scheduler
from lab.simulation.store import SimulatedDatabase, Store, Wire
from lab.simulation.threads import SimulatedRuntime
from patterns import topology
from patterns.broker import EmbeddedTransport
from patterns.runtime import use_runtime
from patterns.service import Service
from patterns.shop import SERVICES
from patterns.transport import use

RESTART_SECONDS = 1.0
STALL_SECONDS = (0.01, 0.3, 2.0, 8.0)
STOP_SECONDS = (2.0, 8.0, 70.0)
HEARTBEAT_SECONDS = 60.0
"""A process that is stopped for longer than two missed heartbeats has lost its connections when it goes on."""


class Instance:
    """One process of a service, as often as it is started: each life begins with nothing in its memory."""

    def __init__(self, world: World, service: str, number: int) -> None:
        self.world, self.service, self.number = world, service, number
        self.process = Process(f"{service}{number}", alive=False)
        self.running: Service | None = None
        self.lives = 0

    def start(self) -> None:
        """Begin a life (called from a task of the new process)."""
        module: Service = app_of(self.service).state.service
        database = SimulatedDatabase(self.service, self._connect)
        use(SimulatedTransport(self.world, self.process))
        made = Service(
            self.service, database, module.metadata, module.wirings, tuple(dict.fromkeys(module._acts.values())),
            module.chores, module._lock_rows,
        )
        made.start()
        self.running = made

    def _connect(self) -> Wire:
        return Wire(self.world.stores[self.service], self.process)


class World:
    """Everything there is in one run."""

    def __init__(
        self, seed: int, *, plan: Plan | None = None, rate: float = 0.0,
        weights: Mapping[str, float] | None = None, instances: int = 1, switching: float = 0.2,
    ) -> None:
        self.scheduler = Scheduler(seed, switching)
        self.runtime = SimulatedRuntime(self.scheduler)
        self.injector = Injector(self, plan or {}, rate, weights or {}, seed + 1)
        self.story: list[tuple[float, str]] = []
        self.nature = Process("nature")  # brokers, networks and operators: nothing kills it
        self.runtime.homes["embedded-broker-timer"] = self.nature
        self.runtime.before_work = lambda: self.injector.at("gateway")
        self.stores = {service: Store(self, service) for service in SERVICES}
        self.others: list[Process] = []
        self.watch = Watch(self.stores)
        self.instances = [Instance(self, service, number) for service in SERVICES for number in range(1, instances + 1)]
        self.broker: EmbeddedTransport

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Live in this world: while it lasts, it is everybody's."""
        know_all()
        for service in SERVICES:
            app_of(service)  # imported before this world begins: what a module makes at its import outlives it
        use_runtime(self.runtime)
        try:
            self.broker = EmbeddedTransport(choose=lambda _, consumers: self.scheduler.chance.choice(consumers))
            channel = self.broker.connect("topology").channel()
            topology.declare_known(channel)
            channel.close()
            for instance in self.instances:
                self.start(instance)
            yield
        finally:
            self.end()

    def end(self) -> None:
        """Leave this world."""
        self.stop()
        use(None)
        use_runtime(None)

    def stop(self) -> None:
        """Everybody stops where they are."""
        self.scheduler.current = None
        for process in [*(instance.process for instance in self.instances), self.nature, *self.others]:
            self.scheduler.kill(process)

    def time(self) -> float:
        """The databases' clock: a microsecond for each place passed, so that a story can be told in its order."""
        return self.scheduler.now + self.injector.number * 1e-6

    def note(self, what: str) -> None:
        """Something worth telling when the run is told."""
        self.story.append((self.time(), what))

    def committed(self, service: str) -> None:
        """A transaction of this service was committed: what always holds must hold now."""
        try:
            self.watch.look(service)
        except Broken as error:
            self.scheduler.failures.append(error)  # ends the run; raised here, a handler's retries would hide it

    # --- what befalls ---

    def start(self, instance: Instance) -> None:
        """Begin a new life of an instance."""
        instance.lives += 1
        instance.process = Process(f"{instance.service}{instance.number}")
        instance.running = None
        self.scheduler.spawn(f"{instance.process.name}.start", instance.process, instance.start)

    def crash(self, process: Process) -> None:
        """Kill a process; it comes back after a while, with an empty memory."""
        instance = next((one for one in self.instances if one.process is process), None)
        self.broker.kill(f"{process.name}/")
        if instance is not None:
            instance.running = None
            self.later(RESTART_SECONDS * self.scheduler.chance.choice((0.1, 1, 5)), lambda: self.start(instance))
        self.scheduler.kill(process)

    def later(self, seconds: float, what: Callable[[], None]) -> None:
        """Let something happen then."""

        def task() -> None:
            self.scheduler.wait(seconds)
            what()

        self.scheduler.spawn("later", self.nature, task)

    def break_something(self, kind: str, process: Process) -> None:
        """Faults that may come anywhere; ``process`` is whoever was at the place."""
        befall: dict[str, Callable[[Process], Any]] = {
            "crash": self.crash, "stall": self._stall, "stop": self._stop, "broker restart": self._restart_broker,
            "connection lost": self._lose, "consumer cancelled": self._cancel,
            "duplicate": lambda _: self._say_again(new=False), "replay": lambda _: self._say_again(new=True),
        }
        befall[kind](process)

    def _stall(self, process: Process) -> None:  # noqa: ARG002 (it is the current task that waits)
        self.scheduler.wait(self.scheduler.chance.choice(STALL_SECONDS))

    def _stop(self, process: Process) -> None:
        """SIGSTOP, and SIGCONT later: it goes on as if nothing had been, perhaps without its connections."""
        seconds = self.scheduler.chance.choice(STOP_SECONDS)
        process.stopped_until = self.scheduler.now + seconds
        if seconds > HEARTBEAT_SECONDS:
            self.later(HEARTBEAT_SECONDS, lambda: self._lose(process))
        self.scheduler.may_switch()

    def _lose(self, process: Process) -> None:
        self.broker.kill(f"{process.name}/")

    def _restart_broker(self, process: Process) -> None:  # noqa: ARG002 (everybody's)
        self.broker.restart()

    def _cancel(self, process: Process) -> None:
        """The broker ends the consumers of the queues this process reads, as when a queue's leader fails over."""
        self.broker.cancel_consumers(f"{process.name}/")

    def _say_again(self, *, new: bool) -> None:
        """Somebody publishes an old message of an outbox once more: the same, or under a new id as operators do."""
        at_rest = [service for service in SERVICES if not self.stores[service].turn.held]
        said = [(service, row) for service in at_rest for row in self.stores[service].rows(_SAID)]
        if not said:
            return
        _, (message_id, exchange, key, body, correlation, kind, headers) = self.scheduler.chance.choice(said)
        self.replay(message_id, exchange, key, body, correlation, kind, headers, new=new)

    def replay(
        self, message_id: str, exchange: str, key: str, body: str, correlation: str, kind: str, headers: str, *, new: bool
    ) -> None:
        """Publish an outbox row's message from outside."""
        import json
        from uuid import UUID

        from patterns.amqp import Outgoing, Properties

        again = f"{self.scheduler.chance.getrandbits(128):032x}" if new else message_id
        properties = Properties(
            message_id=str(UUID(again)), type=kind, correlation_id=correlation, app_id="operator",
            headers=json.loads(headers),
        )
        connection = self.broker.connect("nature")
        connection.channel().publish([Outgoing(exchange, key, body.encode(), properties, mandatory=False)])
        connection.close()


_SAID = (
    "SELECT message_id, exchange, routing_key, body, correlation_id, type, headers FROM outbox "
    "WHERE address <> 'answer' ORDER BY id"
)
