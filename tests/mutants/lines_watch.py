"""Which files are guards, or carry them, and which unit tests watch over each."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).parents[2]

SIDE_BY_SIDE = "tests/unit/patterns/test_together.py"
RELAYS = "tests/simulation/test_crossing.py::test_relays_that_sweep_at_once_skip_what_the_other_has_claimed"
LOCKING = "tests/unit/patterns/test_locking.py"
ENVELOPE = "tests/unit/patterns/test_envelope.py"
CHANNEL = "tests/unit/connection/test_channel.py"

SHOP = ("product", "user", "order", "payment", "delivery", "notification")
BYSTANDERS = "tests/unit/handlers/test_bystanders.py::test_what_is_done_for_one_order_is_done_for_no_other"

WATCHED: dict[str, tuple[str, ...]] = {
    "patterns/step.py": (
        "tests/unit/patterns/test_step.py", "tests/unit/handlers/test_user_handlers.py", f"{BYSTANDERS}[product]"),
    "patterns/amounts.py": (
        "tests/unit/handlers/test_user_handlers.py", f"{BYSTANDERS}[product]", f"{BYSTANDERS}[user]"),
    "patterns/inbox.py": ("tests/unit/patterns/test_journal.py",),
    "patterns/outbox.py": ("tests/unit/patterns/test_journal.py", RELAYS),
    "patterns/many.py": ("tests/unit/patterns/test_many.py",),
    "patterns/sql.py": ("tests/unit/patterns/test_sql.py", "tests/unit/patterns/test_many.py",
                        "tests/unit/patterns/test_quick_sqlite.py::test_many_values"),
    "patterns/envelope.py": tuple(f"{ENVELOPE}::test_{name}" for name in (
        "the_envelope", "a_message", "a_question", "an_answer_inherits", "this_much", "what_is_wrong", "what_is_only",
        "what_a_client")),
    "patterns/service.py": ("tests/unit/patterns/test_service.py", "tests/unit/patterns/test_own_service.py"),
    "patterns/wiring.py": (
        "tests/unit/patterns/test_topology.py", "tests/unit/patterns/test_own_service.py",
        "tests/unit/patterns/test_listener.py", "tests/unit/patterns/test_voice.py::test_it_hears",
        "tests/house/test_wiring.py"),
    "patterns/parked.py": ("tests/unit/patterns/test_parked.py", "tests/contract/test_parked.py"),
    "patterns/locking.py": (LOCKING,),
    "patterns/removal.py": (LOCKING,),
    "patterns/preparing.py": ("tests/unit/patterns/test_preparing.py", "tests/unit/patterns/test_listener.py"),
    "patterns/breaker.py": ("tests/unit/patterns/test_breaker.py",),
    "patterns/together.py": (SIDE_BY_SIDE,),
    "patterns/journal.py": ("tests/unit/patterns/test_journal.py",),
    "patterns/database.py": ("tests/unit/patterns/test_database.py",),
    "patterns/listener.py": ("tests/unit/patterns/test_listener.py",),
    "patterns/voice.py": ("tests/unit/patterns/test_voice.py",),
    "patterns/rpc.py": ("tests/unit/patterns/test_voice.py",),
    "patterns/relay.py": ("tests/unit/patterns/test_relay.py", "tests/unit/patterns/test_pruning.py"),
    "patterns/link.py": ("tests/unit/patterns/test_link.py",),
    "patterns/connection.py": ("tests/unit/connection/test_connection.py", "tests/unit/connection/test_rabbitmq_url.py"),
    "patterns/connection_channel.py": (CHANNEL,),
    "patterns/connection_consumers.py": (CHANNEL,),
    "patterns/connection_pipeline.py": (CHANNEL,),
    "patterns/connection_confirms.py": ("tests/unit/connection/test_pika_confirms.py", CHANNEL),
    "patterns/connection_arrivals.py": ("tests/unit/connection/test_arrivals.py", CHANNEL),
    "patterns/connection_asking.py": ("tests/unit/connection/test_asking.py", CHANNEL),
    "patterns/place_order.py": (
        "tests/unit/patterns/test_place_order.py", "tests/house/test_asyncapi.py::test_both_pages_are_fresh"),
    "patterns/topology.py": ("tests/unit/patterns/test_topology.py",),
    "patterns/connection_thread.py": ("tests/unit/connection/test_thread.py",),
    "order/main.py": ("tests/unit/handlers/test_order_handlers.py::test_a_sweep_takes_a_few_the_longest_overdue_first",),
    "patterns/waiting.py": ("tests/unit/patterns/test_waiting.py",),
    "patterns/mishaps.py": ("tests/unit/patterns/test_mishaps.py", "tests/unit/patterns/test_listener.py"),
    "patterns/hearing.py": ("tests/unit/patterns/test_listener.py",),
    "patterns/retry.py": ("tests/unit/patterns/test_retry.py",),
    **{f"{service}/crud.py": (*(["tests/unit/handlers/test_keeping.py"] if service in ("product", "user") else []),
                              f"tests/unit/handlers/test_{service}_handlers.py", "tests/unit/handlers/test_lists.py",
                              f"{BYSTANDERS}[{service}]")
       for service in SHOP},
    **{f"{service}/mqlistener.py": ("tests/house/test_flows_docs.py::test_every_page_is_fresh",
                                    f"tests/unit/handlers/test_{service}_handlers.py") for service in SHOP},
}

WIDER = tuple(f"tests/{folder}" for folder in ("regressions", "unit", "house", "flows", "rest", "incidents", "simulation"))


def watchers(file: str) -> tuple[str, ...]:
    """The tests that a file's cuts are tried on first."""
    return WATCHED.get(file, ("tests/unit",))
