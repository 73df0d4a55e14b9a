"""``orderflow doctor``: is the shop's ground as its wiring and code expect it?

It asks a broker what it can be asked, tries out on queues of its own what must be seen to be believed, reads the
databases' catalogues, and changes nothing unless told to repair.
"""

from lab.doctor.examination import examine
from lab.doctor.findings import Deed, Finding, Report, Verdict

__all__ = ["Deed", "Finding", "Report", "Verdict", "examine"]
