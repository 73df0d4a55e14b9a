"""Parked messages as people see them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from rich.table import Table

from lab.parked.advice import advice
from lab.parked.find import Found, List
from patterns.parked_letter import Parked
from patterns.web_parked import Outcome


def listed(found: List) -> Table:
    """One line for each message."""
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "service", "parked at", "type", "order", "mode", "from", "tries", "reason"):
        table.add_column(heading, no_wrap=heading != "reason", overflow="fold" if heading == "reason" else "ellipsis")
    for letter, copies in found.each_once:
        table.add_row(*map(_plain, (
            letter.id + (f" ×{copies}" if copies > 1 else ""), letter.service, moment(letter.parked_at), letter.type,
            str(letter.order_id or "–"), letter.mode or "–", letter.queue or "?", str(letter.attempts), letter.reason[:160],
        )))
    return table


def explained(found: Found) -> str:
    """Everything about one message."""
    letter = found.letter
    facts = [
        ("message", letter.message_id or "without an id"), ("type", f"{letter.type} ({letter.content_type})"),
        ("parked by", f"{letter.service}, at {moment(letter.parked_at)}, as {letter.parked_as}"),
        ("failed at", letter.queue or "?"), ("reason", letter.reason), ("said by", letter.sender or "?"),
        ("tries", f"{letter.attempts}, the first of them at {moment(letter.first_failed_at)}"
                  + (f"; sent back {letter.replayed} times before" if letter.replayed else "")),
    ]
    lines = [f"{letter.id}", *(f"  {name:<10} {value}" for name, value in facts)]
    lines += ["", "why it failed, each time", *(f"  {moment(each.at)}  {each.reason}" for each in letter.failures)]
    headers = (f"  {name}: {json.dumps(value, ensure_ascii=False)[:300]}" for name, value in _others(letter))
    lines += ["", "headers", *headers]
    cut = f" (the beginning of {letter.body_bytes} bytes)" if letter.body_bytes > len(letter.body.encode()) else ""
    lines += ["", f"body{cut}", *(f"  {line}" for line in (letter.body or "(empty)").splitlines()), "", *_order(found), ""]
    return "\n".join([*lines, "what to do", *(f"  {sentence}" for sentence in advice(letter, found.story))])


def done(outcomes: Sequence[tuple[str, Outcome]]) -> Table:
    """What became of each chosen message."""
    table = Table(box=None, pad_edge=False)
    for heading in ("id", "service", "type", "order", "verdict", ""):
        table.add_column(heading, no_wrap=bool(heading), overflow="fold")
    for service, one in outcomes:
        table.add_row(*map(_plain, (one.id, service, one.type, str(one.order_id or "–"), one.verdict, one.why)))
    return table


def moment(at: int) -> str:
    """A time, in this machine's zone."""
    return datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S") if 0 < at < 2**35 else "?"


def _order(found: Found) -> list[str]:
    """How the order stands, and what each service heard and said of it."""
    if found.story is None:
        return []
    order, lines = found.story.order, [f"order {found.letter.order_id}"]
    if order is not None:
        why = f": {order.reason}" if order.reason else ""
        lines.append(f"  {order.status}{why} (mode {order.mode}, saga {order.saga_state})")
    lines += [
        f"  {moment(int(entry.at))}  {entry.service:<13}{entry.direction:<6}{entry.type:<18}{entry.where}"
        for entry in found.story.messages
    ]
    return lines + [f"  {service} does not answer: {why}" for service, why in found.story.away.items()]


def _others(letter: Parked) -> list[tuple[str, object]]:
    """The headers, without what is told above."""
    told = ("parked_", "failures", "first_failed_at", "attempt", "replayed")
    return [(name, value) for name, value in letter.headers.items() if not name.startswith(told)]


def _plain(text: str) -> str:
    """A text in which rich finds no markup."""
    return text.replace("[", r"\[")
