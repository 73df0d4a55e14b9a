"""The grammar: how messages travel.  It knows no service; take what you need into your own.

::

    The words            message (a message), envelope (around it), address (where to), shop, place_order (this shop's)
    The sentence         wiring (what a service hears and says), checks (is it closed?), flow (draw it)
    Safe delivery        listener (hear, do, say: start here), inbox, outbox, journal, relay, retry, step (do it once)
    Speaking, hearing    voice, hearing, rpc, link (a connection that is kept), topology, messenger (by hand)
    The broker           amqp (the port), connection* (RabbitMQ through pika), broker (embedded), transport (which)
    The database         database (transactions), engine, sql, journal (inbox and outbox tables)
    A service            service, serve, settings, logs, errors
    Over HTTP            web (the app), web_bodies, web_problems, web_openapi, strict_json, pages
    The outside world    gateway (simulated)
"""
