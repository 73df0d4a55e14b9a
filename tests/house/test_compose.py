"""What docker-compose.yml, its .env and its image promise: every setting known, no password of ours, loopback only."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from patterns.serve import TIDY_SECONDS
from patterns.settings import Settings
from tests.house.sources import PACKAGES, ROOT, SERVICES

TEXT = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
FILE: dict[str, Any] = yaml.safe_load(TEXT)
EXAMPLE = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(encoding="utf-8"), re.MULTILINE))
OURS = {name: one for name, one in FILE["services"].items() if one["image"] == "orderflow"}

#: Where things are: in a container that is the compose file's own business.
PLACES = {"rabbitmq_url", "rabbitmq_management_url", "database_url", "orderflow_home", "orderflow_host"}


def test_every_service_is_there_and_nobody_unknown() -> None:
    assert set(FILE["services"]) == {*SERVICES, "rabbitmq", "postgres", "migrate", "audit"}
    assert set(OURS) == {*SERVICES, "migrate", "audit"}
    # No `name`, which docker-compose 1.29 does not know.
    assert {name for name in FILE if not name.startswith("x-")} == {"services", "volumes"}


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_its_own_port_role_and_database(service: str) -> None:
    one, port = FILE["services"][service], Settings.model_fields[f"{service}_port"].default
    assert one["command"] == ["serve", service]
    assert one["ports"] == [f"127.0.0.1:${{{service.upper()}_PORT:-{port}}}:{port}"]
    assert one["healthcheck"]["test"][-1] == str(port)
    password = f"${{{service.upper()}_DATABASE_PASSWORD:?run make env}}"
    assert one["environment"]["DATABASE_URL"] == f"postgresql://shop_{service}:{password}@postgres:5432/shop"
    assert one["restart"] == "unless-stopped"
    assert {name: how["condition"] for name, how in one["depends_on"].items()} == {
        "rabbitmq": "service_healthy", "postgres": "service_healthy", "migrate": "service_completed_successfully",
    }
    drain = float(EXAMPLE["DRAIN_SECONDS"])
    assert int(one["stop_grace_period"].removesuffix("s")) > drain + TIDY_SECONDS


def test_every_setting_reaches_the_services() -> None:
    """If this fails you added a setting: name it under x-settings in docker-compose.yml."""
    wanted = {name.upper() for name in Settings.model_fields if name not in PLACES and not name.endswith("_port")}
    assert set(FILE["x-settings"]) == wanted | {"RABBITMQ_URL"}
    assert {name: value for name, value in FILE["x-settings"].items() if value is not None}.keys() == {"RABBITMQ_URL"}
    for service in SERVICES:
        assert FILE["services"][service]["environment"].keys() == FILE["x-settings"].keys() | {"DATABASE_URL"}


def test_every_variable_is_explained() -> None:
    used = set(re.findall(r"\$\{(\w+)", TEXT))
    assert used <= EXAMPLE.keys()
    assert {name for name in EXAMPLE if name.endswith("_PASSWORD")} == {name for name in used if name.endswith("_PASSWORD")}


def default_passwords(compose: str, example: dict[str, str]) -> list[str]:
    """Passwords that could be empty, or anything else than what somebody chose."""
    used = re.findall(r"\$\{\w*PASS[^}]*\}|\$\w*PASS\w*", compose)
    found = [use for use in used if not re.fullmatch(r"\$\{\w+:\?[^}]+\}", use)]
    found += re.findall(r"^ *\w*PASS\w*:(?! *[\"']?\$\{).+", compose, re.MULTILINE)
    found += re.findall(r"//\w+:(?!\$\{)[^@\s]*@", compose)
    return found + [name for name, value in example.items() if name.endswith("_PASSWORD") and value]


def test_no_password_has_a_default() -> None:
    assert default_passwords(TEXT, EXAMPLE) == []
    assert all("PASSWORD" not in str(FILE["services"]["rabbitmq"][part]) for part in ("ports", "volumes"))


@pytest.mark.parametrize(
    ("planted", "example"),
    [
        ("X_PASSWORD: ${X_PASSWORD}", {}), ("X_PASSWORD: $X_PASSWORD", {}), ("X_PASSWORD: ${X_PASSWORD:-guest}", {}),
        ("X_PASSWORD: ${X_PASSWORD?set it}", {}), ("RABBITMQ_DEFAULT_PASS: guest", {}), ("X_PASSWORD: ''", {}),
        ("URL: amqp://guest:guest@rabbitmq", {}), ("", {"X_PASSWORD": "secret"}),
    ],
)
def test_a_default_password_is_found(planted: str, example: dict[str, str]) -> None:
    assert default_passwords(planted, example)


def test_every_port_is_on_loopback() -> None:
    ports = [port for one in FILE["services"].values() for port in one.get("ports", ())]
    assert len(ports) == len(SERVICES) + 1
    assert all(str(port).startswith("127.0.0.1:") for port in ports)
    assert not any("network_mode" in one or "privileged" in one for one in FILE["services"].values())


def test_our_containers_may_do_little() -> None:
    for one in OURS.values():
        assert one["read_only"] and one["cap_drop"] == ["ALL"] and one["security_opt"] == ["no-new-privileges:true"]
    assert re.search(r"^USER (?!root|0)\w+", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)


def test_the_image_is_made_of_all_packages_and_of_nobodys_secrets() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert lines.index("*") < min(lines.index(f"!{package}") for package in PACKAGES)
    assert not [line for line in lines if re.match(r"!\.|!.*env", line)]


def test_make_env_writes_passwords_once(tmp_path: Path) -> None:
    def make_env() -> dict[str, str]:
        subprocess.run(["sh", ROOT / "deploy" / "env.sh"], cwd=tmp_path, check=True, capture_output=True)
        return dict(re.findall(r"^([A-Z_]+)=(.*)$", (tmp_path / ".env").read_text(), re.MULTILINE))

    shutil.copy(ROOT / ".env.example", tmp_path)
    (tmp_path / ".env").write_text("MESSAGING_MODE=saga\nPOSTGRES_PASSWORD=mine\nAUDITOR_DATABASE_PASSWORD=\n")
    first = make_env()
    passwords = {name: value for name, value in first.items() if name.endswith("_PASSWORD")}
    assert passwords.keys() == {name for name in EXAMPLE if name.endswith("_PASSWORD")}
    assert first["MESSAGING_MODE"] == "saga" and passwords.pop("POSTGRES_PASSWORD") == "mine"
    assert all(re.fullmatch(r"[0-9a-f]{40}", password) for password in passwords.values())
    assert len(set(passwords.values())) == len(passwords)
    assert make_env() == first
    (tmp_path / ".env").unlink()
    make_env()
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
