"""Sets of databases for one shop: one database per service, made fresh in an instant."""

from __future__ import annotations

import secrets
from collections.abc import Callable

from lab.servers.postgres import Postgres

SERVICES = ("user", "product", "order", "payment", "delivery", "notification")


class Databases:
    """Makes and drops sets of databases on one PostgreSQL server.

    A set is named by one URL with ``{service}`` in it, as DATABASE_URL wants it.  :meth:`prepare` a service once
    and each new set holds a copy of its tables, instead of making them again.
    """

    def __init__(self, server: Postgres) -> None:
        self.server = server
        self._prefix = f"t{secrets.token_hex(3)}"
        self._count = 0
        self._templates: dict[str, str] = {}
        self._made: dict[str, list[str]] = {}

    def prepare(self, service: str, create_tables: Callable[[str], None]) -> None:
        """Make the template for a service, once: ``create_tables(url)`` fills it, and must close its connections."""
        if service in self._templates:
            return
        name = f"{self._prefix}_template_{service}"
        self.server.create_database(name)
        create_tables(self.server.url(name))
        self._templates[service] = name

    def fresh(self, services: tuple[str, ...] = SERVICES) -> str:
        """Make a new set; answers its URL, with ``{service}`` in it."""
        self._count += 1
        name = f"{self._prefix}_{self._count}"
        url = self.server.url(f"{name}_{{service}}")
        made = self._made[url] = []
        for service in services:
            self.server.create_database(f"{name}_{service}", self._templates.get(service))
            made.append(f"{name}_{service}")
        return url

    def drop(self, url: str) -> None:
        """Drop a set; whoever is still connected is cut off."""
        for name in self._made.pop(url, []):
            self.server.drop_database(name)

    def drop_all(self) -> None:
        """Drop every set and template made here."""
        for url in list(self._made):
            self.drop(url)
        for name in self._templates.values():
            self.server.drop_database(name)
        self._templates.clear()
