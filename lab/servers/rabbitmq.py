"""A private RabbitMQ node, to be crashed at will."""

from __future__ import annotations

import re
import secrets
import signal
import subprocess
from urllib.parse import quote

from lab.servers.keeper import Keeper
from lab.servers.private import Private
from lab.servers.rabbitmq_home import RabbitMQHome, programs
from lab.servers.shell import ErlangShell
from patterns.errors import BrokerUnavailable

START_SECONDS = 240.0
"""A node is up in 4 to 7 seconds; on a machine that does many other things, in minutes."""


class PrivateRabbitMQ(Private):
    """One RabbitMQ node with its own name, ports, folders, cookie and user; reachable from this machine only.

    ``fsync=False`` leaves writing to disk to the operating system: faster, and still safe against ``kill -9`` of the
    node (not against a power cut), which is all a test can do to it.  ``joins``: a running node whose cluster it joins.
    """

    def __init__(self, *, fsync: bool = True, joins: PrivateRabbitMQ | None = None) -> None:
        programs()  # raises, before anything is made, if RabbitMQ is not installed
        self._keeper = Keeper("rabbitmq")
        self._joins = joins
        others = None if joins is None else joins._home
        self._home: RabbitMQHome = RabbitMQHome(self._keeper.folder, fsync=fsync, joins=others)
        self.folder, self.port = self._keeper.folder, self._home.port
        self._node: subprocess.Popen[str] | None = None
        self._shell: ErlangShell | None = None
        self.version = "?"

    @property
    def description(self) -> str:
        """Which broker this is."""
        return f"RabbitMQ {self.version}, private, port {self.port}"

    @property
    def running(self) -> bool:
        """Whether the node's process lives."""
        return self._node is not None and self._node.poll() is None

    @property
    def node(self) -> str:
        """Its name in Erlang."""
        return self._home.node

    @property
    def pid(self) -> int:
        """The process id of the node itself."""
        return self._alive().pid

    def url(self, vhost: str = "/") -> str:
        """Where to connect to, as RABBITMQ_URL wants it."""
        return f"amqp://orderflow:{self._home.password}@127.0.0.1:{self.port}/{quote(vhost, safe='')}"

    def start(self) -> None:
        """Start the node, and wait until it serves; its data is what the last run left."""
        if self.running:
            return
        command = [*self._home.node_command, "-eval", ErlangShell.PROGRAM]
        pipe = subprocess.PIPE
        self._node = self._keeper.start(
            command, env=self._home.environment(), stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True
        )
        self._shell = ErlangShell(self._node)
        self._shell.wait_until_ready(START_SECONDS)
        self.version = self.eval("{ok,V}=application:get_key(rabbit,vsn),V.").strip('"')

    def kill(self) -> None:
        """SIGKILL: what the node had not written is gone, as in a crash."""
        self._keeper.end(self._alive())

    def write_down(self) -> None:
        """Have the node write down which queues and bindings there are, as it does by itself after a while.

        RabbitMQ 3.10.8 forgets what was declared in the last seconds before a ``kill -9``: a quorum queue with all it
        held, a binding without a word.
        """
        self.eval("mnesia:sync_log(), [dets:sync(Table) || Table <- dets:all()].")

    def stop(self) -> None:
        """Shut the node down in order."""
        self._keeper.end(self._alive(), signal.SIGTERM)

    def pause(self) -> None:
        """SIGSTOP: the node is there and says nothing."""
        self._alive().send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """SIGCONT, after :meth:`pause`."""
        self._alive().send_signal(signal.SIGCONT)

    def recover(self) -> None:
        """Undo whatever was done to the node: after this it runs and accepts messages."""
        if self.running:
            self.resume()
            self.raise_memory_alarm(False)
        self.start()

    def create_vhost(self, *names: str) -> None:
        """Create virtual hosts, about 10 ms each."""
        for name in names:
            host, permissions = _binary(name), ",".join(['<<".*">>'] * 3)
            self.eval(
                f'rabbit_vhost:add({host},<<"orderflow">>),'
                f'rabbit_auth_backend_internal:set_permissions(<<"orderflow">>,{host},{permissions},<<"orderflow">>).'
            )

    def fresh_vhost(self) -> str:
        """Create a virtual host nobody has used; answers its name.

        Names never come back: after a crash, RabbitMQ 3.10 does not find the leader of a quorum queue that was
        deleted and declared again under the same name.
        """
        name = f"orderflow-{secrets.token_hex(4)}"
        self.create_vhost(name)
        return name

    def delete_vhost(self, *names: str) -> None:
        """Delete virtual hosts with all that is in them; whoever is connected to one is cut off."""
        for name in names:
            self.eval(f'rabbit_vhost:delete({_binary(name)},<<"orderflow">>).')

    def close_all_connections(self) -> int:
        """Cut every client off, as an operator would; answers how many there were."""
        close = 'rabbit_networking:close_connections(C,"closed by an operator")'
        return int(self.eval(f"C=rabbit_networking:connections(),{close},length(C)."))

    def raise_memory_alarm(self, on: bool = True) -> None:
        """Make the broker believe it is out of memory, so that it blocks whoever publishes; or well again."""
        self.eval(f"vm_memory_monitor:set_vm_memory_high_watermark({'0.00001' if on else '0.6'}).")

    def enable_management(self) -> str:
        """Start the management API, in about a second, for as long as the node has its folder; answers its address."""
        self._home.plugins.write_text("[rabbitmq_management].")
        self.eval(f'rabbit_plugins:ensure("{self._home.plugins}").', timeout=60)
        return self._home.management_url

    def eval(self, expressions: str, timeout: float = 30) -> str:
        """Evaluate Erlang in the node, in a millisecond where ``rabbitmqctl`` takes half a second."""
        self._alive()
        assert self._shell is not None  # noqa: S101 (started together with the node)
        return self._shell.ask(expressions, timeout)

    def ctl(self, *arguments: str, timeout: float = 60) -> str:
        """What ``rabbitmqctl`` answers."""
        command = [*self._home.ctl_command, *arguments]
        done = subprocess.run(
            command, env=self._home.environment(), capture_output=True, text=True, timeout=timeout, check=False
        )
        if done.returncode:
            raise BrokerUnavailable(f"rabbitmqctl {' '.join(arguments)} failed: {done.stderr or done.stdout}")
        return done.stdout

    def close(self) -> None:
        """Kill the node and remove its folder."""
        self._keeper.close()

    def _prepare(self) -> None:
        if self._joins is None:  # otherwise that node's name service serves us too
            self._keeper.start(self._home.epmd_command, env=self._home.environment(), stdin=subprocess.DEVNULL)

    def _alive(self) -> subprocess.Popen[str]:
        if self._node is None or self._node.returncode is not None:
            raise BrokerUnavailable("This private RabbitMQ is not running; start() it first.")
        return self._node


def _binary(name: str) -> str:
    if not re.fullmatch(r"[\w./-]+", name):
        raise ValueError(f"{name!r} is no name for a virtual host here: letters, digits, and _ - . / only")
    return f'<<"{name}">>'
