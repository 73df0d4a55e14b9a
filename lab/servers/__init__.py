"""Private servers: a RabbitMQ and a PostgreSQL of our own, on loopback, gone when the process that started them is gone.

::

    with PrivateRabbitMQ() as rabbitmq, PrivatePostgres() as postgres:
        rabbitmq.create_vhost("shop")
        postgres.create_database("shop_order")
        ... rabbitmq.url("shop"), postgres.url("shop_order") ...

Nothing of the machine is touched: own ports, own folders, own cookie, no system service.
"""

from lab.servers.cluster import PrivateCluster
from lab.servers.configured import ConfiguredRabbitMQ
from lab.servers.databases import Databases
from lab.servers.install import find_or_install
from lab.servers.keeper import Keeper
from lab.servers.ports import free_ports
from lab.servers.postgres import Postgres
from lab.servers.private_postgres import PrivatePostgres
from lab.servers.rabbitmq import PrivateRabbitMQ

__all__ = [
    "ConfiguredRabbitMQ",
    "Databases",
    "Keeper",
    "Postgres",
    "PrivateCluster",
    "PrivatePostgres",
    "PrivateRabbitMQ",
    "find_or_install",
    "free_ports",
]
