"""Compare the modes: the same orders through each, and what it costs, how long it takes, and what the client sees.

::

    the same orders, ──> rpc      fresh databases, fresh broker ──┐  all services there: what a mode costs
    by the same seed ──> default  fresh databases, fresh broker ──┤  one service away for a while: what clients see
                     ──> …                                     ───┘  same balances, stock and statuses in the end?

Each shop runs in this process, as in ``orderflow run``: so commits can be counted where they are made, and every mode has
the same machine for itself.  Counts are those of any shop; times are those of one Python process on this machine.
"""

from lab.compare.course import compare
from lab.compare.files import report_files, write_pages
from lab.compare.plan import CompareTrouble, Plan
from lab.compare.screen import progress, show

__all__ = ["CompareTrouble", "Plan", "compare", "progress", "report_files", "show", "write_pages"]
