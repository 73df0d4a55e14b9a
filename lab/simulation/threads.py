"""The simulated world's threads and clocks: what :mod:`patterns.runtime` hands out inside a simulation."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar, cast

from lab.simulation.scheduler import Process, Scheduler, Task
from lab.simulation.waiting import Condition, Event, Lock, Mailbox
from patterns.runtime import Runtime, Startable

P = ParamSpec("P")
T = TypeVar("T")


class Thread:
    """A task of the process that makes it."""

    def __init__(self, runtime: SimulatedRuntime, name: str, target: Callable[[], None]) -> None:
        self._runtime, self._name, self._target = runtime, name, target
        self._process = runtime.homes.get(name, runtime.process)
        self._task: Task | None = None

    def start(self) -> None:
        """Begin."""
        self._task = self._runtime.scheduler.spawn(self._name, self._process, self._target)

    def join(self, timeout: float | None = None) -> None:
        """Wait for its end."""
        if self._task is not None and not self._task.done:
            self._task.joiners.append(cast("Task", self._runtime.scheduler.current))
            self._runtime.scheduler.wait(timeout)

    def is_alive(self) -> bool:
        """Whether it runs."""
        return self._task is not None and not self._task.done


class Answer(Future[T]):
    """What a worker will have found; waited for as everything here."""

    def __init__(self, scheduler: Scheduler) -> None:
        super().__init__()
        self._ready = Event(scheduler)
        self.add_done_callback(lambda _: self._ready.set())

    def result(self, timeout: float | None = None) -> T:
        """Wait for it."""
        self._ready.wait(timeout)
        return super().result(0)


class Workers(Executor):
    """Each thing submitted is a task of its own."""

    def __init__(self, runtime: SimulatedRuntime, name: str) -> None:
        self._runtime, self._name = runtime, name

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Do it beside everything else."""
        answer: Answer[T] = Answer(self._runtime.scheduler)

        def work() -> None:
            try:
                self._runtime.before_work()
                answer.set_result(fn(*args, **kwargs))
            except Exception as error:  # as an executor does: it is for whoever asks for the result
                answer.set_exception(error)

        self._runtime.scheduler.spawn(self._name, self._runtime.process, work)
        return answer


class SimulatedRuntime(Runtime):
    """Threads are tasks, time is the scheduler's, chance is the seed's."""

    def __init__(self, scheduler: Scheduler) -> None:
        self.scheduler = scheduler
        self.outside = Process("outside")
        self.before_work: Callable[[], object] = lambda: None  # called before workers do what was submitted; may raise
        self.homes: dict[str, Process] = {}  # whose some threads are, whoever asks for them first

    @property
    def process(self) -> Process:
        """Whose task runs just now."""
        current = self.scheduler.current
        return self.outside if current is None else current.process

    def thread(self, name: str, target: Callable[[], None]) -> Startable:
        """A task of this process."""
        return Thread(self, name, target)

    def lock(self) -> Any:
        """A lock between tasks."""
        return Lock(self.scheduler)

    def condition(self, lock: Any = None) -> Any:
        """A condition between tasks."""
        return Condition(self.scheduler, lock)

    def event(self) -> Any:
        """A flag between tasks."""
        return Event(self.scheduler)

    def mailbox(self) -> Any:
        """A queue between tasks."""
        return Mailbox(self.scheduler)

    def workers(self, count: int, name: str) -> Executor:  # noqa: ARG002 (as many as there is work)
        """Tasks that do what is submitted."""
        return Workers(self, name)

    def sleep(self, seconds: float) -> None:
        """Let simulated time pass."""
        self.scheduler.wait(seconds)

    def monotonic(self) -> float:
        """Simulated seconds."""
        return self.scheduler.now

    def now(self) -> float:
        """Simulated seconds since 1970, by the clock of this process."""
        return self.scheduler.now + self.process.skew

    def between(self, low: float, high: float) -> float:
        """A number of the seed's choice."""
        return self.scheduler.chance.uniform(low, high)

    def token(self) -> str:
        """Eight characters of the seed's choice."""
        return f"{self.scheduler.chance.getrandbits(32):08x}"
