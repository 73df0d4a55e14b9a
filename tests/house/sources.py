"""What the house rules look at: our own Python files, and every text file that is committed."""

from __future__ import annotations

import ast
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVICES = ("user", "product", "order", "payment", "delivery", "notification")
PACKAGES = ("patterns", "lab", *SERVICES)


def python_files(*folders: str, root: Path = ROOT) -> list[Path]:
    return [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def committed_texts() -> list[Path]:
    """Every text file that is, or is about to be, committed."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    try:
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    except FileNotFoundError:  # no git here: then what is Python
        listed = ""
    known = [ROOT / name for name in listed.splitlines()] or python_files("tests", *PACKAGES)
    return [path for path in known if path.is_file() and b"\0" not in path.read_bytes()]


def at(path: Path, line: int) -> str:
    """Where something is, as an editor takes it."""
    return f"{path.relative_to(ROOT) if path.is_relative_to(ROOT) else path.name}:{line}"
