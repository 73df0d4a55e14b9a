"""Pages that are written by hand but for what stands between markers, which a program writes anew.

::

    <!-- generated: NAME -->whatever the program writes<!-- end of generated: NAME -->
"""

from __future__ import annotations

import re

from patterns.errors import PageError


def fill(text: str, name: str, content: str, where: str) -> str:
    """Put content between the markers of this name.  Raises PageError when they are not there."""
    begin, end = _markers(name)
    marked = re.compile(f"{re.escape(begin)}.*?{re.escape(end)}", re.DOTALL)
    filled, found = marked.subn(lambda _: f"{begin}{content}{end}", text)
    if found != 1:
        raise PageError(f"{where} needs {begin} and {end} once, where the generated part shall stand; found {found}")
    return filled


def wants(text: str, name: str) -> bool:
    """Whether a page has a place for what is generated under this name."""
    return _markers(name)[0] in text


def _markers(name: str) -> tuple[str, str]:
    return f"<!-- generated: {name} -->", f"<!-- end of generated: {name} -->"
