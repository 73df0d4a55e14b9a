"""A RabbitMQ cluster of three nodes on loopback, whose nodes are killed one at a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack
from types import TracebackType

from lab.servers.rabbitmq import PrivateRabbitMQ
from patterns.errors import BrokerUnavailable

NODES = 3
PATIENCE_SECONDS = 180.0

_QUORUM_QUEUES = "[Q || Q <- rabbit_amqqueue:list(), amqqueue:get_type(Q) =:= rabbit_quorum_queue]"

#: Queues whose leader this node does not know, or knows on a node that does not run.
_LEADERLESS = f"""
Up = rabbit_nodes:all_running(),
length([Q || Q <- {_QUORUM_QUEUES}, begin {{N, _}} = amqqueue:get_pid(Q),
    case ra_leaderboard:lookup_leader(N) of {{_, L}} -> not lists:member(L, Up); _ -> true end end]).
"""

#: Queues that have fewer members than nodes here, or a member that is no follower or leader: it recovers, or is not there.
_INCOMPLETE = f"""
length([Q || Q <- {_QUORUM_QUEUES}, begin {{N, _}} = amqqueue:get_pid(Q),
    not lists:all(fun(Node) -> case rpc:call(Node, ets, lookup, [ra_state, N], 5000) of
        [{{_, S}}] -> S =:= follower orelse S =:= leader; _ -> false end end,
    maps:get(nodes, amqqueue:get_type_state(Q))) end]).
"""


class PrivateCluster:
    """Three private nodes that form one cluster; clients are given all their URLs."""

    def __init__(self, *, fsync: bool = True) -> None:
        self._fsync = fsync
        self.nodes: list[PrivateRabbitMQ] = []
        self._open = ExitStack()

    def __enter__(self) -> PrivateCluster:
        with ExitStack() as opening:
            for _ in range(NODES):
                first = self.nodes[0] if self.nodes else None
                self.nodes.append(opening.enter_context(PrivateRabbitMQ(fsync=self._fsync, joins=first)))
            self._wait_until(lambda: len(self.running()) == NODES, "all nodes are in one cluster")
            self._open = opening.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._open.close()

    def url(self, vhost: str) -> str:
        """Where to connect to: every node, separated by commas."""
        return ",".join(node.url(vhost) for node in self.nodes)

    @property
    def some_node(self) -> PrivateRabbitMQ:
        """A node that runs."""
        return next(node for node in self.nodes if node.running)

    def running(self) -> list[str]:
        """The nodes that the cluster believes to run."""
        return self.some_node.eval("rabbit_nodes:all_running().").strip("[]").replace("'", "").split(",")

    def kill(self, number: int) -> None:
        """``kill -9`` for one node; returns when every quorum queue has a leader among the others."""
        victim = self.nodes[number]
        victim.kill()
        self._wait_until(lambda: victim.node not in self.running(), f"{victim.node} is missed")
        self._wait_until(lambda: self._asked(_LEADERLESS) == 0, "every queue has a leader that runs")

    def bring_back(self, number: int) -> None:
        """Start a node again; returns when every quorum queue has its member there, so that another may go."""
        self.nodes[number].start()
        self._wait_until(lambda: len(self.running()) == NODES, "all nodes run")
        self._wait_until(lambda: self._asked(_INCOMPLETE) == 0, "every queue has all its members")

    def _asked(self, question: str) -> int:
        return int(self.some_node.eval(question, timeout=PATIENCE_SECONDS))

    @staticmethod
    def _wait_until(what: Callable[[], bool], doing: str) -> None:
        until = time.monotonic() + PATIENCE_SECONDS
        while not what():
            if time.monotonic() > until:
                raise BrokerUnavailable(f"The private cluster: not within {PATIENCE_SECONDS:g} s: {doing}.")
            time.sleep(0.1)  # the nodes tell nobody here
