"""The user service on RabbitMQ: the names it owns, and helpers that speak as it.

How a message travels is written once, in :mod:`patterns`; here stands only what is true of this service.
"""

from patterns.address import Fanout, Queue, Rpc
from patterns.messenger import Messenger

messenger = Messenger("user")

# Default exchange: the queue's name is the address; one of its readers gets each message.
HOLD, RELEASE, SPEND = Queue("user.hold"), Queue("user.release"), Queue("user.spend")
publish_default, consume_default = messenger.publish_default, messenger.consume_default

# Fanout: what we say there, everyone hears.
EX_USER = Fanout("EX_USER")
publish_fanout, consume_fanout = messenger.publish_fanout, messenger.consume_fanout

# Topic, and direct and saga likewise: the routing key says what happened.
publish_topic, consume_topic = messenger.publish_topic, messenger.consume_topic

# RPC: asked by the order service, answered here; spending is only announced.
RPC_CHECK, RPC_RELEASE, RPC_SPEND = Rpc("user_check"), Rpc("user_release"), Queue("user_spend")
publish_rpc, consume_rpc = messenger.publish_rpc, messenger.consume_rpc
