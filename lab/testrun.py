"""``make test``: see that there are servers to test against, then run pytest."""

from __future__ import annotations

import os
import subprocess
import sys
from urllib.parse import urlsplit

from lab.servers import find_or_install
from lab.servers.memory import temporary_files_in_memory

FAST = ["-m", "not real"]
TOGETHER = ["--dist", "loadgroup", "--no-loadscope-reorder"]


def main(arguments: list[str]) -> int:
    """Run the tests; ``--fast`` leaves out those that need a server, the rest goes to pytest."""
    fast = "--fast" in arguments
    if not fast:
        print(servers(), flush=True)
    chosen = [argument for argument in arguments if argument != "--fast"]
    command = [sys.executable, "-m", "pytest", "--durations=5", *side_by_side(), *(FAST if fast else []), *chosen]
    with temporary_files_in_memory() as left_because:
        status = subprocess.run(command, check=False).returncode
        left_because += ["A test failed"] if status else []
    return status


def side_by_side() -> list[str]:
    """Four processes, each with servers of its own; one alone where the servers are given, and shared with others."""
    return [] if os.environ.get("RABBITMQ_URL") or os.environ.get("DATABASE_URL") else ["-n", "4", *TOGETHER]


def servers() -> str:
    """What will be tested against, in plain words; installs what is missing where it may."""
    given = {name: urlsplit(os.environ.get(name, "")).hostname for name in ("RABBITMQ_URL", "DATABASE_URL")}
    lines = [f"{name} is set: testing on {host}, in what is made there." for name, host in given.items() if host]
    if len(lines) < 2:
        lines.append(find_or_install())
        lines.append("Private servers are started when the first test asks, on ports of their own, and end with the tests.")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
