"""What is done already, so that a run of hours that was interrupted goes on where it was."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

from lab.verify.tier import Asked, Tally
from lab.verify.tiers import ROOT
from lab.verify.wire import asked_as_json, tally_as_dict, tally_of_dict
from patterns.errors import SettingsError

CODE = ("patterns", "user", "product", "order", "payment", "delivery", "notification", "lab", "tests/mutants")


class Diary:
    """A file of finished slices, a line each, below a line that says which code they ran."""

    def __init__(self, path: Path, *, resume: bool) -> None:
        self.path = path
        self._done: dict[tuple[str, str], tuple[Tally, float]] = {}
        code = fingerprint()
        if resume and path.exists():
            self._read(code)
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"code": code}) + "\n")

    def done(self, tier: str, asked: Asked) -> tuple[Tally, float] | None:
        """What this slice saw and how many seconds it took, if it was finished before."""
        return self._done.get((tier, asked_as_json(asked)))

    def write(self, tier: str, asked: Asked, tally: Tally, seconds: float) -> None:
        """Note a finished slice."""
        line = {"tier": tier, "asked": asked_as_json(asked), "seconds": seconds, "tally": tally_as_dict(tally)}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def _read(self, code: str) -> None:
        first, *lines = self.path.read_text().splitlines()
        if json.loads(first)["code"] != code:
            raise SettingsError(
                f"The code has changed since {self.path} was begun: what was seen then says nothing of it. "
                "Begin anew, without --resume."
            )
        with self.path.open("w") as file:
            print(first, file=file)
            for line in lines:
                try:
                    given = json.loads(line)
                except ValueError:
                    continue  # it was being written when the run was interrupted: its slice is done again
                self._done[given["tier"], given["asked"]] = tally_of_dict(given["tally"]), given["seconds"]
                print(line, file=file)


def fingerprint(root: Path = ROOT) -> str:
    """Of all code that takes part: it changes when any line does."""
    found = hashlib.sha256()
    for folder in CODE:
        for path in sorted((root / folder).rglob("*.py")):
            found.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()
