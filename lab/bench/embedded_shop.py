"""``python -m lab.bench.embedded_shop``: the embedded shop, of which only ``order`` is open until its input says a line.

So a backlog can be accepted while nobody works on it.  Then the other five open.  At the next line it waits until all is
quiet and says in one line what is not as promised, an empty one if all is; it closes on Ctrl-C.
"""

from __future__ import annotations

import signal
import sys
import threading
from uuid import uuid4

from lab.audit import audit_when_quiet
from lab.bench.past import PRICE
from lab.bench.plan import CUSTOMERS, PRODUCTS
from lab.migrate import migrate
from lab.shop import app_of, know_all
from patterns.logs import configure_logs
from patterns.serve import Serving
from patterns.shop import SERVICES
from patterns.transport import transport, use

CENTS, PIECES = 10**12, 10**8
QUIET_SECONDS = 300


def main() -> None:
    """Open order, say so, open the rest when told, and stay until told to close."""
    configure_logs()
    know_all()
    transport()
    migrate(SERVICES, wait=0)
    _stock_up()
    closing = threading.Event()
    signal.signal(signal.SIGINT, lambda *_: closing.set())
    apps = {service: app_of(service) for service in SERVICES}  # to import them is no part of what is measured
    opened = [Serving({"order": apps.pop("order")})]
    opened[0].start()
    print("accepting", flush=True)
    try:
        sys.stdin.readline()
        opened.append(Serving(apps))
        opened[1].start()
        sys.stdin.readline()
        print(audit_when_quiet(QUIET_SECONDS).complaint, flush=True)
        while not closing.wait(1):
            pass
    finally:
        for serving in reversed(opened):
            serving.stop()
        use(None)


def _stock_up() -> None:
    from product import crud as products
    from product.database import database as product_database
    from user import crud as users
    from user.database import database as user_database

    for number in range(1, CUSTOMERS + 1):
        user_database.transact(users.create_user, f"Customer {number}", CENTS, uuid4())
    for number in range(1, PRODUCTS + 1):
        product_database.transact(products.create_product, f"Product {number}", PRICE, PIECES)


if __name__ == "__main__":
    main()
