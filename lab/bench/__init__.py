"""The benchmark: what an order costs in each mode, beside a bare program that does the same work, in the same run.

::

    one RabbitMQ, one PostgreSQL ──> ours   six processes  ┐  never both at once: who is not measured is stopped (SIGSTOP)
                                 ──> bare   six processes  ┘  A B A B …: medians, and the ratio of each pair

Nothing is switched off for it: durable messages, confirms, ``synchronous_commit``, ``fsync``; and after each measurement
every order must be a success, and the audit clean, in both.
"""
