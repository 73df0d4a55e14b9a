"""A test run that has collected everything and tries one cut after the other, each in a fork, which begins at once.

A plugin of pytest, started by :mod:`tests.mutants.warm_run`.  It is asked in lines of JSON, at the file descriptors that
CUTS_ASKED and CUTS_ANSWERED name; an empty line ends the run.  In the fork each function that the cut changes gets other
code, wherever it is referred to.  (What runs when a module is imported cannot be cut so.)
"""

from __future__ import annotations

import ast
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from inspect import CO_NEWLOCALS
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from patterns.shop import SERVICES
from tests.mutants.warm_run import SAME

Functions = dict[tuple[str, str], list[FunctionType]]


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Answer requests; each fork goes on to run the tests that were asked for."""
    for service in SERVICES:
        importlib.import_module(f"{service}.main")  # tests import some of it only when they run
    items, functions = {item.nodeid: item for item in session.items}, _functions()
    gc.freeze()
    with os.fdopen(int(os.environ["CUTS_ASKED"])) as asked, os.fdopen(int(os.environ["CUTS_ANSWERED"]), "w") as answers:
        print(json.dumps(list(items)), file=answers, flush=True)
        for line in iter(asked.readline, "\n"):
            question, told = json.loads(line), os.memfd_create("failed")
            began, child = time.monotonic(), os.fork()
            if child == 0:
                os.setsid()
                try:
                    _cut(question, functions)
                except Exception as error:  # whatever the module raises when it is imported
                    os.write(told, f"importing it: {type(error).__name__}".encode())
                    os._exit(1)
                session.items[:] = [items[name] for name in question["tests"]]
                session.config.pluginmanager.register(_Teller(told))
                return
            answer: dict[str, Any] = {"status": _ended(child, began + question["seconds"])}
            answer["failed"] = os.pread(told, 10_000, 0).decode()
            os.close(told)
            print(json.dumps(answer), file=answers, flush=True)
    os._exit(0)


class _Teller:
    """Writes down what fails first, and ends the fork there: nothing need be tidied up."""

    def __init__(self, output: int) -> None:
        self.output = output

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os.write(self.output, report.nodeid.encode())
            os._exit(1)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        os._exit(0)


def _functions() -> Functions:
    """All functions of ours, by file and name."""
    found: Functions = defaultdict(list)
    here = str(Path.cwd())
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename.startswith(here):
            found[thing.__code__.co_filename, thing.__code__.co_qualname].append(thing)
    return found


def _cut(question: dict[str, Any], functions: Functions) -> None:
    """Give each function of the cut's file that differs the code that the cut leaves of it."""
    if "source" not in question:
        return
    file = str(Path.cwd() / question["file"])
    before = dict(_codes(compile(Path(file).read_text(encoding="utf-8"), file, "exec")))
    different = {
        name: code for name, code in _codes(compile(question["source"], file, "exec"))
        if _essence(code) != _essence(before[name])
    }
    if not different and not question["constant"]:
        os._exit(SAME)
    if question["constant"]:
        _work_out_again(file, question["source"])
    for name, code in different.items():
        for function in functions[file, name]:
            function.__code__ = code


def _work_out_again(file: str, source: str) -> None:
    """Give a module the constants that the cut leaves of it."""
    module = next(one for one in list(sys.modules.values()) if getattr(one, "__file__", None) == file)
    fresh = {name: value for name, value in vars(module).items() if name.startswith("__")}
    exec(compile(source, file, "exec"), fresh)  # noqa: S102 (our own source, less a part)
    for statement in ast.parse(source).body:
        named = [statement.target] if isinstance(statement, ast.AnnAssign) else getattr(statement, "targets", ())
        for target in named:
            if isinstance(target, ast.Name):
                setattr(module, target.id, fresh[target.id])


def _codes(code: CodeType) -> Iterator[tuple[str, CodeType]]:
    """The functions and methods of a module; what stands inside a function comes with it."""
    for inner in code.co_consts:
        if isinstance(inner, CodeType) and inner.co_flags & CO_NEWLOCALS:
            yield inner.co_qualname, inner
        elif isinstance(inner, CodeType):
            yield from _codes(inner)


def _essence(code: CodeType) -> tuple[Any, ...]:
    """What makes a difference, which line numbers do not."""
    inner = tuple(_essence(one) if isinstance(one, CodeType) else (type(one), one) for one in code.co_consts)
    return code.co_code, code.co_names, code.co_varnames, code.co_freevars, inner


def _ended(child: int, until: float) -> int:
    """The exit status; -1 for what did not end in time.  Whatever the fork started is ended."""
    handle = os.pidfd_open(child)
    in_time, _, _ = select.select([handle], [], [], max(0.0, until - time.monotonic()))
    os.close(handle)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status) if in_time else -1
