"""RPC: ask and wait, safely.

::

    POST ──> order ──request──> product_stock_update ──> product         a request is an outbox row
              │  ^                                          │            and done only in the transaction
              │  '────────reply (amq.rabbitmq.reply-to)─────'            that handles its answer
              └──request──> user_check ──> user ──reply──> …

A time-out means *unknown*, never failed: the relay asks again (after 1 s, doubling to 30 s) until an answer is
handled, also after a crash of whoever waited.  Replies are hints; the step rows are what is true.  No transaction is
open while anybody waits.
"""

from __future__ import annotations

from collections.abc import Sequence

from patterns.envelope import Said
from patterns.listener import Listener
from patterns.relay import Relay
from patterns.runtime import runtime
from patterns.voice import Voice


def converse(said: Sequence[Said], voice: Voice, listener: Listener, relay: Relay, until: float) -> None:
    """Ask, handle the answer, ask the next, until nothing is left to ask or the time (``monotonic``) is over.

    What needs no answer is left to the relay; so is every request that is still open when time is over.
    """
    todo = list(said)
    while todo:
        relay.say_soon([one for one in todo if not one.awaits_answer])
        requests = [one for one in todo if one.awaits_answer]
        todo = []
        for request in requests:
            with voice.ask(request, until - runtime().monotonic()) as reply:
                if reply is not None:
                    todo += listener.answer(reply)
