"""How fast messagehub is, from one end to the other: `python -m bench`.

A message is one POST, one submit to a carrier, one receipt half a second later, and one webhook. Each carries its own
number, which is compared at the three ends. All of it runs on this machine, over loopback sockets: the hub as it is
deployed, the simulator as the carrier, and one process of ours that is both the customer who sends and its endpoint.

`python -m bench webhooks` measures the last of these alone: to one fast endpoint, beside aiohttp on the same work.
"""
