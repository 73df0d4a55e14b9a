"""``python -m lab.bench.bare SERVICE SHAPE``: one role; RABBITMQ_URL, DATABASE_URL and ORDER_PORT as ours has them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from lab.bench.bare.journal import Journal
from lab.bench.bare.line import Line


def main(service: str, shape_file: str) -> None:
    """Serve one role until the process is killed."""
    shape = json.loads(Path(shape_file).read_text(encoding="utf-8"))
    rabbitmq_url, database_url = os.environ["RABBITMQ_URL"], os.environ["DATABASE_URL"].replace("{service}", service)
    journal = Journal(service, shape, database_url)
    ears = Line(service, rabbitmq_url, shape["batch_size"], journal.queues, journal.handle, journal.sent)
    ears.start()
    ears.opened.wait()
    if service == "order":
        from lab.bench.bare.door import open_door

        open_door(shape, rabbitmq_url, database_url, int(os.environ["ORDER_PORT"]))
    ears.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
