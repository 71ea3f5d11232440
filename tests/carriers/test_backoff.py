"""How long a bind waits, by what went wrong."""

from hypothesis import given
from hypothesis import strategies as st

from messagehub.carriers.backoff import JITTER, PAUSES, Backoff, Trouble

TROUBLES = st.sampled_from(list(Trouble))
CHANCES = st.floats(0, 1, exclude_max=True)


@given(trouble=TROUBLES, chances=st.lists(CHANCES, min_size=1, max_size=20))
def test_pauses_grow_to_their_last_and_vary(trouble: Trouble, chances: list[float]) -> None:
    backoff, pauses = Backoff(), PAUSES[trouble]
    for n, chance in enumerate(chances):
        usual = pauses[min(n, len(pauses) - 1)]
        assert (1 - JITTER) * usual <= backoff.fail(trouble, chance) <= (1 + JITTER) * usual
    backoff.forget()
    assert backoff.fail(trouble, 0.5) == pauses[0]


def test_wrong_credentials_are_said_every_five_minutes_at_most_and_each_hour_in_the_end() -> None:
    backoff = Backoff()
    pauses = [backoff.fail(Trouble.CREDENTIALS, 0.5) for _ in range(6)]
    assert pauses == [300, 600, 1200, 2400, 3600, 3600]


def test_each_kind_of_trouble_is_counted_apart() -> None:
    backoff = Backoff()
    for _ in range(3):
        backoff.fail(Trouble.CONNECTION, 0.5)
    assert backoff.fail(Trouble.OLD_SESSION, 0.5) == PAUSES[Trouble.OLD_SESSION][0]
