"""Ports given out by several processes at a time."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

from lab.servers import ports

ONE_BY_ONE = """
from random import Random
from lab.servers import ports
ports._order = Random(7)
print(*ports.free_ports({count}), flush=True)
input()
"""


def test_processes_that_draw_alike_share_no_port() -> None:
    command = [sys.executable, "-c", ONE_BY_ONE.format(count=ports.BLOCK + 1)]
    given: list[str] = []
    processes = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    for process in processes:
        assert process.stdout
        given += process.stdout.readline().split()
    for process in processes:
        process.communicate("\n")
    assert len(set(given)) == len(given) == 3 * (ports.BLOCK + 1)


def test_no_port_is_given_twice_and_those_in_use_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    first = ports.free_ports(1)[0]
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setattr(ports, "_left", [first, taken.getsockname()[1]])
        assert ports.free_ports(1) == [first]


def test_when_none_are_left_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ports, "_left", [])
    monkeypatch.setattr(ports, "HIGHEST", ports.LOWEST)
    with pytest.raises(OSError, match="are taken"):
        ports.free_ports(1)
