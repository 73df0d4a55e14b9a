"""Is the server installed, and if not, can we install it?"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from lab.servers import private_postgres, rabbitmq_home
from lab.servers.keeper import find_program

#: name for people → (program, where it may be, Debian's package)
SERVERS = {
    "RabbitMQ": ("rabbitmq-server", rabbitmq_home.PLACES, "rabbitmq-server"),
    "PostgreSQL": ("postgres", private_postgres.PLACES, "postgresql"),
}

#: Debian asks this script before it starts a service while installing; 101 means: do not.
_POLICY = Path("/usr/sbin/policy-rc.d")
_NO_SERVICE = "#!/bin/sh\nexit 101\n"


def missing() -> list[str]:
    """Which of the servers are not installed here."""
    return [name for name, (program, places, _) in SERVERS.items() if find_program(program, *places) is None]


def find_or_install() -> str:
    """See to it that both servers are installed, with apt-get where we may; answers in one line what was done.

    Nothing is started: the packages' own services stay off.
    """
    absent = missing()
    if not absent:
        return "RabbitMQ and PostgreSQL are installed."
    packages = [SERVERS[name][2] for name in absent]
    as_root = _root_prefix()
    if as_root is None or shutil.which("apt-get") is None:
        return f"{' and '.join(absent)} missing: `apt install {' '.join(packages)}` (or `brew install ...`) brings it."
    print(f"Installing {' and '.join(absent)} with apt-get; no service is started.", flush=True)
    failure = _install(as_root, packages)
    absent = missing()
    if absent:
        return f"Could not install {' and '.join(absent)}: {failure}"
    return f"Installed {', '.join(packages)} with apt-get; no service was started."


def _root_prefix() -> list[str] | None:
    """What to put before a command to run it as root; None if we may not."""
    if os.geteuid() == 0:
        return []
    if shutil.which("sudo") and subprocess.run(["sudo", "-n", "true"], capture_output=True, check=False).returncode == 0:
        return ["sudo", "-n"]
    return None


def _install(as_root: list[str], packages: list[str]) -> str:
    """Run apt-get; answers the end of what it complained about."""
    own_policy = not _POLICY.exists()
    if own_policy:
        subprocess.run([*as_root, "tee", str(_POLICY)], input=_NO_SERVICE, text=True, capture_output=True, check=False)
        subprocess.run([*as_root, "chmod", "755", str(_POLICY)], check=False)
    try:
        said = ""
        for arguments in (["update", "-qq"], ["install", "-qq", "-y", "--no-install-recommends", *packages]):
            command = [*as_root, "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", *arguments]
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
            said += done.stderr
        return said[-800:]
    finally:
        if own_policy:
            subprocess.run([*as_root, "rm", "-f", str(_POLICY)], check=False)
