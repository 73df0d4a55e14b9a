"""What a comparison was made with: machine, versions, commit, command."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
import sys
from datetime import date
from importlib.metadata import version
from pathlib import Path

import lab


def circumstances(place: str) -> list[str]:
    """Lines that say where figures come from; ``place`` is which broker and databases."""
    libraries = ", ".join(f"{name} {version(name)}" for name in ("pika", "sqlalchemy", "fastapi"))
    return [
        f"Command: `{command()}`",
        f"When: {date.today().isoformat()}; Orderflow {version('orderflow')}{_commit()}",
        f"Where: {_processor()}, {os.cpu_count()} CPUs, {platform.system()} {platform.release()}{_load()}",
        f"With: {place}; {platform.python_implementation()} {platform.python_version()}, {libraries}",
    ]


def command() -> str:
    """The command as it was typed."""
    return shlex.join(["orderflow", *sys.argv[1:]])


def _commit() -> str:
    """Which commit the code is, where it is in a repository; a page that was written meanwhile is no change."""
    try:
        commit = _git("rev-parse", "--short", "HEAD")
        return f", commit {commit}{', with changes' if _git('status', '--porcelain', '--', '*.py') else ''}"
    except (OSError, subprocess.SubprocessError):
        return ""  # installed as a package, or no git here: the version says enough


def _git(*arguments: str) -> str:
    folder = Path(lab.__file__).parents[1]
    return subprocess.run(
        ["git", *arguments], cwd=folder, capture_output=True, text=True, check=True, timeout=10
    ).stdout.strip()


def _load() -> str:
    """How busy the machine was in the last quarter of an hour: what else ran disturbed the times."""
    return f", load average {os.getloadavg()[2]:.1f}" if hasattr(os, "getloadavg") else ""


def _processor() -> str:
    """The processor's name, where the system tells it."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    found = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return found[0] if found else platform.processor() or platform.machine()
