"""Break the shop in every way we know, as often as asked, and count: ``orderflow verify``.

::

    asked (mode, seed, size) ──> tier ──> tally (runs, faults by kind and place, violations, what was hardly seen)

Each tier breaks another layer: ``simulation`` the whole shop in one thread, ``broker`` the embedded broker against
RabbitMQ, ``database`` transactions in PostgreSQL, ``processes`` real processes and servers, ``mutants`` our own defences.
"""
