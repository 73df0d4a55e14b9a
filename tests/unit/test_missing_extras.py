"""A command that needs what is not installed says so in one line, and what to install."""

from __future__ import annotations

import importlib
import sys

import pytest

from lab import cli


def test_what_an_extra_brings_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def app() -> None:
        monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
        importlib.import_module("matplotlib.figure")

    monkeypatch.setattr(cli, "app", app)
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith("orderflow: this needs matplotlib: pip install 'orderflow[lab]'")


def test_what_no_extra_brings_is_a_fault_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    def app() -> None:
        raise ModuleNotFoundError(name="pika")  # always installed with us

    monkeypatch.setattr(cli, "app", app)
    with pytest.raises(ModuleNotFoundError):
        cli.main()
