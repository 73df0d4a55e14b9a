"""Scheduler: many processes in one thread, one step at a time, in an order that a seed decides.

::

    ready tasks ──one is picked──> runs until it waits, or until a place where others may come first ──> picked again …
                   nobody is ready ──> time passes until somebody's waiting is over

Every thread of the simulated shop is a *task* (a greenlet).  Nothing runs beside it, so that the same seed is the same
run, whatever this machine does meanwhile.  A process that is killed loses its tasks, and with them all it knew.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable
from dataclasses import dataclass, field

import greenlet

BEGIN = 1_000_000_000.0
"""When a simulation begins, in seconds since 1970."""


class Killed(BaseException):
    """This process does not live any more; no handler of errors may stop that."""


class Stalled(Exception):
    """The simulation went on for more steps than it may take."""


@dataclass(eq=False)
class Process:
    """What dies together: the tasks of one instance of a service, or of one client."""

    name: str
    alive: bool = True
    stopped_until: float = 0.0  # as SIGSTOP does: it does not run before, and then goes on as if nothing were
    slow_until: float = 0.0  # before, each of its calls takes a while
    skew: float = 0.0  # how wrong its clock is, in seconds
    tasks: list[Task] = field(default_factory=list)


@dataclass(eq=False)
class Task:
    """One thread of a process."""

    name: str
    process: Process
    work: Callable[[], None]
    body: greenlet.greenlet | None = None
    paused: greenlet.greenlet | None = None  # where it goes on: itself, or one of its own within it
    asleep: bool = False
    waits: int = 0  # so far, so that a late alarm for an earlier one is known
    timed_out: bool = False
    done: bool = False
    joiners: list[Task] = field(default_factory=list)


class Scheduler:
    """Runs tasks one at a time.  ``switching``: how often (0 to 1) a task lets others go first where it might;
    ``crowded``: all whose waiting ends at one moment go on then; else each has come to rest before the next does."""

    def __init__(self, seed: int, switching: float = 0.2, most_steps: int = 200_000, *, crowded: bool = False) -> None:
        self.chance = random.Random(seed)  # noqa: S311 (a schedule, not a secret)
        self.switching, self.most_steps, self.crowded = switching, most_steps, crowded
        self.now = BEGIN
        self.steps = 0
        self.current: Task | None = None
        self.failures: list[BaseException] = []
        self._ready: list[Task] = []
        self._alarms: list[tuple[float, int, Task, int]] = []
        self._serial = 0
        self._hub = greenlet.getcurrent()

    # --- for whoever starts things ---

    def spawn(self, name: str, process: Process, work: Callable[[], None]) -> Task:
        """A new task, ready to run."""
        task = Task(name, process, work)
        process.tasks.append(task)
        self._ready.append(task)
        return task

    def kill(self, process: Process) -> None:
        """End a process at once: none of its tasks takes another step.  The caller, if it is one of them, dies last."""
        process.alive = False
        for task in list(process.tasks):
            if task is not self.current and task.body is not None and not task.body.dead:
                self._unwind(task)
            task.done = True
        process.tasks.clear()
        self._ready = [task for task in self._ready if task.process is not process]
        if self.current is not None and self.current.process is process:
            raise Killed(process.name)

    def _unwind(self, task: Task) -> None:
        assert task.body is not None  # noqa: S101 (for the type checker)
        before, self.current = self.current, task
        parent, task.body.parent = task.body.parent, greenlet.getcurrent()
        (task.paused or task.body).throw(Killed(task.process.name))
        if not task.body.dead:
            task.body.parent = parent
            self.failures.append(AssertionError(f"{task.name} survived its death"))
        self.current = before

    # --- for tasks ---

    def may_switch(self) -> None:
        """A place where others may come first."""
        if self.current is not None and self.chance.random() < self.switching:
            self._ready.append(self.current)
            self._pause()

    def wait(self, seconds: float | None) -> bool:
        """Wait to be woken; False when the time (None: endless) was over first."""
        task = self._me()
        task.waits += 1
        task.asleep, task.timed_out = True, False
        if seconds is not None:
            self._serial += 1
            heapq.heappush(self._alarms, (self.now + max(seconds, 0.0), self._serial, task, task.waits))
        self._pause()
        return not task.timed_out

    def wake(self, task: Task) -> None:
        """Let a task go on, if it waits."""
        if task.asleep and not task.done:
            task.asleep = False
            self._ready.append(task)

    def _me(self) -> Task:
        if self.current is None:
            raise AssertionError("only a task can wait")
        if not self.current.process.alive:
            raise Killed(self.current.process.name)
        return self.current

    def _pause(self) -> None:
        me = self._me()
        me.paused = greenlet.getcurrent()
        self._hub.switch()
        self.current = me

    # --- the hub ---

    def run(self, until: Callable[[], bool]) -> bool:
        """Take steps until the condition holds (asked whenever time would pass); False when nobody can go on."""
        self._hub = greenlet.getcurrent()
        while True:
            if self.failures:
                raise self.failures[0]
            task = self._next()
            if task is not None:
                self._step(task)
            elif until():
                return True
            elif not self._pass_time():
                return False

    def go_on(self, steps: int) -> None:
        """Take so many steps and no more; time passes when nobody can go on without it."""
        self._hub = greenlet.getcurrent()
        for _ in range(steps):
            if self.failures:
                raise self.failures[0]
            task = self._next()
            if task is not None:
                self._step(task)
            elif not self._pass_time():
                return

    def _next(self) -> Task | None:
        able = [number for number, task in enumerate(self._ready) if task.process.stopped_until <= self.now]
        if not able:
            return None
        return self._ready.pop(able[self.chance.randrange(len(able))] if len(able) > 1 else able[0])

    def _step(self, task: Task) -> None:
        self.steps += 1
        if self.steps > self.most_steps:
            raise Stalled(f"not quiet after {self.most_steps} steps")
        if task.body is None:
            task.body = task.paused = greenlet.greenlet(lambda: self._body(task))
        self.current = task
        (task.paused or task.body).switch()
        self.current = None

    def _body(self, task: Task) -> None:
        try:
            task.work()
        except Killed:
            return
        except Exception as error:  # the simulated program's own end: for whoever runs the simulation
            self.failures.append(error)
        finally:
            task.done = True
            if task in task.process.tasks:
                task.process.tasks.remove(task)
            for joiner in task.joiners:
                self.wake(joiner)
            task.joiners.clear()

    def _pass_time(self) -> bool:
        """Let time pass until somebody can go on; False when nobody ever will."""
        stopped, woken = [task.process.stopped_until for task in self._ready], False
        while self._alarms:
            time, _, task, waits = self._alarms[0]
            if (stopped and min(stopped) < time) or (woken and (time > self.now or not self.crowded)):
                break
            heapq.heappop(self._alarms)
            if not task.done and task.asleep and waits == task.waits:
                self.now = max(self.now, time)
                task.timed_out = woken = True
                self.wake(task)
        if stopped and not woken:
            self.now = max(self.now, min(stopped))
        return woken or bool(stopped)
