"""Settings: the environment (and ``.env``), read once into one frozen object.

``settings()`` answers them; nothing else in the house reads the environment.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from patterns.errors import SettingsError

Mode = Literal["rpc", "default", "fanout", "direct", "topic", "saga"]
MODES: tuple[Mode, ...] = get_args(Mode)

Rate = Annotated[float, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(gt=0)]
Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(BaseSettings):
    """Everything that can be set, with its default; ``.env.example`` explains each for operators."""

    model_config = SettingsConfigDict(env_file=".env", extra="ignore", frozen=True)

    messaging_mode: Mode = "rpc"
    rabbitmq_url: str = ""
    rabbitmq_management_url: str = ""
    database_url: str = ""
    orderflow_home: Path = Path(".orderflow")

    orderflow_host: str = "127.0.0.1"
    user_port: Port = 8000
    product_port: Port = 8001
    order_port: Port = 8002
    payment_port: Port = 8003
    delivery_port: Port = 8004
    notification_port: Port = 8005
    service_port: Port = 8010

    rpc_wait_seconds: Seconds = 5
    prefer_wait_seconds: Seconds = 30
    waiters_at_once: Annotated[int, Field(ge=0, le=30)] = 16
    order_deadline_seconds: Seconds = 30
    journal_days: Seconds = 7
    relay_seconds: Seconds = 1
    batch_size: Annotated[int, Field(ge=1, le=1000)] = 32
    queue_type: Literal["quorum", "classic"] = "quorum"
    retry_delays_seconds: Annotated[tuple[Seconds, ...], NoDecode, Field(min_length=1)] = (1, 5, 25)

    payment_failure_rate: Rate = 0
    delivery_failure_rate: Rate = 0
    verdict_seed: str = "orderflow"
    gateway_latency_seconds: Annotated[float, Field(ge=0)] = 0
    gateway_calls_in_flight: Annotated[int, Field(ge=1, le=100)] = 8
    gateway_outage_rate: Rate = 0

    breaker_failures: Annotated[int, Field(ge=1, le=1000)] = 5
    breaker_seconds: Seconds = 5
    drain_seconds: Seconds = 20

    @field_validator("retry_delays_seconds", mode="before")
    @classmethod
    def _comma_separated(cls, value: Any) -> Any:
        return [part for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("rabbitmq_url")
    @classmethod
    def _amqp(cls, value: str) -> str:
        return _scheme(value, "amqp://user:password@host:5672/vhost", "amqp", "amqps")

    @field_validator("rabbitmq_management_url")
    @classmethod
    def _http(cls, value: str) -> str:
        return _scheme(value, "http://localhost:15672", "http", "https", missing="one beside RABBITMQ_URL")

    @field_validator("database_url")
    @classmethod
    def _postgresql(cls, value: str) -> str:
        return _scheme(value, "postgresql://user:password@host:5432/shop", "postgresql", "postgresql+psycopg")

    @property
    def rabbitmq_urls(self) -> tuple[str, ...]:
        """RABBITMQ_URL's nodes, each by its URL."""
        return urls_in(self.rabbitmq_url)

    def port(self, service: str) -> int:
        """The port a service listens on."""
        return int(getattr(self, port_setting(service).lower()))


def port_setting(service: str) -> str:
    """The setting that names a service's port: one for each of the shop's, and one for a service of your own."""
    own = f"{service}_port"
    return (own if own in Settings.model_fields else "service_port").upper()


def urls_in(value: str) -> tuple[str, ...]:
    """The URLs of a comma-separated list; a comma within one, say in its password, is left alone."""
    return tuple(url.strip() for url in re.split(r",(?=\s*(?:\w+://|$))", value) if url.strip())


def _scheme(value: str, example: str, *schemes: str, missing: str = "embedded one") -> str:
    if not all(url.startswith(tuple(f"{scheme}://" for scheme in schemes)) for url in urls_in(value)):
        raise ValueError(f"not a URL like {example}; leave it empty for the {missing}")
    return value


_current: Settings | None = None


def settings() -> Settings:
    """The settings in force, read from the environment at the first call."""
    return _current or configure()


def configure(**overrides: Any) -> Settings:
    """Read the settings afresh, some of them given here instead of in the environment.

    Raises :class:`~patterns.errors.SettingsError`, which names each wrong setting and what would be right.
    """
    global _current
    try:
        _current = Settings(**overrides)
    except ValidationError as error:
        raise SettingsError("\n".join(_complaint(detail) for detail in error.errors())) from None
    return _current


def use_settings(given: Settings) -> None:
    """Let these be the settings from now on; nothing is read."""
    global _current
    _current = given


def _complaint(detail: Any) -> str:
    """One wrong setting in plain words; the value is shown unless it is a URL, which may hold a password."""
    name = ".".join(str(part) for part in detail["loc"]).upper()
    shown = "" if name.endswith("_URL") else f"={detail['input']}"
    return f"{name}{shown}: {detail['msg'].removeprefix('Value error, ')}"
