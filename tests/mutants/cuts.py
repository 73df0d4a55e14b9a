"""What can be cut out of a source: each statement, and each part of one that a statement can do without.

A *cut* leaves a program that is one defence poorer: a statement gone, a condition that is always so, one ``.where(…)``,
one argument, one line of a wiring, two neighbours that change places.  What is only said (documentation, types, the
log) is no defence and is not cut.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from tests.mutants.cuts_text import Text, short

CHAINED = {"where", "order_by", "limit", "with_for_update", "on_conflict_do_nothing", "returning", "values", "desc"}
"""Calls that go on from another call, and may be left out of the chain."""

LISTED = {"where", "and_", "or_", "Table", "step_table", "create_table", "Index", "Wiring", "at", "to", "keep_sorted"}
"""Calls whose arguments are a list of things, each of which may be left out; others would fail at once without one."""

AT_IMPORT = ("step_table", "keep_journal", "keep_sorted")
"""Functions that only make tables while the program is loaded: tests/schema and the tests of constraints watch these."""

TABLES = ("models.py", "journal.py", "main.py")
"""Files whose constants others have taken over when they were imported."""

SAID = {"extra", "exc_info", "description", "summary", "title", "examples", "name", "strict"}
"""Keyword arguments for readers of logs, pages and error messages; and ``strict``, which says of two lists that they are
equally long."""


@dataclass(frozen=True)
class Cut:
    """A source with something cut out of it."""

    file: str
    line: int
    place: str
    """The function or class it was in; empty for the module itself."""
    what: str
    source: str
    in_function: bool
    """Whether it is inside a function, which can be given other code in a running program."""

    @property
    def is_constant(self) -> bool:
        """Whether it is in what a module only works out when it is imported: its tables aside, that can be done again."""
        return not self.place and not self.in_function and not self.file.endswith(TABLES)

    @property
    def name(self) -> str:
        """Stays the same when lines move."""
        return f"{self.file} {self.place or 'module'}: {self.what}"


def cuts(file: str, source: str) -> Iterator[Cut]:
    """All cuts that leave something Python can read; those that read alike in one place are numbered."""
    seen: Counter[str] = Counter()
    scissors = Scissors(source)
    for place, inside, line, what, shorter in scissors.all():
        seen[f"{place}: {what}"] += 1
        if seen[f"{place}: {what}"] > 1:
            what = f"{what} ({seen[f'{place}: {what}']})"
        if shorter != source and _parses(shorter):
            yield Cut(file, line, place, what, shorter, inside)


Found = tuple[str, bool, int, str, str]
"""Place, whether that is a function, line, what was cut, and the source without it."""


class Scissors(Text):
    """Cuts one source."""

    def all(self) -> Iterator[Found]:
        """Every cut of every kind."""
        yield from self._within(self.tree.body, "", inside=False)

    def _within(self, body: list[ast.stmt], place: str, *, inside: bool) -> Iterator[Found]:
        statements = [one for one in body if not _only_said(one)]
        for statement in statements:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                is_function = isinstance(statement, ast.FunctionDef)
                name = f"{place}.{statement.name}".lstrip(".")
                yield from self._within(statement.body, name, inside=inside or (is_function and name not in AT_IMPORT))
            elif not isinstance(statement, ast.Import | ast.ImportFrom):
                yield from ((place, inside, *found) for found in self._statement(statement, at_top=not place))
                for inner in _bodies(statement):
                    yield from self._within(inner, place, inside=inside)
        for first, second in pairwise(statements):
            if _can_swap(first, second):
                what = f"{self.words(second)} ⇅ before {self.words(first)}"
                yield place, inside, first.lineno, what, self.swapped(first, second)

    def _statement(self, statement: ast.stmt, *, at_top: bool) -> Iterator[tuple[int, str, str]]:
        if _stands_alone(statement) and not (at_top and isinstance(statement, ast.Assign | ast.AnnAssign)):
            yield statement.lineno, f"– {self.words(statement)}", self.instead(statement, "pass")
        if isinstance(statement, ast.If):
            yield statement.lineno, f"always {self.words(statement.test)}", self.instead(statement.test, "True")
        if isinstance(statement, ast.Try):
            for handler in statement.handlers:
                if handler.type is not None:
                    yield handler.lineno, f"– except {self.words(handler.type)}", self.instead(handler.type, "()")
        unpacked = _unpacked(statement)
        for node in _expressions(statement):
            if node is not unpacked:
                yield from self._expression(node)

    def _expression(self, node: ast.AST) -> Iterator[tuple[int, str, str]]:
        if isinstance(node, ast.BoolOp):
            for part in node.values:
                yield part.lineno, f"– operand {self.words(part)}", self.without(part, node.values, node)
        elif isinstance(node, ast.IfExp):
            for part, kind in ((node.body, "always"), (node.orelse, "never")):
                yield part.lineno, f"{kind} {self.words(node.test)}: {self.words(part)}", self.instead(
                    node, f"({self.text(part)})")
        elif isinstance(node, ast.comprehension):
            for test in node.ifs:
                yield test.lineno, f"– if {self.words(test)}", self.instead(test, "True")
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node.lineno, f"– not {self.words(node.operand)}", self.instead(node, f"({self.text(node.operand)})")
        elif isinstance(node, ast.Call):
            yield from self._call(node)
        elif isinstance(node, ast.Tuple | ast.List | ast.Set) and isinstance(getattr(node, "ctx", ast.Load()), ast.Load):
            for part in node.elts:
                yield part.lineno, f"– element {self.words(part)}", self.without(part, node.elts, node)
        elif isinstance(node, ast.Dict):
            for key, value in zip(node.keys, node.values, strict=True):
                words = f"{self.words(key)}: {self.words(value)}" if key else f"**{self.words(value)}"
                yield value.lineno, f"– entry {words}", self.entry(key, value)

    def _call(self, node: ast.Call) -> Iterator[tuple[int, str, str]]:
        function = node.func
        if isinstance(function, ast.Attribute) and function.attr in CHAINED:
            link = self.text(node)[len(self.text(function.value)):]
            yield function.end_lineno or 0, f"– {short(link.strip())}", self.instead(node, self.text(function.value))
        parts: list[ast.expr | ast.keyword] = [*node.args, *node.keywords]
        listed = _name(function) in LISTED and len(parts) > 1
        for part in parts:
            if part.arg not in SAID if isinstance(part, ast.keyword) else listed:
                yield part.lineno, f"– argument {self.words(part)}", self.without(part, parts, node)

def _parses(source: str) -> bool:
    try:
        compile(source, "cut", "exec")
    except (SyntaxError, ValueError):
        return False
    return True


def _bodies(statement: ast.stmt) -> Iterator[list[ast.stmt]]:
    for field in ("body", "orelse", "finalbody"):
        yield getattr(statement, field, [])
    for handler in getattr(statement, "handlers", ()):
        yield handler.body


def _only_said(statement: ast.stmt) -> bool:
    """Documentation, a type, or a word to the log."""
    if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
        return True
    if isinstance(statement, ast.AnnAssign) and statement.value is None:
        return True
    return isinstance(statement, ast.Expr) and "log" in ast.unparse(statement.value).split("(")[0].split(".")[0:2][-1]


def _stands_alone(statement: ast.stmt) -> bool:
    """Whether leaving it out is more than leaving out what stands in it, and than a name that is missed at once."""
    targets = getattr(statement, "targets", [getattr(statement, "target", None)])
    if isinstance(statement, ast.Assign | ast.AnnAssign) and all(isinstance(one, ast.Name) for one in targets):
        return False
    return not isinstance(statement, ast.With | ast.Try | ast.While | ast.Pass)


def _name(function: ast.expr) -> str:
    """What is called, without whose it is."""
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _unpacked(statement: ast.stmt) -> ast.AST | None:
    """What is taken apart into several names: with less in it, it could not be."""
    is_so = isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Tuple)
    return getattr(statement, "value", None) if is_so else None


def _expressions(statement: ast.stmt) -> Iterator[ast.AST]:
    """Everything in a statement but other statements, types and formatted words."""
    waiting: list[ast.AST] = [statement]
    while waiting:
        node = waiting.pop(0)
        yield node
        for name, value in ast.iter_fields(node):
            if name in ("annotation", "returns", "type_comment") or (name == "slice" and isinstance(value, ast.Tuple)):
                continue
            waiting += [
                child for child in (value if isinstance(value, list) else [value])
                if isinstance(child, ast.AST) and not isinstance(child, ast.stmt | ast.JoinedStr | ast.ExceptHandler)
            ]


def _can_swap(first: ast.stmt, second: ast.stmt) -> bool:
    """Whether both do something, and the second does not need what the first one names."""
    if any(isinstance(one, ast.FunctionDef | ast.ClassDef | ast.Return | ast.Raise) for one in (first, second)):
        return False
    if all(isinstance(one, ast.Assign | ast.AnnAssign) for one in (first, second)):
        return False  # two names for two things
    calls = all(any(isinstance(node, ast.Call) for node in ast.walk(one)) for one in (first, second))
    return calls and not _names(first, ast.Store) & _names(second, ast.Load)


def _names(statement: ast.stmt, context: Callable[[], ast.expr_context] | type[ast.expr_context]) -> set[str]:
    return {node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and isinstance(node.ctx, context)}  # type: ignore[arg-type]
