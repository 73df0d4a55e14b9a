"""What nobody does here: swallow errors, sleep in tests, promise the impossible, commit a path of one's own machine."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house.sources import PACKAGES, at, committed_texts, python_files, tree_of

#: Spelt so that this file does not contain what it forbids.
IMPOSSIBLE = re.compile(r"exactly[\s_-]+once[\s_-]+(delivery|delivered)", re.IGNORECASE)
A_MACHINE = re.compile(r"(?<![\w.}])/(?:root|work|Users|home/(?!app\b)\w+)/\w")


def swallowed(tree: ast.Module) -> list[int]:
    """Lines where an error disappears: ``except …: pass``, or a suppress of everything."""
    empty = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.ExceptHandler)
        and all(isinstance(part, ast.Pass) or (isinstance(part, ast.Expr) and is_ellipsis(part.value)) for part in node.body)
    ]
    suppressed = [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and ast.unparse(node.func).endswith("suppress")
        and {"Exception", "BaseException"} & {ast.unparse(argument) for argument in node.args}
    ]
    return sorted(empty + suppressed)


def is_ellipsis(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is ...


def sleeps(tree: ast.Module) -> list[int]:
    """Lines that call something named sleep."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == "sleep"
    ]


OWN_WORLD = {"threading", "time", "random", "concurrent", "secrets"}

#: What stands outside the simulated world: the transports, the servers, and the runtime itself.
OUTSIDE = re.compile(r"patterns/(connection\w*|broker/\w+|migrations/\w+|runtime|serve|transport|messenger|logs)\.py")


def takes_the_real_world(tree: ast.Module) -> list[int]:
    """Lines that import Python's own threads, clocks or chance."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Import) and OWN_WORLD & {name.name.partition(".")[0] for name in node.names})
        or (isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in OWN_WORLD)
    ]


def places(files: list[Path], check: Callable[[ast.Module], list[int]]) -> list[str]:
    return [at(path, line) for path in files for line in check(tree_of(path))]


def mentions(pattern: re.Pattern[str]) -> list[str]:
    found = []
    for path in committed_texts():
        text = path.read_text(encoding="utf-8", errors="replace")
        found += [at(path, text.count("\n", 0, match.start()) + 1) for match in pattern.finditer(text)]
    return found


def test_no_error_disappears() -> None:
    assert not (found := places(python_files("tests", *PACKAGES), swallowed)), "\n".join(found)


def test_no_test_sleeps_where_it_could_wait() -> None:
    assert not (found := places(python_files("tests"), sleeps)), "\n".join(found)


def test_services_take_threads_and_time_from_the_runtime() -> None:
    simulated = [path for path in python_files(*(name for name in PACKAGES if name != "lab"))
                 if not OUTSIDE.search(path.as_posix())]
    assert not (found := places(simulated, takes_the_real_world)), "\n".join(found)


def test_nobody_promises_the_impossible() -> None:
    assert not (found := mentions(IMPOSSIBLE)), "\n".join(found)


def test_no_path_of_one_machine_is_committed() -> None:
    assert not (found := mentions(A_MACHINE)), "\n".join(found)


@pytest.mark.parametrize(
    ("check", "bad", "good"),
    [
        (swallowed, "try:\n    f()\nexcept ValueError:\n    pass", "try:\n    f()\nexcept ValueError:\n    g()"),
        (swallowed, "try:\n    f()\nexcept ValueError:\n    ...", "with suppress(KeyError):\n    f()"),
        (swallowed, "with contextlib.suppress(Exception):\n    f()", "with contextlib.suppress(OSError):\n    f()"),
        (sleeps, "time.sleep(1)", "asleep(1)"),
        (takes_the_real_world, "from time import monotonic", "from patterns.runtime import runtime"),
        (takes_the_real_world, "import threading", "import typing"),
        (sleeps, "from time import sleep\nsleep(0.1)", "event.wait(0.1)"),
    ],
)
def test_a_bad_habit_is_found(check: Callable[[ast.Module], list[int]], bad: str, good: str) -> None:
    assert check(ast.parse(bad))
    assert not check(ast.parse(good))


@pytest.mark.parametrize(
    ("pattern", "bad", "good"),
    [
        (IMPOSSIBLE, "with exactly-" + "once delivery", "effects applied once"),
        (IMPOSSIBLE, "Exactly once " + "delivered", "delivered at least once"),
        (A_MACHINE, "see /" + "root/shop/x.py", "a root/shop path"),
        (A_MACHINE, 'open("/' + 'home/ada/x")', "https://example.org/home/ada/x"),
        (A_MACHINE, "/" + "Users/ada/shop", "GET /users/1"),
    ],
)
def test_a_bad_word_is_found(pattern: re.Pattern[str], bad: str, good: str) -> None:
    assert pattern.search(bad)
    assert not pattern.search(good)
