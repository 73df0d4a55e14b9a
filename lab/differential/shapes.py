"""A queue's shape as the arguments of its declaration."""

from __future__ import annotations

from typing import Any

from lab.differential import operations as ops


def arguments_of(shape: ops.Shape, prefix: str, queues: int) -> dict[str, Any]:
    """The arguments; dead letters go to one of the program's first queues, or to an exchange."""
    arguments: dict[str, Any] = {"x-queue-type": "quorum" if shape.quorum else "classic"}
    given = {
        "x-message-ttl": shape.ttl, "x-max-length": shape.max_length, "x-delivery-limit": shape.delivery_limit,
        "x-overflow": "reject-publish" if shape.rejects or _safely(shape) else None,
        "x-dead-letter-strategy": "at-least-once" if _safely(shape) else None,
    }
    arguments |= {name: value for name, value in given.items() if value is not None}
    if shape.dead_to is not None:
        to_queue = shape.dead_to < ops.QUEUES
        arguments["x-dead-letter-exchange"] = "" if to_queue else f"{prefix}x{shape.dead_to - ops.QUEUES}"
        if to_queue:
            arguments["x-dead-letter-routing-key"] = f"{prefix}q{shape.dead_to % queues}"
        elif shape.dead_key is not None:
            arguments["x-dead-letter-routing-key"] = ops.KEYS[shape.dead_key % len(ops.KEYS)]
    return arguments


def _safely(shape: ops.Shape) -> bool:
    return shape.safely and shape.quorum and shape.dead_to is not None
