import pytest

from messagehub.mms.statuses import MEANINGS, STATUSES, Action, Fate, Status, mm_status, status


@pytest.mark.parametrize(
    ("code", "action"),
    [
        (1000, Action.OK),
        (1100, Action.PARTIAL),
        (1001, Action.OK),
        (2002, Action.PERMANENT),
        (2571, Action.PERMANENT),
        (3000, Action.RETRY),
        (3999, Action.RETRY),
        (4000, Action.RETRY),
        (4005, Action.RETRY),
        (4006, Action.RETRY),
        (4001, Action.OURS),
        (4999, Action.RETRY),
        (0, Action.RETRY),
        (200, Action.RETRY),
        (6102, Action.RETRY),
        (99999, Action.RETRY),
    ],
)
def test_every_code_says_what_to_do(code: int, action: Action) -> None:
    row = status(code)
    assert (row.code, row.action) == (code, action)


def test_codes_of_an_mmscs_own_are_told_from_codes_that_nobody_knows() -> None:
    assert status(2571).words == "Client error (a code of the MMSC's own)"
    assert status(2100).words == "Client error (a code that MM7 does not know)"
    assert status(6500).words == "Server error (a code that MM7 does not know)"


def test_rows_of_a_carrier_count_before_the_standards() -> None:
    own = {2571: Status(2571, "Too many", Action.RETRY), 2002: Status(2002, "Barred", Action.REROUTE)}
    assert status(2571, own).action is Action.RETRY
    assert status(2002, own).words == "Barred"
    assert status(2003, own) is STATUSES[2003]


def test_every_action_has_a_meaning() -> None:
    assert MEANINGS.keys() == set(Action)


@pytest.mark.parametrize(
    ("name", "fate"),
    [
        ("Retrieved", Fate.DELIVERED),
        ("retrieved ", Fate.DELIVERED),
        ("Delivered", Fate.DELIVERED),
        ("Expired", Fate.FAILED),
        ("Unreachable", Fate.FAILED),
        ("Unrecognized", Fate.FAILED),
        ("Forwarded", Fate.UNDER_WAY),
        ("Deferred", Fate.UNDER_WAY),
        ("Indeterminate", Fate.UNKNOWN),
        ("Vanished", Fate.UNKNOWN),
    ],
)
def test_a_status_of_a_message_says_what_became_of_it(name: str, fate: Fate) -> None:
    assert mm_status(name).fate is fate
