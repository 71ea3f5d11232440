"""What a process does about itself, once it serves."""

import gc


def spare_the_collector() -> None:
    """What is there by now stays for ever, and a message that is accepted leaves no cycles: looking can wait for more.

    The messages under way of a busy moment are fewer objects than that, so they are hardly ever looked through.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 20)
