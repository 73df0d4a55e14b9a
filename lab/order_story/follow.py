"""Place an order, and look again and again until its story is told."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from threading import Event

from lab.order_story.shop import RunningShop, Wish
from lab.order_story.story import Story

LOOK_SECONDS = 0.1

Watch = Callable[[Story], None]


def follow(shop: RunningShop, wish: Wish, seconds: float, watch: Watch = lambda _: None) -> Story:
    """Place this order and follow it to the end of its story, at most so many seconds; ``watch`` sees every stage.

    Raises ShopAway or NotPlaced when there is nothing to follow.
    """
    until, pause = time.monotonic() + seconds, Event()
    with ThreadPoolExecutor(1, "client") as clients:
        # In mode rpc the answer comes last of all, so the client waits for it in a thread of its own.
        placing = clients.submit(shop.place, wish)
        while True:
            wait([placing], LOOK_SECONDS)
            answer = placing.result() if placing.done() else None
            story = shop.read(wish.order_id, answer)
            watch(story)
            if not story.to_come or time.monotonic() > until:
                return story
            if placing.done():
                pause.wait(LOOK_SECONDS)  # the services are other processes, which tell nobody here
