"""The grammar: how messages travel.  It knows no service; take what you need into your own.

::

    The words            message (a message), envelope (around it), address (where to), shop, place_order (this shop's)
    The sentence         wiring (what a service hears and says), checks (is it closed?), flow (draw it)
    Safe delivery        listener (hear, do, say: start here), inbox, outbox, journal, relay, retry, step (do it once),
                         amounts (money and goods), together (handlers side by side)
    Speaking, hearing    voice, hearing, rpc, link (a connection that is kept), topology, messenger (by hand)
    The broker           amqp (the port), connection* (RabbitMQ through pika), broker (embedded), transport (which)
    The database         database (transactions), engine, sql, many, journal (inbox and outbox tables)
    A service            service, serve, settings, logs, errors
    Over HTTP            web (the app), web_bodies, web_problems, web_openapi, strict_json, pages
    The outside world    gateway (simulated)
"""

from patterns.address import Direct, Fanout, Queue, Rpc, Topic
from patterns.database import Database, Session, now
from patterns.errors import Conflict, NotFound, OrderflowError
from patterns.journal import keep_journal
from patterns.message import Message
from patterns.messenger import Messenger
from patterns.service import Service
from patterns.step import insert_once, step_table
from patterns.web import Router, create_app
from patterns.wiring import Wiring, Wirings

# What a service needs, of ours or of your own.  Everything else is imported from its module, `patterns.serve` too.
__all__ = [  # noqa: RUF022 (sorted by what they are for)
    # the words: what is said, and where to
    "Message", "Direct", "Fanout", "Queue", "Rpc", "Topic",
    # the sentence: what a service hears and says, in each mode
    "Wiring", "Wirings",
    # a handler's tools
    "Session", "insert_once", "now", "step_table",
    # the service, its tables and its HTTP side
    "Database", "Router", "Service", "create_app", "keep_journal",
    # by hand, from a shell
    "Messenger",
    # errors: the first is the root of all; the others are 409 and 404 over HTTP
    "OrderflowError", "Conflict", "NotFound",
]
