"""A private node inside another root folder; here the other root is this one, so that nothing need be installed."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from lab.servers import PrivateRabbitMQ
from lab.servers.otherroot import VARIABLE, inside
from patterns.connection import RabbitTransport

TRY = ["unshare", "--mount", "true"]
MAY_MOUNT = os.geteuid() == 0 and subprocess.run(TRY, capture_output=True, check=False).returncode == 0


def mounts() -> str:
    return Path("/proc/self/mounts").read_text()


def test_without_another_root_a_command_stays_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert inside() == []


@pytest.mark.whole
@pytest.mark.real
@pytest.mark.skipif(not MAY_MOUNT, reason="only root may mount and chroot")
def test_a_node_in_another_root_is_killed_by_its_pid_and_leaves_no_mount(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "/")
    before = mounts()
    with PrivateRabbitMQ(fsync=False) as rabbitmq:
        program, namespace = (Path(f"/proc/{rabbitmq.pid}/{what}").readlink() for what in ("exe", "ns/mnt"))
        assert program.name == "beam.smp"  # the pid is the node's own, not that of something that started it
        assert namespace != Path("/proc/self/ns/mnt").readlink()
        assert rabbitmq.version in rabbitmq.ctl("version")
        RabbitTransport(rabbitmq.url()).connect("test").close()
        rabbitmq.kill()
        assert not rabbitmq.running
    assert mounts() == before
