"""Several processes side by side: which tests stay together, and what each process tells in the last lines.

Most tests wait for something, so four processes on two cores end in a third of the time of one.  Each has its own
private servers.  Tests that share a shop or a broker (the tests of one file on one side) stay in one process; all others go
wherever there is time.  https://pytest-xdist.readthedocs.io/en/stable/distribution.html
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

#: The servers used, and those that could not be had with the number of tests that asked.
USED: list[str] = []
MISSED: dict[str, int] = {}

SIDES = re.compile(r"\[(?:.*-)?(embedded|real|rabbitmq|sqlite|postgresql)(?:-.*)?\]$", re.IGNORECASE)
"""How the tests of a file that share a shop or a broker are named."""


ALONE_IS_DEAR = ("tests/house/", "tests/differential/", "tests/mutants/test_lines.py")
"""Tests that share what takes seconds to make: a tree of our source, a connection of each side, a run that is warm."""


class Together(LoadScopeScheduling):
    """Keeps together what shares a fixture of its file, or what takes long to make.

    ``--dist loadgroup`` would do the same by marks, but pytest 9.2 does not let pytest-xdist 3.8 hand them on.
    """

    def _split_scope(self, nodeid: str) -> str:
        """The name of the group a test belongs to."""
        file, side = nodeid.partition("::")[0], SIDES.search(nodeid)
        dear = next((beginning for beginning in ALONE_IS_DEAR if file.startswith(beginning)), None)
        return dear or (f"{file} {side[1]}" if side else nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Together:
    """Share the tests out so, whatever --dist says."""
    return Together(config, log)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """In a worker: hand over what the last lines need."""
    handed = getattr(session.config, "workeroutput", None)
    if handed is not None:
        handed["used"], handed["missed"] = USED, MISSED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Beside the workers: gather what each handed over; one that crashed hands over nothing, and is reported by xdist."""
    output = getattr(node, "workeroutput", {})
    USED.extend(output.get("used", ()))
    for reason, count in output.get("missed", {}).items():
        MISSED[reason] = MISSED.get(reason, 0) + count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which servers were used, and shout about those that were missed."""
    for line in USED:
        terminalreporter.write_line(f"used {line}")
    for reason, count in MISSED.items():
        terminalreporter.write_line(f"NOT TESTED ({count} tests): {reason}", red=True, bold=True)
