"""What a process does about itself, before it serves and once it does."""

import gc
import logging
import resource

log = logging.getLogger(__name__)

OTHER_FILES = 200
"""Files that are open besides connections: the store, carriers."""


def make_room(callers: int, outside: int) -> None:
    """As many open files as so many connections need, here and in the processes that are started from here, where the
    system lets us have them. Those to the `outside` are to take no place of a caller."""
    needed = callers + OTHER_FILES
    wanted = needed + outside
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
    if hard < needed:
        log.warning("MESSAGEHUB_MAX_CONNECTIONS is %d, but the system allows %d open files", callers, hard)


def spare_the_collector() -> None:
    """What is there by now stays for ever, and a message that is accepted leaves no cycles: looking can wait for more.

    The messages under way of a busy moment are fewer objects than that, so they are hardly ever looked through.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
