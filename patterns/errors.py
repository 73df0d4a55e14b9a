"""Everything that can go wrong here, as one tree.

::

    OrderflowError
      SettingsError                a setting is missing or makes no sense
      ServerUnavailable            a server we need does not answer
        BrokerUnavailable          ... the broker
          ConnectionLost           ... any more: the connection broke
          ChannelClosed            ... on this channel: the broker closed it, with a code
        DatabaseUnavailable        ... the database
          GaveWay                  ... other transactions were in the way, again and again
          CommitUnknown            ... while committing: done or not, nobody knows
        GatewayUnavailable         ... the payment gateway
        NotAsked                   ... it did not the last times, so its breaker is open and it is not asked
      SchemaMismatch               the tables are not those of this code: older, or newer
      EmbeddedBrokerInUse          another process holds the embedded broker's folder
      PublishError                 a message did not reach a queue for certain
        Unroutable                 ... no queue is bound there
        Refused                    ... the broker said no (basic.nack)
        Unconfirmed                ... the broker did not say
      AnswerTimeout                asked, and not answered in time; the outcome is unknown
      Unreadable                   a message that can never be handled: it is parked
        KeyReused                  ... because its key belongs to another order
        Gone                       ... because what it names is deleted (410)
      WiringError                  the wiring contradicts itself
      PageError                    a page has no place for what is to be written there
      NotFound                     a client names something that does not exist (404)
      Conflict                     a client asks for what cannot be, as things stand (409)
"""

from __future__ import annotations


class OrderflowError(Exception):
    """Something in Orderflow went wrong."""


class SettingsError(OrderflowError):
    """A setting is missing or makes no sense; the message names the setting and its valid values."""


class ServerUnavailable(OrderflowError):
    """A server we need does not answer."""


class BrokerUnavailable(ServerUnavailable):
    """The broker does not answer.  Is RABBITMQ_URL right, and is RabbitMQ running?"""


class ConnectionLost(BrokerUnavailable):
    """The connection to the broker broke; whatever was not confirmed may or may not have arrived."""


class ChannelClosed(BrokerUnavailable):
    """The broker closed the channel.

    ``code`` is AMQP's reply code (404 not found, 405 resource locked, 406 precondition failed, ...).
    """

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"The broker closed the channel: {code} {text}")
        self.code, self.text = code, text


class DatabaseUnavailable(ServerUnavailable):
    """The database does not answer.  Is DATABASE_URL right, and is PostgreSQL running?"""


class GaveWay(DatabaseUnavailable):
    """Other transactions were in the way (deadlock, serialization failure), again and again; nothing was done."""


class CommitUnknown(DatabaseUnavailable):
    """The connection broke while committing: the work may be done or not; only an idempotent one may be repeated."""


class GatewayUnavailable(ServerUnavailable):
    """The payment gateway does not answer: neither yes nor no.  It is asked again later."""


class NotAsked(ServerUnavailable):
    """A server did not answer several times in a row, so it is left alone for BREAKER_SECONDS."""


class SchemaMismatch(OrderflowError):
    """The tables are not those that this code wants; the message says what to run."""


class EmbeddedBrokerInUse(OrderflowError):
    """Another process uses this ORDERFLOW_HOME's embedded broker; stop it, or choose another ORDERFLOW_HOME."""


class PublishError(OrderflowError):
    """A message did not reach a queue for certain."""


class Unroutable(PublishError):
    """No queue is bound there.  Is the service running, and was its topology declared (``orderflow topology``)?"""


class Refused(PublishError):
    """The broker refused the message (basic.nack); its queue may be full.  Try again later."""


class Unconfirmed(PublishError):
    """The broker did not confirm the message: it may have arrived or not.  Saying it again is safe: same message id."""


class AnswerTimeout(OrderflowError):
    """Nobody answered in time.  The request may have been handled or not: unknown, never failed."""


class Unreadable(OrderflowError):
    """This message can never be handled, so it is parked with this reason."""


class KeyReused(Unreadable):
    """This Idempotency-Key (or message id) was used for another order; choose a new one for a new order."""


class Gone(Unreadable):
    """What this names was there and is deleted."""


class WiringError(OrderflowError):
    """The wiring contradicts itself; the message says where."""


class PageError(OrderflowError):
    """A page has no place for what a program is to write there; the message says which markers it needs."""


class NotFound(OrderflowError):
    """A client names something that does not exist."""


class Conflict(OrderflowError):
    """A client asks for what cannot be, as things stand."""
