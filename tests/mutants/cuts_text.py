"""Cutting text: a part of a program's source goes, and what joined it to its neighbours goes with it."""

from __future__ import annotations

import ast


class Text:
    """A source, and the source without parts of it.  ``ast`` counts columns in bytes, and so do we."""

    def __init__(self, source: str) -> None:
        self.bytes = source.encode()
        self.starts = [0]
        for line in self.bytes.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.tree = ast.parse(source)

    def at(self, node: ast.AST) -> tuple[int, int]:
        """Where it begins and ends, in bytes."""
        first, last = (self.starts[line - 1] for line in (node.lineno, node.end_lineno))  # type: ignore[attr-defined]
        return first + node.col_offset, last + node.end_col_offset  # type: ignore[attr-defined]

    def text(self, node: ast.AST) -> str:
        """Its source."""
        first, last = self.at(node)
        return self.bytes[first:last].decode()

    def words(self, node: ast.AST) -> str:
        """Its source in one line, cut short."""
        return short(self.text(node))

    def cut(self, first: int, last: int, instead: str = "") -> str:
        """The source without these bytes, or with something in their place."""
        return (self.bytes[:first] + instead.encode() + self.bytes[last:]).decode()

    def instead(self, node: ast.AST, instead: str) -> str:
        """The source with something in its place."""
        return self.cut(*self.at(node), instead)

    def without(self, part: ast.AST, parts: list[ast.expr] | list[ast.expr | ast.keyword], whole: ast.AST) -> str:
        """The source without one of several parts, and without what joined it to its neighbour."""
        index, (first, last) = parts.index(part), self.at(part)  # type: ignore[arg-type]
        if index + 1 < len(parts):
            return self.cut(first, self._before(self.at(parts[index + 1])[0], part))
        if index > 0 and isinstance(whole, ast.BoolOp):
            return self.cut(self._after(parts[index - 1]), last)
        return self.cut(first, last, "*()" if isinstance(whole, ast.Call) else "") if index == 0 else self.cut(
            first, last, "**{}" if isinstance(part, ast.keyword) else "*()")

    def _before(self, start: int, left: ast.AST) -> int:
        """Where the next part begins, with the parentheses around it (never those before the part that goes)."""
        end = self.at(left)[1]
        while start > end and self.bytes[start - 1:start] == b"(":
            start -= 1
        return start

    def _after(self, part: ast.AST) -> int:
        end = self.at(part)[1]
        while self.bytes[end:end + 1] == b")":
            end += 1
        return end

    def entry(self, key: ast.expr | None, value: ast.expr) -> str:
        """The source without an entry of a dictionary."""
        first, last = self.at(key)[0] if key else self.at(value)[0] - 2, self.at(value)[1]
        return self.cut(first, last, "**{}")

    def swapped(self, first: ast.stmt, second: ast.stmt) -> str:
        """The source with two neighbours the other way round."""
        (a, b), (c, d) = self.at(first), self.at(second)
        one, between, two = self.bytes[a:b], self.bytes[b:c], self.bytes[c:d]
        return (self.bytes[:a] + two + between + one + self.bytes[d:]).decode()


def short(text: str) -> str:
    """In one line, and not too long to be a name."""
    words = " ".join(text.split())
    return words if len(words) <= 90 else f"{words[:60]} … {words[-25:]}"
