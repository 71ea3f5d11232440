"""How work is done that nobody waits for: loops that live on, schedules of retries, leases of nodes."""
