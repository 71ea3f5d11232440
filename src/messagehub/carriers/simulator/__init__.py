"""A carrier in a box: an SMSC on real sockets, for `messagehub dev`, for tests and for benchmarks.

It does to a message what the last four digits of its destination say (`behaviours`).
"""

from messagehub.carriers.simulator.behaviours import BEHAVIOURS
from messagehub.carriers.simulator.options import Options, Ports
from messagehub.carriers.simulator.run import run

__all__ = ["BEHAVIOURS", "Options", "Ports", "run"]
