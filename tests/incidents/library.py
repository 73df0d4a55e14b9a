"""The incidents: what happened to whom, where it is told, and which guarantee keeps it from happening here."""

from __future__ import annotations

from dataclasses import dataclass, replace

from patterns.settings import MODES
from tests.incidents import without
from tests.incidents.without import Without

GITHUB = "https://github.com/"


@dataclass(frozen=True)
class Incident:
    """One thing that happened, as faults in a simulated world.

    ``rate``: how many places in a thousand break, anywhere; ``moment``: just one fault, when this process, having heard
    or said this message, comes to this place.
    """

    name: str
    threads: tuple[str, ...]
    told: str
    guarantee: str
    without: Without
    faults: tuple[str, ...]
    rate: float = 0
    moment: tuple[str, str, str] | None = None
    modes: tuple[str, ...] = MODES
    instances: int = 1
    rare: bool = False
    """Whether it takes many runs to see it without its guarantee."""
    cancel_after: float | None = None
    user: int = 1
    """The second customer has no money."""

    @property
    def urls(self) -> tuple[str, ...]:
        """Where people told of it."""
        return tuple(GITHUB + thread.replace("#", "/issues/") for thread in self.threads)


OVERTAKEN = Incident(
    "the cancellation overtakes what it cancels", ("MassTransit/MassTransit#3512",),
    "Messages of one order arrive in another order than they were sent; the late one is done, and never undone.",
    "an undo leaves a tombstone that refuses the late request", without.tombstones, ("stop",),
    moment=("product", "OrderPlaced", "begin"), instances=2, cancel_after=0.05,
    modes=tuple(mode for mode in MODES if mode != "rpc"))

# Where requests are asked again, one that is late has mostly been done by another instance: that takes some more chance.
OVERTAKEN_RPC = replace(OVERTAKEN, faults=("stall", "stop"), rate=60, moment=None, modes=("rpc",), rare=True)

INCIDENTS = (
    Incident(
        "a connection dies under the publisher", ("pika/pika#457",),
        "The connection is gone, publish returns as if all were well, and the message is nowhere.",
        "a row is sent when the broker has confirmed it, else it stays due", without.confirms, ("publish lost",),
        moment=("order", "OrderConfirmed", "publish")),
    Incident(
        "published to a queue that is not there", ("pika/pika#543", "pika/pika#574", "pika/pika#1206"),
        "The library says published; no queue was bound, and nobody was told.",
        "mandatory: what is returned stays due", without.returns, ("unroutable",),
        moment=("order", "OrderConfirmed", "publish")),
    Incident(
        "the stream is lost", ("pika/pika#1309", "pika/pika#1243", "pika/pika#1460", "pika/pika#858"),
        "An idle or busy connection is reset, and nothing in the library opens another.",
        "a link begins again from connect, as often as it must", without.reconnecting, ("connection lost",), 10),
    Incident(
        "the connection is back, its consumer is not",
        ("mosquito/aio-pika#231", "mosquito/aio-pika#334", "celery/celery#3201"),
        "After the broker's restart the worker is connected, and its queue has no consumer.",
        "every new channel is prepared from the beginning", without.consuming_again, ("broker restart",), 10),
    Incident(
        "the broker ends a consumer", ("Bogdanp/dramatiq#832",),
        "A queue is deleted or fails over, and its reader waits for ever.",
        "a cancelled consumer ends its link, which begins again", without.noticing_cancels, ("consumer cancelled",), 30),
    Incident(
        "acknowledged, then the worker died", ("nameko/nameko#387", "dotnet-architecture/eShopOnContainers#542"),
        "The message was acknowledged when it arrived; whoever should have handled it died.",
        "acknowledged after the commit", without.ack_after_the_work, ("crash",), moment=("user", "OrderConfirmed", "begin")),
    Incident(
        "executed twice", ("celery/celery#4426", "Bogdanp/dramatiq#461", "dapr/dapr#4247"),
        "An acknowledgement is lost, the task comes again, and is done again.",
        "inbox and step rows, in the transaction of the effect", without.memory_of_what_was_done,
        ("ack lost", "published twice", "replay"), 40),
    Incident(
        "who publishes what failed to be published?",
        ("dotnet-architecture/eShopOnContainers#279", "dotnet-architecture/eShopOnContainers#1340"),
        "The event stands in the outbox; the process died before it was sent, and nothing looks again.",
        "the relay sweeps the outbox", without.the_relay, ("crash",), 25),
    Incident(
        "outstanding replies wait for the next customer", ("eventuate-tram/eventuate-tram-sagas#40",),
        "After a crash the saga's replies lie there until somebody starts another saga.",
        "the relay sweeps by the clock, not by the trade", without.the_relays_own_pace, ("crash",), 25,
        modes=tuple(mode for mode in MODES if mode != "rpc")),  # there the waiting client itself asks again
    Incident(
        "told before it was true", ("MassTransit/MassTransit#1005", "MassTransit/MassTransit#573"),
        "A saga's message is out before its state is stored; or the state never is, and the message is still out.",
        "what is said is an outbox row, published after the commit", without.commit_before_saying, ("commit lost",), 300),
    Incident(
        "a caller waits for an answer that was lost",
        ("nameko/nameko#360", "mosquito/aio-pika#426", "MassTransit/MassTransit#4990"),
        "The reply is lost on its way; the caller hangs, or the saga stays where it is.",
        "a request is done when its answer is handled; until then it is asked again", without.asking_again,
        ("publish lost",), moment=("product", "StockReleased", "publish"), modes=("rpc",), user=2),
    Incident(
        "no results after the broker's restart", ("celery/celery#6912",),
        "The caller's connection is back without its reply queue; results go nowhere from then on.",
        "the reply queue is consumed on every new channel", without.hearing_answers_again,
        ("broker restart",), 10, modes=("rpc",)),
    OVERTAKEN, OVERTAKEN_RPC,
    Incident(
        "two processes end one saga", ("MassTransit/MassTransit#1959",),
        "Two instances load the same saga, and both go on with what they saw.",
        "an ending is one UPDATE that asks for PROCESSING", without.one_ending, ("stall",), 60,
        instances=2, cancel_after=0.05),
    Incident(
        "the test broker does not know #", ("ag2ai/faststream#1110", "ag2ai/faststream#2513"),
        "With the library's own broker for tests a pattern matches something else than on RabbitMQ.",
        "the embedded broker matches as RabbitMQ does", without.stars, (), modes=("topic", "saga")),
)
