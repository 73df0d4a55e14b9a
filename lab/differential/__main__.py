"""``python -m lab.differential PROGRAM``: run one program on a RabbitMQ and on the model, and tell where they differ."""

from __future__ import annotations

import sys

from lab.differential.real import RealSide
from lab.differential.run import Different
from lab.differential.search import Search, compare
from lab.differential.text import program_of
from lab.servers import PrivateRabbitMQ


def main(text: str) -> int:
    """Exit status 1 when they differ."""
    program = program_of(text)
    with PrivateRabbitMQ(fsync=False) as server:
        real = RealSide(server.url(server.fresh_vhost()))
        try:
            compare(real, program, Search())
        except Different as difference:
            print(difference)
            return 1
        finally:
            real.close()
    print("What RabbitMQ did is among what the model allows.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
