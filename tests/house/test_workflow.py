"""The workflow on GitHub runs what CI runs, with no more rights than it needs, on every Python that the package names."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import yaml

from tests.house.sources import ROOT

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PINNED = re.compile(r"uses: [\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+")


def the_workflow() -> Any:
    return yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8"))


def unpinned(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if "uses:" in line and not PINNED.search(line)]


def test_it_runs_what_ci_runs() -> None:
    [job] = the_workflow()["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == ["bash .ci/run"]
    assert (ROOT / ".ci" / "run").exists()


def test_it_may_only_read() -> None:
    assert the_workflow()["permissions"] == {"contents": "read"}


def test_it_runs_on_every_python_that_the_package_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [one.rpartition(" ")[2] for one in project["classifiers"] if re.search(r":: 3\.\d+$", one)]
    [job] = the_workflow()["jobs"].values()
    assert job["strategy"]["matrix"]["python"] == named
    assert project["requires-python"] == f">={named[0]}"


def test_actions_are_pinned_to_commits() -> None:
    assert not [line for path in WORKFLOWS for line in unpinned(path.read_text(encoding="utf-8"))]


def test_an_action_that_is_not_pinned_is_found() -> None:
    assert unpinned("- uses: actions/checkout@v6\n- uses: actions/checkout@main  # v6.0.2")
    assert not unpinned(f"- uses: actions/checkout@{'0' * 40}  # v6.0.2")
