"""The simulated world: one broker, six databases, several instances of each service, and what befalls them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache

from lab.shop import app_of, know_all, wirings_of
from lab.simulation.broker import SimulatedTransport
from lab.simulation.faults import Injector, Plan
from lab.simulation.invariants import Broken, Watch
from lab.simulation.nature import befall
from lab.simulation.prepared import PreparedDatabase
from lab.simulation.scheduler import Process, Scheduler
from lab.simulation.stores import STORES, Kind
from lab.simulation.threads import SimulatedRuntime
from patterns import topology
from patterns.address import Answer
from patterns.broker import EmbeddedTransport
from patterns.errors import GatewayUnavailable
from patterns.hops import CLIENT
from patterns.runtime import use_runtime
from patterns.service import Service
from patterns.shop import SERVICES
from patterns.transport import use
from patterns.wiring import accepts

RESTART_SECONDS = 1.0
GATEWAY_SECONDS = (0.2, 2.0, 6.0)


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
        database = PreparedDatabase(self.world.stores[self.service], self.process)
        use(SimulatedTransport(self.world, self.process))
        made = Service(
            self.service, database, module.metadata, module.wirings, tuple(dict.fromkeys(module._acts.values())),
            module.chores, module._lock_rows,
        )
        made.start()
        self.running = made


@cache
def understood() -> list[tuple[str, str]]:
    """Every queue with each type of message that is understood there."""
    return [
        (line.address.queue_for(service), name)
        for service in SERVICES for wiring in wirings_of(service).values() for line in wiring.lines
        if not isinstance(line.address, Answer) for name in sorted(message.__name__ for message in accepts(line.handler))
    ]


class World:
    """Everything there is in one run."""

    def __init__(
        self, seed: int, *, plan: Plan | None = None, rate: float = 0.0,
        weights: Mapping[str, float] | None = None, instances: int = 1, switching: float = 0.2,
        store: Kind = "serial",
    ) -> None:
        self.scheduler = Scheduler(seed, switching, crowded=not STORES[store].serial)
        self.runtime = SimulatedRuntime(self.scheduler)
        self.injector = Injector(self, plan or {}, rate, weights or {}, seed + 1)
        self.story: list[tuple[float, str, str]] = []
        self.nature = Process("nature")  # brokers, networks and operators: nothing kills it
        self.runtime.homes["embedded-broker-timer"] = self.nature
        self.runtime.before_work = self._gateway
        self.seen: Counter[str] = Counter()  # what else happened that a run should have seen
        self.stores = {service: STORES[store](self, service) for service in SERVICES}
        self.others: list[Process] = []
        self.watch = Watch(self.stores)
        self.instances = [Instance(self, service, number) for service in SERVICES for number in range(1, instances + 1)]
        self.broker: EmbeddedTransport
        self.broker_is_up = True
        self.blocked_until = 0.0  # an alarm: the broker takes no messages before
        self.poison: dict[str, str] = {}  # messages nobody can handle, and the queue each was put into
        self.understood = understood()

    @contextmanager
    def entered(self) -> Iterator[None]:
        """Live in this world: while it lasts, it is everybody's."""
        know_all()
        for service in SERVICES:
            app_of(service)  # imported before this world begins: what a module makes at its import outlives it
        use_runtime(self.runtime)
        try:
            self.broker = EmbeddedTransport(
                clock=lambda: self.scheduler.now, choose=lambda _, consumers: self.scheduler.chance.choice(consumers),
            )
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
        for store in self.stores.values():
            store.down_until = 0.0

    def give_back(self) -> None:
        """Nobody looks at this world any more: its databases serve another one."""
        for store in self.stores.values():
            store.give_back()

    def time(self) -> float:
        """The databases' clock: a microsecond for each place passed, so that a story can be told in its order."""
        return self.scheduler.now + self.injector.number * 1e-6

    def note(self, whom: Process, what: str) -> None:
        """Something worth telling when the run is told, and whom it befell: a service, or else clients."""
        service = whom.name.rstrip("0123456789")
        self.story.append((self.time(), service if service in SERVICES else CLIENT, what))

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
        befall(self, kind, process)

    def _gateway(self) -> None:
        """Before the payment gateway is asked."""
        fault = self.injector.at("gateway")
        if fault == "gateway slow":
            self.scheduler.wait(self.scheduler.chance.choice(GATEWAY_SECONDS))
        elif fault == "gateway away":
            raise GatewayUnavailable("The payment gateway does not answer.")
