"""The other end of :mod:`tests.mutants.warm`: starts that test run, and sends it cuts."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.mutants.cuts import Cut
from tests.mutants.lines_watch import ROOT

LEFT_OUT = (".git", ".venv", ".mypy_cache", ".ruff_cache", ".pytest_cache", "*.egg-info", ".hypothesis")
ENDLESS = "it does not end"
SAME = 77
"""The exit status for a cut that compiles to the same program."""


class Warm:
    """A test run on a copy of the tree that has collected these tests, and waits for cuts.  ``items``: their names."""

    def __init__(self, folder: Path, tests: Sequence[str]) -> None:
        self.folder, self.tests = folder, tests

    def __enter__(self) -> Warm:
        tree, (asked, ask), (hear, answered) = self.folder / "tree", os.pipe(), os.pipe()
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
        files = sorted({test.partition("::")[0] for test in self.tests})
        command = [
            sys.executable, "-m", "pytest", "-p", "tests.mutants.warm", "-q", "-n", "0", "-p", "no:cacheprovider",
            "-m", "not real", f"--basetemp={self.folder / 'tmp'}", *files,
        ]
        environment = {**os.environ, "PYTHONPATH": str(tree), "CUTS_ASKED": str(asked), "CUTS_ANSWERED": str(answered)}
        with (self.folder / "said").open("w") as said:
            self._process = subprocess.Popen(
                command, cwd=tree, env=environment, stdout=said, stderr=said, pass_fds=(asked, answered))
        os.close(asked)
        os.close(answered)
        self._questions, self._answers = os.fdopen(ask, "w"), os.fdopen(hear)
        self.items: list[str] = self._answer()
        return self

    def _answer(self) -> Any:
        line = self._answers.readline()
        assert line, (self.folder / "said").read_text(encoding="utf-8")
        return json.loads(line)

    def __exit__(self, *_: object) -> None:
        self._questions.write("\n")
        self._questions.close()
        self._answers.close()
        self._process.wait(60)

    def among(self, tests: Sequence[str]) -> list[str]:
        """Those of these tests that were collected, in the order in which they are named."""
        found = [item for test in tests for item in self.items if item.startswith(test)]
        return list(dict.fromkeys(found))

    def noticed(self, cut: Cut | None, tests: Sequence[str], seconds: float) -> str:
        """The first of these tests that fails with this cut (or with nothing cut); empty when none does."""
        question: dict[str, Any] = {"tests": tests, "seconds": seconds}
        if cut is not None:
            question |= {"file": cut.file, "source": cut.source, "constant": cut.is_constant}
        print(json.dumps(question), file=self._questions, flush=True)
        answer = self._answer()
        if answer["status"] in (0, SAME):
            return ""
        return answer["failed"] or (ENDLESS if answer["status"] < 0 else f"exit status {answer['status']}")
