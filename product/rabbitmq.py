"""The product service on RabbitMQ: the names it owns, and helpers that speak as it.

How a message travels is written once, in :mod:`patterns`; here stands only what is true of this service.
"""

from patterns.address import Fanout, Queue, Rpc
from patterns.messenger import Messenger

messenger = Messenger("product")

# Default exchange: the queue's name is the address; one of its readers gets each message.
RESERVE, RELEASE, SELL = Queue("product.reserve"), Queue("product.release"), Queue("product.sell")
publish_default, consume_default = messenger.publish_default, messenger.consume_default

# Fanout: what we say there, everyone hears.
EX_PRODUCT = Fanout("EX_PRODUCT")
publish_fanout, consume_fanout = messenger.publish_fanout, messenger.consume_fanout

# Topic, and direct and saga likewise: the routing key says what happened.
publish_topic, consume_topic = messenger.publish_topic, messenger.consume_topic

# RPC: asked by the order service, answered here; selling is only announced.
RPC_UPDATE, RPC_RELEASE, RPC_SELL = Rpc("product_stock_update"), Rpc("product_stock_release"), Queue("product_stock_sell")
publish_rpc, consume_rpc = messenger.publish_rpc, messenger.consume_rpc
