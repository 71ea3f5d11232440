"""HTTP in a process of its own: a second core for what would otherwise share one with the engine.

    callers  <-HTTP->  front: connections, limits  <-link->  engine: API, store, carriers
    webhooks <-HTTP->         the outgoing client

The front decides nothing and keeps nothing: no store, no key, no setting but its own. Whoever kills it
loses no message.
"""
