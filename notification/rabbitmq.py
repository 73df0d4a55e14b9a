"""The notification service on RabbitMQ: the names it owns, and helpers that speak as it.

How a message travels is written once, in :mod:`patterns`; here stands only what is true of this service.
"""

from patterns.address import Queue
from patterns.messenger import Messenger

messenger = Messenger("notification")

# Default exchange: the queue's name is the address; one of its readers gets each message.
NOTIFY = Queue("notification.notify")
publish_default, consume_default = messenger.publish_default, messenger.consume_default

# Fanout: we only listen; EX_ORDER and EX_PAYMENT belong to others.
publish_fanout, consume_fanout = messenger.publish_fanout, messenger.consume_fanout

# Topic, and direct and saga likewise: the routing key says what happened.
publish_topic, consume_topic = messenger.publish_topic, messenger.consume_topic

# RPC: nobody waits for a notification, so in mode rpc it is only announced.
RPC_NOTIFY = Queue("notification_notify")
publish_rpc, consume_rpc = messenger.publish_rpc, messenger.consume_rpc
