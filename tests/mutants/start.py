"""``orderflow`` without a defence, for processes of their own: ``python -m tests.mutants.start MUTANT serve order``."""

from __future__ import annotations

import sys

import pytest

from lab.faults.dying import be_mortal


def main() -> None:
    """Take the defence away for as long as this process lives; ``nothing`` takes nothing away."""
    from lab.cli import main as orderflow
    from tests.mutants.on_servers import ON_SERVERS

    name = sys.argv.pop(1)
    be_mortal()  # first: the places stay where they were, within what is patched now
    if name != "nothing":
        ON_SERVERS[name].patch(pytest.MonkeyPatch())
    orderflow()


if __name__ == "__main__":
    main()
