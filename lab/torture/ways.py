"""Faults of processes and servers: those that pause and roll, that are out of memory, restart, or hang up on everybody."""

from __future__ import annotations

from lab.queues import queue_depths
from lab.shop import wirings_of
from lab.torture.faults import HAPPEN_SECONDS, Faults, way
from lab.torture.plan import TortureTrouble
from patterns import topology


@way("pause")
def pause(faults: Faults) -> None:
    """SIGSTOP for longer than heartbeat and deadline: a process that goes on and does not know it was given up."""
    process = faults.some_process()
    beyond = max(3 * (faults.plan.heartbeat_seconds or 0), faults.plan.deadline_seconds) * 1.2
    process.pause()
    try:
        faults.hold(beyond, beyond)
    finally:
        process.resume()
    faults.happened["pause"] += 1


@way("roll")
def roll(faults: Faults) -> None:
    """A rolling restart: one instance of each service after the other is told to end, and started anew."""
    for number in range(faults.plan.instances):
        leaving = [group[number] for group in faults.shop.groups.values()]
        for process in leaving:
            process.ask_to_end()
        for process in leaving:
            if status := process.wait_until_ended():
                faults.unwell.append(f"{process.name} ended with {status} after SIGTERM. {process.last_words()}")
            process.start()
            faults.happened["restart in order"] += 1
        faults.wait_until_all_are_ready("a rolling restart")


@way("alarm")
def alarm(faults: Faults) -> None:
    """RabbitMQ believes it is out of memory, and takes no messages, until somebody says that it waits."""
    node = faults.shop.some_node()
    node.raise_memory_alarm()
    try:
        noticed = faults.wait_until(lambda: not faults.all_ready(), HAPPEN_SECONDS)
        faults.hold()
    finally:
        node.raise_memory_alarm(False)
    (faults.happened if noticed else faults.missed)["memory alarm"] += 1


@way("backlog")
def backlog(faults: Faults) -> None:
    """A service is killed, messages come to wait for it, and RabbitMQ is restarted with them in its queues."""
    server = faults.shop.node
    if server is None:
        raise TortureTrouble("Only a RabbitMQ of the torture's own, of one node, is restarted.")
    service = faults.chance.choice([name for name in sorted(faults.shop.groups) if name != "order"])  # it takes the orders
    queues = topology.heard_queues(service, wirings_of(service))
    for process in faults.shop.groups[service]:
        process.kill()
    waits = faults.wait_until(lambda: any(queue_depths().get(queue) for queue in queues), HAPPEN_SECONDS)
    server.restart()
    for process in faults.shop.groups[service]:
        process.start()
    (faults.happened if waits else faults.missed)["restart over a backlog @ rabbitmq"] += 1


@way("node")
def node(faults: Faults) -> None:
    """A node of the cluster is killed, the others go on alone, and it comes back: each node in its turn."""
    cluster = faults.shop.cluster
    if cluster is None:
        raise TortureTrouble("Nodes are killed in a cluster only: --cluster.")
    number = faults.happened["node killed"] % len(cluster.nodes)
    cluster.kill(number)
    faults.hold()
    cluster.bring_back(number)
    faults.happened["node killed"] += 1


@way("connections")
def connections(faults: Faults) -> None:
    """An operator closes every connection to RabbitMQ."""
    faults.happened["connection closed @ rabbitmq"] += faults.shop.some_node().close_all_connections()


@way("terminate")
def terminate(faults: Faults) -> None:
    """An operator ends every backend of PostgreSQL, also those in the middle of a COMMIT."""
    faults.happened["connection closed @ postgresql"] += faults.database.close_all_connections()


@way("database-restart")
def database_restart(faults: Faults) -> None:
    """PostgreSQL shuts down in order and is started again."""
    _restart_database(faults, crash=False)


@way("database-kill")
def database_kill(faults: Faults) -> None:
    """PostgreSQL is killed, and recovers."""
    _restart_database(faults, crash=True)


def _restart_database(faults: Faults, *, crash: bool) -> None:
    if crash:
        faults.database.kill()
    else:
        faults.database.stop()
    faults.hold()
    faults.database.start()
    faults.happened[f"database {'killed' if crash else 'restarted'}"] += 1
