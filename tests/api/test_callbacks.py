"""How much of what carriers ask of us is here at the same time."""

import pytest

from messagehub.api.callbacks import Share
from messagehub.errors import Refusal


def test_nobody_takes_all() -> None:
    share = Share(10, 6)
    with share.of("a") as take_a, share.of("b") as take_b:
        take_a(6)
        with pytest.raises(Refusal, match="at the same time"):
            take_a(1)
        take_b(4)
        with pytest.raises(Refusal):
            take_b(1)
    with share.of("b") as take_b:
        take_b(6)


def test_what_was_refused_takes_nothing() -> None:
    share = Share(10, 6)
    for _ in range(3):
        with share.of("a") as take:
            take(5)
            with pytest.raises(Refusal):
                take(5)
    with share.of("a") as take:
        take(6)
