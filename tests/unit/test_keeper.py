"""What a keeper started ends with the process that started it, however that ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from lab.servers.keeper import Keeper
from lab.servers.ports import HIGHEST, LOWEST, free_ports

HOLDER = """
import sys
from lab.servers.keeper import Keeper
keeper = Keeper("test")
process = keeper.start(["cat"], stdin=-1)
print(keeper.folder, process.pid, flush=True)
sys.stdin.read()
"""


def becomes(true: Callable[[], bool], seconds: float = 30) -> bool:
    """Ask again and again until it is so, or the time is over."""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        os.sched_yield()
    return True


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and only waits to be collected does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    status = Path(f"/proc/{pid}/stat")  # where there is no /proc, somebody collects the dead
    return not status.exists() or status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_kill_9_of_the_starter_takes_everything_with_it() -> None:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", HOLDER], stdin=pipe, stdout=pipe, text=True) as holder:
        assert holder.stdout is not None
        folder, pid = holder.stdout.readline().split()
        assert alive(int(pid))
        assert Path(folder).is_dir()
        holder.kill()
    assert becomes(lambda: not alive(int(pid)))
    assert becomes(lambda: not Path(folder).exists())


def test_closing_ends_what_runs_and_removes_the_folder() -> None:
    keeper = Keeper("test")
    process = keeper.start(["cat"], stdin=subprocess.PIPE)
    keeper.close()
    assert process.returncode == -signal.SIGKILL
    assert not keeper.folder.exists()


def test_what_was_ended_is_struck_off_so_that_nobody_else_with_its_pid_is_killed() -> None:
    keeper = Keeper("test")
    process = keeper.start(["cat"], stdin=subprocess.PIPE)
    assert [entry.name for entry in (keeper.folder / "pids").iterdir()] == [str(process.pid)]
    keeper.end(process, signal.SIGTERM)
    assert list((keeper.folder / "pids").iterdir()) == []
    assert process.returncode == -signal.SIGTERM
    keeper.close()


def test_one_that_will_not_end_is_killed() -> None:
    keeper = Keeper("test")
    stubborn = keeper.start(["sh", "-c", "trap '' TERM; echo ready; read line"], stdin=-1, stdout=-1)
    assert stubborn.stdout is not None
    stubborn.stdout.readline()
    keeper.end(stubborn, signal.SIGTERM, timeout=0.05)
    assert stubborn.returncode == -signal.SIGKILL
    stubborn.stdout.close()
    keeper.close()


def test_ports_are_free_and_differ() -> None:
    found = [port for _ in range(20) for port in free_ports(5)]
    assert len(set(found)) == 100
    assert all(LOWEST <= port <= HIGHEST for port in found)
