"""The bare programs: the same work with nothing around it, to measure ours against.

Six roles, a process each, in bare pika and psycopg2 with plain dicts: the same queues, transactions, statements, rows and
messages as ours, the same guarantees (inbox and outbox in the transaction of the effect, confirms, ``mandatory``, ack after
the commit), no retries, no reconnecting, no checks of what comes in.  Nothing of ours is imported here: what is heard and
said where is read from a file made from the checked wirings (:mod:`lab.bench.shape`), so that it cannot drift.
"""
