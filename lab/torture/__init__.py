"""Torture: orders under load while one process after another is killed; at the end everything is held to the promises.

::

    clients ──orders, the same key until there is an answer──> services <──kill -9, restart── nemesis
       │                                                          │
       └── history: every request, ok, failed or unknown          └── audit: every row of every database
                          └──────────── is what was told true? ──────────┘
"""

from lab.torture.course import torture
from lab.torture.kinds import kinds_of
from lab.torture.plan import Plan, TortureTrouble
from lab.torture.screen import progress, show

__all__ = ["Plan", "TortureTrouble", "kinds_of", "progress", "show", "torture"]
