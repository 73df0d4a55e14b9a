"""What to do about a parked message, in plain words."""

from __future__ import annotations

from lab.order_story import Story
from patterns.parked_letter import Parked

WHAT_IT_IS = {
    "unreadable": "Nobody here can read it, so its handler never saw it and no database changed.",
    "refused": "Its handler read it and refused it for good; what the handler had done was rolled back.",
    "failed": "Its handler failed each time it was tried; what the handler had done was rolled back each time.",
    "given up": "The broker gave it up: it expired, or its consumer broke off again and again while it had it in hand.",
}


def advice(letter: Parked, story: Story | None) -> list[str]:
    """Sentences: what happened, how the order stands, what to do now."""
    return [
        WHAT_IT_IS.get(letter.parked_as, "It was not parked by a service of this shop; nobody knows where it failed."),
        *_order(letter, story), *_what_to_do(letter),
    ]


def _order(letter: Parked, story: Story | None) -> list[str]:
    if letter.order_id is None:
        return ["It names no order."]
    if story is None or "order" in story.away:
        return ["How its order stands is not known: the order service does not answer."]
    if story.order is None:
        return [f"The order service knows no order {letter.order_id}."]
    if story.order.status == "PROCESSING":
        return ["Its order is not settled; the order service cancels it when its deadline passes, and undoes what was done."]
    ended = f"Its order has ended meanwhile ({story.order.status}), and that never changes."
    if story.to_come:
        return [f"{ended} But not all of it is done: {'; '.join(story.to_come)}. Sending this message back may finish it."]
    return [f"{ended} Sending this message back can do no harm: whoever hears it knows what was done and what was undone."]


def _what_to_do(letter: Parked) -> list[str]:
    back, away = f"orderflow parked replay {letter.id}", f"orderflow parked drop {letter.id}"
    if letter.parked_as == "unreadable" and letter.hopeless:
        whom = f"{letter.sender!r}" if letter.sender else "whoever wrote it (it does not say who)"
        return [f"Tell {whom} what is wrong. If a newer version of this service can read it, start that and `{back}`; "
                f"otherwise `{away}`."]
    if letter.hopeless:
        return [f"If the reason is gone, `{back} --force`; otherwise `{away}`."]
    if letter.parked_as == "given up":
        return [f"Look into {letter.service}'s log for what ended the process; mend it, then `{back}`."]
    if letter.parked_as == "unreadable":
        return [f"This version can read it: `{back}`."]
    return [f"Find the reason in {letter.service}'s log and mend it, then `{back}`."]
