"""python -m messagehub.front LINK LISTENER DOOR PARENT: how an engine starts its front."""

import sys

import uvloop

from messagehub.front.child import main

uvloop.run(main(*map(int, sys.argv[1:])))
