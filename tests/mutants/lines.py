"""Delete one line after the other, in a copy of the tree: ``python -m tests.mutants.lines [FILE …]``.

For each line of the guards and of the machinery around them the quick checks are run; lines that nobody misses are
listed at the end.  It takes long: for the night.  What was tried is kept in a file, so that it goes on where it stopped.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
FILES = (
    *(f"patterns/{name}.py" for name in ("step", "inbox", "outbox", "listener", "relay", "mishaps")),
    *(f"{service}/crud.py" for service in ("user", "product", "order", "payment", "delivery")),
)
LEFT_OUT = (".git", ".venv", "__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache", "*.egg-info", ".hypothesis")
CHECKS: tuple[tuple[str, ...], ...] = (
    ("-m", "tests.mutants.probe", "2"),
    ("-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", "tests/unit/handlers", "tests/unit/patterns",
     "tests/mutants/test_mutants.py::test_a_mutants_patch_is_taken_back"),
    ("-m", "pytest", "-x", "-q", "-n", "0", "-p", "no:cacheprovider", "-m", "not real", "tests/flows", "tests/rest"),
)
LONGEST_SECONDS = 600.0
"""A check that takes longer is as good as failed: what never ends was noticed."""


def deletions(source: str) -> Iterator[tuple[int, str]]:
    """Each line inside a function that can be left out, and the source without it; what cannot be parsed is no program."""
    lines = source.splitlines(keepends=True)
    inside: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            inside.update(range(body[0].lineno, (body[-1].end_lineno or 0) + 1) if body else ())
    for number in sorted(inside):
        line = lines[number - 1]
        if not line.strip() or line.strip().startswith("#"):
            continue
        indent = line[: len(line) - len(line.lstrip())]
        for instead in ("", f"{indent}pass\n", f"{indent}if True:\n"):
            shorter = "".join([*lines[: number - 1], instead, *lines[number:]])
            if _parses(shorter):
                yield number, shorter
                break


def _parses(source: str) -> bool:
    try:
        ast.parse(source)
    except SyntaxError:
        return False
    return True


def noticed(tree: Path) -> str:
    """Which check fails in this tree; empty if none does."""
    env = {**os.environ, "PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    for check in CHECKS:
        try:
            done = subprocess.run([sys.executable, *check], cwd=tree, env=env, capture_output=True, text=True,
                                  timeout=LONGEST_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return f"{check[1]} takes too long"
        if done.returncode:
            said = [line for line in (done.stdout + done.stderr).splitlines() if line.strip()]
            return said[-1][:200] if said else f"{check[1]} ends with {done.returncode}"
    return ""


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants.lines", description=__doc__)
    parser.add_argument("files", nargs="*", default=FILES, help="the guards and what carries them, unless named")
    parser.add_argument("--seconds", type=float, default=8 * 3600, help="stop beginning new lines after so long")
    parser.add_argument("--tried", type=Path, default=Path("lines.json"), help="what was tried, to go on from")
    asked = parser.parse_args()
    tried: dict[str, str] = json.loads(asked.tried.read_text(encoding="utf-8")) if asked.tried.exists() else {}
    until = time.monotonic() + asked.seconds
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        shutil.copytree(ROOT, tree, ignore=shutil.ignore_patterns(*LEFT_OUT))
        for file in asked.files:
            _try_file(tree, file, tried, until, asked.tried)
    survivors = [line for line, what in tried.items() if not what]
    print(f"{len(tried)} lines tried; nobody missed {len(survivors)}:", *survivors, sep="\n")
    return 1 if survivors else 0


def _try_file(tree: Path, file: str, tried: dict[str, str], until: float, notes: Path) -> None:
    source = (ROOT / file).read_text(encoding="utf-8")
    try:
        for number, shorter in deletions(source):
            name = f"{file}:{number}: {source.splitlines()[number - 1].strip()}"
            if name in tried or time.monotonic() > until:
                continue
            (tree / file).write_text(shorter, encoding="utf-8")
            tried[name] = noticed(tree)
            print(f"{name}\n    {tried[name] or 'NOBODY MISSED IT'}", flush=True)
            notes.write_text(json.dumps(tried, indent=1), encoding="utf-8")
    finally:
        (tree / file).write_text(source, encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
