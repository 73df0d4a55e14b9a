"""The order service on RabbitMQ: the names it owns, and helpers that speak as it.

How a message travels is written once, in :mod:`patterns`; here stands only what is true of this service.
"""

from patterns.address import Fanout, Queue, Rpc
from patterns.messenger import Messenger

messenger = Messenger("order")

# Default exchange: the queue's name is the address.  CREATE is the front door for clients who send messages.
CREATE, UPDATE = Queue("order.create"), Queue("order.update")
publish_default, consume_default = messenger.publish_default, messenger.consume_default

# Fanout: what we say there, everyone hears.
EX_ORDER = Fanout("EX_ORDER")
publish_fanout, consume_fanout = messenger.publish_fanout, messenger.consume_fanout

# Topic, and direct and saga likewise: the routing key says what happened.
publish_topic, consume_topic = messenger.publish_topic, messenger.consume_topic

# RPC: here we ask; the two front doors are where clients ask us.
RPC_CREATE, RPC_CANCEL = Rpc("order_create"), Rpc("order_status_update")
publish_rpc, consume_rpc = messenger.publish_rpc, messenger.consume_rpc
