"""JSON from outside, read so that everybody who reads it understands the same.

RFC 8259 leaves open what repeated keys, half a surrogate pair or endless nesting mean, and Python reads ``NaN`` and
``1e400`` although no JSON number can be either.  Here they are refused, before anything else looks at them.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from decimal import Decimal, InvalidOperation
from typing import Any

MOST_DIGITS = 100


def loads(body: bytes) -> Any:
    """The value a body holds.  Raises ValueError, in words a client understands, for everything but plain JSON."""
    try:
        text = body.decode()
        value = json.loads(
            text, object_pairs_hook=_each_key_once, parse_float=_number, parse_int=_readable, parse_constant=_no_number
        )
        if "\\ud" in text.lower():  # only an escape can bring half a surrogate pair: bytes of UTF-8 hold none
            json.dumps(value, ensure_ascii=False).encode()
    except UnicodeDecodeError:
        raise ValueError("The body is not UTF-8.") from None
    except UnicodeEncodeError:
        raise ValueError("The body holds half a surrogate pair, which is no text.") from None
    except RecursionError:
        raise ValueError("The body is nested too deeply.") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"The body is not JSON: {error}.") from None
    return value


def _each_key_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"The body names {twice[:40]!a} twice in one object; which is meant?")
    return found


def _number(number: str) -> float:
    """A number with a point or an exponent; a whole one is an integer, as in JSON Schema (``2.0``, ``1e3``)."""
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("The body holds a number too large to read.")
    if value.is_integer() and abs(value) < 10**MOST_DIGITS:
        with suppress(InvalidOperation):  # an exponent beyond what Decimal knows: no whole number but zero
            exact = Decimal(number)  # the float may have been rounded
            return int(exact) if exact == exact.to_integral_value() else value
    return value


def _readable(number: str) -> int:
    # Python itself refuses above 4,300 digits (sys.set_int_max_str_digits), but that is settable, and in other words.
    digits = len(number.removeprefix("-"))
    if digits > MOST_DIGITS:
        raise ValueError(f"The body holds a number of {digits} digits.")
    return int(number)


def _no_number(name: str) -> float:
    raise ValueError(f"The body holds {name}, which is no number in JSON.")
