"""Every relative link in the documentation leads somewhere, also the part after ``#``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.sources import ROOT, committed_texts

LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"^(?: {4}|\t)[^\n]*$|^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def anchors(text: str) -> set[str]:
    """What ``#…`` may name on a page, as GitHub makes it of the headings."""
    headings = HEADING.findall(re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL))
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path, root: Path = ROOT) -> list[str]:
    """The links of a page that lead nowhere."""
    found = []
    text = page.read_text(encoding="utf-8")
    for link in LINK.findall(CODE.sub("", text)):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link):
            continue  # somewhere else, which no test of ours should ask
        target = (page.parent / path).resolve() if path else page
        inside = target == root or root in target.parents
        if not inside or not target.exists() or (anchor and anchor not in anchors(target.read_text(encoding="utf-8"))):
            found.append(f"{page.relative_to(root)}: {link}")
    return found


def test_every_link_leads_somewhere() -> None:
    pages = [path for path in committed_texts() if path.suffix == ".md"]
    assert len(pages) > 10
    assert not (found := [link for page in pages for link in broken(page)]), "\n".join(found)


@pytest.mark.parametrize(("text", "lost"), [
    ("[there](there.md) and [its part](there.md#a-part-of-it) and [mine](#mine)\n\n# Mine", []),
    ("[code](nowhere.md) in code: `[x](gone.md)`", ["nowhere.md"]),
    ("    [x](indented.md)\n\n```\n[x](fenced.md)\n```\n[after](both.md)", ["both.md"]),
    ("[no part](there.md#another-part)", ["there.md#another-part"]),
    ("[outside](../elsewhere.md)", ["../elsewhere.md"]),
    ("[the web](https://example.org/x.md)", []),
])
def test_a_lost_link_is_found(text: str, lost: list[str], tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# There\n\n## A part of `it`\n")
    page = tmp_path / "page.md"
    page.write_text(text)
    assert broken(page, tmp_path) == [f"page.md: {link}" for link in lost]


@pytest.mark.parametrize("folder", sorted({path.parent for path in (ROOT / "docs").rglob("README.md")}), ids=str)
def test_the_table_of_contents_of_a_folder_leaves_no_page_out(folder: Path) -> None:
    contents = (folder / "README.md").read_text(encoding="utf-8")
    linked = {(folder / link.partition("#")[0]).resolve() for link in LINK.findall(contents)}
    pages = {path for path in committed_texts() if path.parent == folder and path.suffix in (".md", ".yaml")}
    below = {path / "README.md" for path in folder.iterdir() if (path / "README.md").exists()}
    assert sorted((pages | below) - linked - {folder / "README.md"}) == []
