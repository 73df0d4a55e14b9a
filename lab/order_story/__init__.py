"""One order's story: placed at a running shop over HTTP, and followed through every service as it happens.

::

    POST /orders ──> order             GET /messages?order_id=…  of each service: heard and said
                                       GET /orders/{id}, /orders/{id}/history: how it stands
    until nothing that was said is left unheard, and what failed is undone

Nothing but the public endpoints is asked, so the shop may be anybody's: embedded, in containers, on another machine.
"""

from lab.order_story.diagram import as_mermaid, as_text
from lab.order_story.follow import follow
from lab.order_story.shop import NotPlaced, RunningShop, ShopAway, Wish
from lab.order_story.story import Story
from lab.order_story.table import as_table

__all__ = ["NotPlaced", "RunningShop", "ShopAway", "Story", "Wish", "as_mermaid", "as_table", "as_text", "follow"]
