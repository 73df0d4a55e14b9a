"""The commands of ``orderflow``, a module for each kind; :mod:`lab.cli` registers them, a line each.

A command reads its options, calls the part of the lab that does the work, and prints.  What only one command needs is
imported inside it, so that ``orderflow serve`` loads nothing it does not use.
"""

from rich.console import Console

console = Console()
