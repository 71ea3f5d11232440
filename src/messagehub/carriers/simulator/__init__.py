"""A carrier in a box: an SMSC on real sockets, for `messagehub dev`, for tests and for benchmarks.

What it does to a message stands in rules (`scenario`): those of a file, and those of the magic numbers (`magic`).

    scenario  ids                   the format, and how ids are written
    rules  course                   which rule is for a request, and the rule made ready to be played
    smsc  outbox  later  record     the message centre
    player  receipts  handset       what a rule can ask of it
    wrong  session                  and what no message centre should do
    control  run  options           the program
"""

from messagehub.carriers.simulator.options import Options, Ports
from messagehub.carriers.simulator.run import run
from messagehub.carriers.simulator.scenario import Rule, ScenarioError, load

__all__ = ["Options", "Ports", "Rule", "ScenarioError", "load", "run"]
