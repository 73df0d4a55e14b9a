"""Parked messages of all services: list them, explain one, send them back, throw one away.

::

    orderflow parked ──HTTP──> /parked of each service ──> its parked queue         any broker, no password
                     └─────────── the broker itself ─────> its parked queue         where a service does not answer

The second way is taken with RABBITMQ_URL, and for an embedded shop that is closed; both do the same
(:class:`patterns.parked.ParkedQueue`).
"""

from lab.parked.advice import advice
from lab.parked.find import Dealt, Found, List, deal_with, explain, find_all, list_all
from lab.parked.reach import Access, Reach

__all__ = ["Access", "Dealt", "Found", "List", "Reach", "advice", "deal_with", "explain", "find_all", "list_all"]
