"""What the doctor found, what it did about it, and both on a screen."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text


class Verdict(StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    WARNING = "warning"  # works, and may hurt one day
    WRONG = "wrong"  # does not do what the wiring or the services expect
    UNCHECKED = "unchecked"  # could not be looked at; the finding says how to allow it
    UNREACHABLE = "unreachable"  # a server does not answer


COLOURS = {
    Verdict.OK: "green", Verdict.WARNING: "yellow", Verdict.WRONG: "red", Verdict.UNCHECKED: "cyan",
    Verdict.UNREACHABLE: "red",
}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: what is so and what it means, what to do, and where that is said."""

    part: str
    verdict: Verdict
    what: str
    advice: str = ""
    source: str = ""


def ok(part: str, what: str, source: str = "") -> Finding:
    """All is well here."""
    return Finding(part, Verdict.OK, what, "", source)


def warning(part: str, what: str, advice: str, source: str = "") -> Finding:
    """It works, and may hurt one day."""
    return Finding(part, Verdict.WARNING, what, advice, source)


def wrong(part: str, what: str, advice: str, source: str = "") -> Finding:
    """It is not as it must be."""
    return Finding(part, Verdict.WRONG, what, advice, source)


def unchecked(part: str, what: str, advice: str, source: str = "") -> Finding:
    """It could not be looked at; the advice says what would allow it."""
    return Finding(part, Verdict.UNCHECKED, what, advice, source)


def unreachable(part: str, what: str, advice: str) -> Finding:
    """The server does not answer."""
    return Finding(part, Verdict.UNREACHABLE, what, advice)


@dataclass(frozen=True)
class Deed:
    """What a repair did, or refused to do and why."""

    done: bool
    what: str


@dataclass
class Report:
    """Everything that was found; after a repair, as things stand then."""

    where: str = "RabbitMQ"
    findings: list[Finding] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)

    def worst(self, verdict: Verdict) -> bool:
        """Whether anything is judged so."""
        return any(finding.verdict is verdict for finding in self.findings)

    @property
    def exit_status(self) -> int:
        """0: healthy.  1: something is wrong.  2: a server could not be reached."""
        return 2 if self.worst(Verdict.UNREACHABLE) else 1 if self.worst(Verdict.WRONG) else 0

    def as_dict(self) -> dict[str, Any]:
        """The report as plain data."""
        return {
            "healthy": self.exit_status == 0, "where": self.where,
            "findings": [asdict(finding) for finding in self.findings], "repairs": [asdict(deed) for deed in self.deeds],
        }

    def show(self, console: Console) -> None:
        """The report for people."""
        for deed in self.deeds:
            done = Text("repaired ", "green") if deed.done else Text("refused  ", "yellow")
            console.print(done + Text(deed.what), soft_wrap=True)
        table = Table(title=f"Doctor: {self.where}", title_justify="left", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
        for heading in ("part", "verdict", "what is so, and what to do"):
            table.add_column(heading, no_wrap=heading != "what is so, and what to do")
        before = ""
        for finding in self.findings:
            part, before = "" if finding.part == before else finding.part, finding.part
            table.add_row(part, Text(finding.verdict, COLOURS[finding.verdict]), _words(finding))
        console.print(table)
        counts = Counter(finding.verdict for finding in self.findings)
        console.print(", ".join(f"{counts[verdict]} {verdict}" for verdict in Verdict if counts[verdict]), highlight=False)


def _words(finding: Finding) -> Text:
    text = Text(finding.what)
    if finding.advice:
        text.append(f"\n→ {finding.advice}", "bold")
    if finding.source and finding.verdict is not Verdict.OK:
        text.append(f"\n{finding.source}", "dim")
    return text
