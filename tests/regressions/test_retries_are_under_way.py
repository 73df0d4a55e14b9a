"""A message that waits for its next try is under way: an audit that does not see it calls a running shop quiet."""

from __future__ import annotations

import pytest
from tenacity import Retrying, retry_if_result, stop_after_delay, wait_fixed

from lab.queues import queue_depths
from lab.shop import declare_topology
from patterns.amqp import Outgoing, Receipt
from patterns.settings import configure
from patterns.topology import retry_exchange
from patterns.transport import transport, use


@pytest.mark.real
def test_a_message_on_the_ladder_of_retries_is_counted(rabbitmq_url: str) -> None:
    configure(rabbitmq_url=rabbitmq_url)
    use(None)
    declare_topology()
    connection = transport().connect("test.retries")
    try:
        waiting = Outgoing(retry_exchange(25), "product.topic", b"{}")
        assert connection.channel().publish([waiting]) == [Receipt.CONFIRMED]
        seen = Retrying(stop=stop_after_delay(10), wait=wait_fixed(0.05), retry=retry_if_result(lambda depth: depth != 1))
        assert seen(lambda: queue_depths().get("orderflow.retry.25000")) == 1
    finally:
        connection.close()
        use(None)
