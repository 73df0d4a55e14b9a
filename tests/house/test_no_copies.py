"""Nothing is written twice: a function body of three statements or more lives in one service only."""

from __future__ import annotations

import ast
import textwrap
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from tests.house.sources import ROOT, SERVICES, at, python_files, tree_of

Function = ast.FunctionDef | ast.AsyncFunctionDef


def copies(root: Path) -> list[str]:
    """Where the same body stands in more than one service."""
    homes: dict[str, list[tuple[str, str]]] = defaultdict(list)
    for service in SERVICES:
        for path in python_files(service, root=root):
            if path.parent.name == "migrations":
                continue  # history: what one has done, a change to another must not change
            for function in functions(tree_of(path)):
                if (body := essence(function)) is not None:
                    homes[body].append((service, at(path, function.lineno)))
    return [str([place for _, place in found]) for found in homes.values() if len({service for service, _ in found}) > 1]


def functions(tree: ast.Module) -> Iterator[Function]:
    return (node for node in ast.walk(tree) if isinstance(node, Function))


def essence(function: Function) -> str | None:
    """The body without its docstring and without its own choice of names; None if it is too short to count."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    if sum(isinstance(node, ast.stmt) for statement in body for node in ast.walk(statement)) < 3:
        return None
    names: dict[str, str] = {}
    copy = ast.parse(ast.unparse(ast.Module(body, [])))
    for node in ast.walk(copy):
        if isinstance(node, ast.Name):
            node.id = names.setdefault(node.id, f"name{len(names)}")
    return ast.dump(copy)


def test_no_body_stands_in_two_services() -> None:
    assert not (found := copies(ROOT)), "\n".join(found)


def plant(root: Path, **bodies: str) -> None:
    for service, body in bodies.items():
        (root / service).mkdir()
        (root / service / "crud.py").write_text(body)


ORIGINAL = textwrap.dedent(
    '''
    def hold(session, message):
        """Hold it."""
        row = session.get(message.order_id)
        if row is None:
            row = session.add(message)
        return row
    '''
)


def test_a_planted_copy_is_found_even_when_renamed_and_explained_differently(tmp_path: Path) -> None:
    copy = ORIGINAL.replace("hold", "keep").replace("row", "line").replace("Hold it.", "Something else entirely.")
    plant(tmp_path, user=ORIGINAL, delivery=copy)
    assert copies(tmp_path) == ["['crud.py:2', 'crud.py:2']"]


def test_what_differs_is_no_copy(tmp_path: Path) -> None:
    plant(tmp_path, user=ORIGINAL, delivery=ORIGINAL.replace("session.add", "session.merge"))
    assert copies(tmp_path) == []
