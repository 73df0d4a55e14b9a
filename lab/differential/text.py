"""A program as text, short enough to read and exact enough to be run again."""

from __future__ import annotations

import ast
from dataclasses import fields, is_dataclass
from typing import Any

from lab.differential import operations
from lab.differential.operations import Program
from patterns.errors import SettingsError


def as_text(what: Any) -> str:
    """Like repr, without what is as usual."""
    if is_dataclass(what):
        given = [(each.name, getattr(what, each.name)) for each in fields(what) if getattr(what, each.name) != each.default]
        return f"{type(what).__name__}({', '.join(f'{name}={as_text(value)}' for name, value in given)})"
    if isinstance(what, tuple):
        return f"({', '.join(map(as_text, what))}{',' * (len(what) == 1)})"
    return repr(what)


def program_of(text: str) -> Program:
    """The program this text says.  Raises SettingsError for anything else; nothing is evaluated."""
    try:
        program = _value(ast.parse(text, mode="eval").body)
    except (SyntaxError, ValueError, TypeError, AttributeError) as error:
        raise SettingsError(f"This is no program of operations: {error}") from error
    if not isinstance(program, Program):
        raise SettingsError("This is no program of operations")
    return program


def _value(node: ast.expr) -> Any:
    match node:
        case ast.Call(func=ast.Name(id=name), args=[], keywords=keywords):
            kind = getattr(operations, name)
            if not (isinstance(kind, type) and is_dataclass(kind)):
                raise ValueError(f"{name} is no operation")
            return kind(**{each.arg or "": _value(each.value) for each in keywords})
        case ast.Tuple(elts=elements):
            return tuple(map(_value, elements))
    return ast.literal_eval(node)
