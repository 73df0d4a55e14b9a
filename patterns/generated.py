"""Pages that are written by hand but for what stands between markers, which a program writes anew.

::

    <!-- generated: NAME -->whatever the program writes<!-- end of generated: NAME -->
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from patterns.errors import PageError


def fill(text: str, name: str, content: str, where: str) -> str:
    """Put content between the markers of this name.  Raises PageError when they are not there."""
    begin, end = _markers(name)
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    filled, found = marked.subn(lambda _: f"{begin}{content}{end}", text)
    if found != 1:
        raise PageError(f"{where} needs {begin} and {end} once, where the generated part shall stand; found {found}")
    return filled


def renewed(text: str, parts: Mapping[str, str], where: str, *, if_wanted: bool = False) -> str:
    """A page with these parts, by name, each a paragraph of its own; ``if_wanted``: as far as it has places for them.

    Raises PageError when there is none for one of them, otherwise.
    """
    for name, content in parts.items():
        if not if_wanted or wants(text, name):
            text = fill(text, name, f"\n\n{content}\n\n", where)
    return text


def renew(path: Path, parts: Mapping[str, str], *, if_wanted: bool = False) -> bool:
    """Write these parts into a page, as :func:`renewed` does; says whether it is another page now."""
    before = path.read_text(encoding="utf-8")
    after = renewed(before, parts, path.name, if_wanted=if_wanted)
    if after != before:
        path.write_text(after, encoding="utf-8")
    return after != before


def wants(text: str, name: str) -> bool:
    """Whether a page has a place for what is generated under this name."""
    return _markers(name)[0] in text


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- generated: {name} -->", f"<!-- end of generated: {name} -->"
