"""Every endpoint of the shop, read off the services' OpenAPI documents; shown in the README."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lab.shop import app_of
from patterns.generated import fill
from patterns.settings import Settings
from patterns.shop import SERVICES

REFRESH = "orderflow endpoints --write"
EVERY = "every service"
METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One request that a service answers, and how."""

    service: str
    method: str
    path: str
    what: str
    answers: tuple[int, ...]

    def as_dict(self) -> dict[str, Any]:
        """The endpoint by the names of its fields."""
        return asdict(self)


def endpoints() -> list[Endpoint]:
    """All of them, service by service; what every service answers alike comes once, at the end."""
    found = {service: _of(service) for service in SERVICES}
    alike = [one for one in next(iter(found.values())) if all(_same(one, others) for others in found.values())]
    own = [one for several in found.values() for one in several if not _same(one, alike)]
    return own + [Endpoint(EVERY, one.method, one.path, one.what, one.answers) for one in alike]


def _of(service: str) -> list[Endpoint]:
    return [
        Endpoint(service, method.upper(), path, _sentence(described), tuple(sorted(map(int, described["responses"]))))
        for path, methods in app_of(service).openapi()["paths"].items()
        for method, described in methods.items() if method in METHODS
    ]


def _same(one: Endpoint, others: list[Endpoint]) -> bool:
    return (one.method, one.path) in {(other.method, other.path) for other in others}


def _sentence(described: dict[str, Any]) -> str:
    first = str(described.get("description", described.get("summary", ""))).split("\n\n")[0]
    return " ".join(first.replace("``", "`").split())


def table() -> str:
    """The endpoints in Markdown."""
    lines = ["| service | request | what it does |", "|---|---|---|"]
    before = ""
    for one in endpoints():
        port = "" if one.service == EVERY else f" ({Settings.model_fields[f'{one.service}_port'].default})"
        service = "" if one.service == before else f"{one.service}{port}"
        lines.append(f"| {service} | `{one.method} {one.path}` | {one.what.replace('|', chr(92) + '|')} |")
        before = one.service
    return "\n".join(lines)


def fresh(page: Path) -> str:
    """The page as it should be."""
    return fill(page.read_text(encoding="utf-8"), "endpoints", f"\n{table()}\n", page.name)
