"""The folder a private RabbitMQ node lives in: its configuration, its data, and the environment that keeps it there."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from lab.servers.keeper import find_program
from lab.servers.otherroot import inside
from lab.servers.ports import free_ports
from patterns.errors import BrokerUnavailable

#: The scripts themselves come first: Debian's /usr/sbin/rabbitmq-server changes user and uses the system's folders.
PLACES = (
    "/usr/lib/rabbitmq/bin",
    "/opt/rabbitmq/sbin",
    "/opt/homebrew/opt/rabbitmq/sbin",
    "/usr/local/opt/rabbitmq/sbin",
)

_SETTINGS = """\
listeners.tcp.1 = 127.0.0.1:{port}
default_user = orderflow
default_pass = {password}
loopback_users = none
num_acceptors.tcp = 2
disk_free_limit.absolute = 1MB
raft.wal_max_size_bytes = 8000000
log.console = false
log.file.level = warning
"""


class RabbitMQHome:
    """Own name, ports, cookie, password and files for one node; nothing of the system's RabbitMQ is read or written.

    ``joins``: the home of a node whose cluster this one joins when it starts for the first time; it must run then.
    """

    def __init__(self, folder: Path, *, fsync: bool, joins: RabbitMQHome | None = None) -> None:
        self.folder = folder
        self.server, self.epmd = programs()
        self.port, self._dist_port, self._epmd_port, self._management_port = free_ports(4)
        self.password, self._cookie = secrets.token_hex(8), secrets.token_hex(16)
        self._others: list[str] = []
        if joins is not None:
            self.password, self._cookie, self._epmd_port = joins.password, joins._cookie, joins._epmd_port
            self._others = [joins.node]
        self._write_files(fsync)

    @property
    def node(self) -> str:
        """The node's name in Erlang."""
        return f"orderflow{self.port}@localhost"

    @property
    def epmd_command(self) -> list[str]:
        """Starts Erlang's name service, for this node alone."""
        return [*inside(), str(self.epmd), "-port", str(self._epmd_port), "-address", "127.0.0.1"]

    @property
    def node_command(self) -> list[str]:
        """Starts the node, small, with its distribution port on loopback only."""
        start = [*inside(), str(self.server), "-noshell", "+S", "2:2"]
        return [*start, "-kernel", "inet_dist_use_interface", "{127,0,0,1}"]

    @property
    def ctl_command(self) -> list[str]:
        """Talks to the node from outside."""
        return [*inside(), str(self.server.with_name("rabbitmqctl")), "--quiet"]

    def environment(self) -> dict[str, str]:
        """The whole environment for all three commands."""
        folder = self.folder
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "C.UTF-8",
            "HOME": str(folder / "home"),
            "ERL_EPMD_PORT": str(self._epmd_port),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": self.node,
            "RABBITMQ_DIST_PORT": str(self._dist_port),
            "RABBITMQ_MNESIA_BASE": str(folder / "data"),
            "RABBITMQ_LOG_BASE": str(folder / "log"),
            "RABBITMQ_CONF_ENV_FILE": str(folder / "environment"),
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq"),
            "RABBITMQ_CONFIG_FILES": str(folder / "conf.d" / "*.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.plugins),
            "RABBITMQ_ALLOW_INPUT": "1",
            "ERL_CRASH_DUMP": str(folder / "log" / "erl_crash.dump"),  # else into whatever folder one is in
        }

    @property
    def plugins(self) -> Path:
        """The file that names the enabled plugins."""
        return self.folder / "enabled_plugins"

    @property
    def management_url(self) -> str:
        """Where the management API is, once that plugin is enabled."""
        return f"http://127.0.0.1:{self._management_port}"

    def _write_files(self, fsync: bool) -> None:
        (self.folder / "home").mkdir()
        cookie = self.folder / "home" / ".erlang.cookie"
        cookie.write_text(self._cookie)
        cookie.chmod(0o400)
        nodes = [*self._others, self.node]
        peers = "".join(f"cluster_formation.classic_config.nodes.{n} = {name}\n" for n, name in enumerate(nodes, start=1))
        config = _SETTINGS.format(port=self.port, password=self.password) + (peers if self._others else "")
        (self.folder / "rabbitmq.conf").write_text(config)
        ra = "" if fsync else "{ra, [{wal_sync_method, none}]}, "
        management = f'{{rabbitmq_management, [{{tcp_config, [{{port, {self._management_port}}}, {{ip, "127.0.0.1"}}]}}]}}'
        (self.folder / "advanced.config").write_text(f"[{ra}{management}].")
        self.plugins.write_text("[].")
        (self.folder / "environment").write_text("")


def programs() -> tuple[Path, Path]:
    """The server's start script and epmd, wherever they are installed; in another root folder, where Debian has them."""
    if inside():
        return Path("/usr/lib/rabbitmq/bin/rabbitmq-server"), Path("/usr/bin/epmd")
    server, epmd = find_program("rabbitmq-server", *PLACES), _find_epmd()
    if server is None or epmd is None:
        raise BrokerUnavailable("RabbitMQ is not installed here; `apt install rabbitmq-server` (or brew) brings it.")
    return server, epmd


def _find_epmd() -> Path | None:
    beside_erl = [str(Path(erl).resolve().parent)] if (erl := shutil.which("erl")) else []
    return find_program("epmd", *beside_erl, "/usr/lib/erlang/bin", "/opt/homebrew/lib/erlang/bin")
