"""All mutants, by name, in the order of the list they were begun with."""

from __future__ import annotations

from collections.abc import Iterable

from tests.mutants import patches_flow as flow
from tests.mutants import patches_messages as messages
from tests.mutants import patches_rpc as rpc
from tests.mutants.days import everybody_is_poor, the_carrier_is_away
from tests.mutants.mutant import Layer, Mutant, together

QUIET = "everything comes to rest"
ACROSS = "steps stand on each other (after each commit)"
MONEY, GOODS = "money is conserved (after each commit)", "goods are conserved (after each commit)"
ALL_FOUR, PARKED = "success means all four", "nothing is parked"
SAID, ONCE, ONE = "what was done is said", "each thing is said once", "one order for each key"
CENTRAL = ("rpc", "saga")
NO_QUESTIONS = ("default", "fanout", "direct", "topic", "saga")
"""Where the inbox stands alone: it never swallows a question, so in mode rpc only the step rows notice one asked twice."""
TWICE = ("duplicate", "published twice", "ack lost", "confirm lost", "connection lost")
"""Faults by which a message comes again as it was."""
INBOX, ROWS = Layer("the inbox", messages.no_inbox), Layer("the step rows", flow.no_step_guard)


def _all() -> Iterable[Mutant]:
    yield Mutant("ack-before-commit", "1", "The message is acknowledged before the work is committed.",
                 messages.ack_before_commit, (QUIET,))
    yield Mutant("auto-ack", "2", "The broker counts a message as done once it is on the wire.",
                 messages.auto_ack, (QUIET,), faults=("crash", "connection lost"))
    yield Mutant("no-outbox", "3", "What is said is published after the commit, and written down nowhere.",
                 messages.no_outbox, (SAID, QUIET))
    yield Mutant("publish-before-commit", "4", "What is said is published before the commit.",
                 messages.publish_before_commit, (ACROSS,))
    yield Mutant("sent-before-it-is", "5", "An outbox row is marked as sent before it is published.",
                 messages.sent_before_it_is, (QUIET,))
    yield Mutant("no-confirms", "6", "Nobody waits for the broker's confirm.",
                 messages.no_confirms, (QUIET,), faults=("publish lost", "refused"))
    yield Mutant("no-mandatory", "6a", "Messages no queue is bound for are not returned.",
                 messages.no_mandatory, (QUIET,), faults=("unroutable",), rate=40)
    yield Mutant("relay-asleep", "6b", "No relay sends what a crash left unsent.", messages.relay_asleep, (QUIET,))
    yield Mutant("no-inbox", "7", "Nobody remembers which messages were heard.", messages.no_inbox,
                 ("history tells each thing once",), leave_out=("replay",))
    yield Mutant("no-inbox-no-guard", "7a", "Nobody remembers which messages were heard.", messages.no_inbox,
                 (GOODS, MONEY), NO_QUESTIONS, without=ROWS, faults=TWICE, rate=40)
    yield Mutant("no-inbox-new-ids", "7b", "No inbox, and each time something is said it gets a new id.",
                 together(messages.no_inbox, messages.a_new_id_each_time), (ONCE,))
    yield Mutant("inbox-before-the-work", "9", "The inbox row is committed before the work.",
                 messages.inbox_before_the_work, (QUIET,))
    yield Mutant("inbox-before-the-work-no-guard", "9a", "The inbox row is committed before the work.",
                 messages.inbox_before_the_work, (QUIET, ALL_FOUR), NO_QUESTIONS, without=ROWS,
                 leave_out=("replay",))
    yield Mutant("no-step-guard", "11", "A step that was done is done again when it is asked for under a new id.",
                 flow.no_step_guard, (GOODS, MONEY))
    yield Mutant("no-step-guard-no-inbox", "11a",
                 "A step that was done is done again when the same message comes again.",
                 flow.no_step_guard, (GOODS, MONEY), without=INBOX, faults=TWICE, rate=40)
    yield Mutant("no-guard-on-goods", "14", "The shelf is not asked whether there is enough.",
                 flow.no_guard_on_goods, (PARKED,), rate=0)
    yield Mutant("no-guard-on-money", "14a", "The account is not asked whether there is enough.",
                 flow.no_guard_on_money, (PARKED,), rate=0, day=everybody_is_poor)
    yield Mutant("refund-of-one-piece", "15", "What is given back is not what the hold's row says.",
                 flow.the_refund_is_of_one_piece, (MONEY,))
    yield Mutant("answer-at-todays-price", "15a", "A repeated answer reckons with today's price, not with the order's.",
                 flow.an_answer_at_todays_price, ("money adds up",), modes=("rpc",), faults=("publish lost",), rate=40)
    yield Mutant("no-refund", "16", "No refund when the carrier refuses the parcel.",
                 flow.no_refund_when_the_carrier_refuses, (QUIET,), rate=0)
    yield Mutant("payment-not-refunded", "16a", "The refund is announced and not made.",
                 flow.payment_not_refunded, (ACROSS,))
    yield Mutant("goods-not-put-back", "17", "The undo forgets the goods.", flow.goods_not_put_back, (ALL_FOUR,))
    yield Mutant("money-not-given-back", "17a", "The undo forgets the money.", flow.money_not_given_back, (ALL_FOUR,))
    yield Mutant("dropped-on-database-error", "18", "A message is rejected when the database is away for a moment.",
                 messages.dropped_when_the_database_is_away, (PARKED,))
    yield Mutant("key-not-honoured", "19", "The client's second try is a second order.", flow.key_not_honoured, (ONE,))
    yield Mutant("last-word-wins", "20", "A late event overwrites an order that has ended.", flow.the_last_word_wins,
                 ("a settled order never changes",))
    yield Mutant("advance-whatever-was", "20a", "The orchestrator passes answers on after the order has ended.",
                 flow.advance_whatever_was, (QUIET,), modes=CENTRAL,
                 harmless="the order's row and the tombstones behind it refuse what comes too late")
    yield Mutant("undone-twice", "21", "Whoever asks again for an undo has it done again.", flow.undone_again_and_again,
                 (MONEY, GOODS))
    yield Mutant("undone-twice-no-inbox", "21a", "An undo that comes twice is done twice.", flow.undone_again_and_again,
                 (MONEY, GOODS), without=INBOX, faults=TWICE, rate=40)
    yield Mutant("timeout-is-a-failure", "22", "No answer in time counts as a refusal, and nothing is undone.",
                 rpc.a_timeout_is_a_failure, (ALL_FOUR,), modes=("rpc",))
    yield Mutant("no-tombstone", "23", "An undo that comes first leaves nothing behind.", flow.no_tombstone, (ALL_FOUR,))
    yield Mutant("no-tombstone-no-inbox", "23a", "An undo that comes first leaves nothing behind.", flow.no_tombstone,
                 (ALL_FOUR,), without=INBOX)
    yield Mutant("questions-heard-once", "24", "A question that was heard before gets no answer.",
                 rpc.questions_are_heard_once, (QUIET,), modes=("rpc",))
    yield Mutant("refused-though-done", "24a", "A question that was answered with yes is answered with no.",
                 flow.refused_though_done, (ALL_FOUR,))
    yield Mutant("yes-to-what-was-undone", "24b", "A late request for an undone step is answered with yes.",
                 flow.yes_to_what_was_undone, (ACROSS,),
                 harmless="every later step has its own row by then, or a tombstone, and refuses")
    yield Mutant("answers-in-order", "25", "An answer belongs to the oldest question, whatever its correlation id.",
                 rpc.answers_in_order, (QUIET,), modes=("rpc",))
    yield Mutant("question-stays-open", "25a", "An answer does not close its question.",
                 rpc.the_question_stays_open, (QUIET,), modes=("rpc",))
    yield Mutant("question-done-when-asked", "25b", "A question is done when it is asked, not when it is answered.",
                 rpc.a_question_is_done_when_asked, (QUIET,), modes=("rpc",))
    yield Mutant("asked-anew", "26", "A commit nobody knows of is tried again as another order.",
                 rpc.asked_anew_after_an_unknown_commit, (ONE,), faults=("commit unknown",), rate=60)
    yield Mutant("queue-of-the-connection", "27", "A fanout queue goes with its consumer.",
                 messages.queues_of_the_connection, (QUIET,), modes=("fanout",))
    yield Mutant("typo-in-a-key", "28", "A key that no binding knows.", flow.typo_in_a_key, (QUIET,), modes=("topic",))
    yield Mutant("typo-and-no-mandatory", "28a", "A key that no binding knows, and nobody is told.",
                 together(flow.typo_in_a_key, messages.no_mandatory), (ALL_FOUR,), modes=("topic",))
    yield Mutant("deadlock-is-poison", "30", "A deadlock is taken for a message that can never be handled.",
                 messages.a_deadlock_is_poison, (PARKED, "no thread dies"), faults=("deadlock",))
    yield Mutant("deadlines-in-memory", "32", "Deadlines are kept in the memory of whoever took the order.",
                 flow.deadlines_in_memory, ("deadlines are kept",), day=the_carrier_is_away)
    yield Mutant("nobody-sweeps", "32a", "Nobody looks for orders whose deadline is over.", flow.nobody_sweeps,
                 ("deadlines are kept",), day=the_carrier_is_away)
    yield Mutant("one-id-for-all-hearers", "33", "A message has one id, however many addresses it goes to.",
                 messages.one_id_for_all_hearers, (QUIET,), modes=("rpc", "default", "saga"))
    yield Mutant("deaf-after-a-reconnect", "34", "A connection that came back consumes nothing.",
                 messages.deaf_after_a_reconnect, (QUIET,))
    yield Mutant("refused-by-a-wrong-clock", "35", "A step is refused by the clock of whoever does it.",
                 flow.refused_by_a_wrong_clock, (ALL_FOUR,), modes=("rpc",), faults=("publish lost",), rate=40)
    yield Mutant("key-before-the-order", "36", "The key's row is committed before the rest of the order.",
                 flow.key_before_the_order, (SAID,), faults=("crash", "database away"), rate=40)


MUTANTS: dict[str, Mutant] = {mutant.name: mutant for mutant in _all()}
