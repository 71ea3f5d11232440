"""A carrier in a box: an SMSC and an MMSC on real sockets, for `messagehub dev`, for tests and for benchmarks.

What it does to a message stands in rules (`scenario`): those of a file, and those of the magic numbers (`magic`).

    scenario  ids                   the format, and how ids are written
    rules  course                   which rule is for a request, and the rule made ready to be played
    smsc  outbox  later  record     the message centre
    mmsc  vasps  door               the MMS centre
    mms_course  mms_record  sample  a rule made ready for it, what it remembers, and a picture to send
    player  receipts  handset       what a rule can ask of it
    wrong  session                  and what no message centre should do
    control  listener  run  options the program
"""

from messagehub.carriers.simulator.options import Options, Ports, Vasp
from messagehub.carriers.simulator.run import run
from messagehub.carriers.simulator.scenario import Rule, ScenarioError, load

__all__ = ["Options", "Ports", "Rule", "ScenarioError", "Vasp", "load", "run"]
