import pytest

from messagehub.smpp.statuses import MEANINGS, NUMBERS, STATUSES, Action, Status, status

STATUS = [
    (0x00, "ESME_ROK", Action.OK),
    (0x58, "ESME_RTHROTTLED", Action.SLOW_BIND),
    (0x08, "ESME_RSYSERR", Action.RETRY),
    (0x0B, "ESME_RINVDSTADR", Action.PERMANENT),
    (0x0E, "ESME_RINVPASWD", Action.SESSION),
    (0x66, "ESME_RX_R_APPN", Action.REROUTE),
    (0xC3, "ESME_RMISSINGOPTPARAM", Action.OURS),
    (0x112, "ESME_RINVBCASTCHANIND", Action.PERMANENT),
    (0x400, "0x00000400", Action.PERMANENT),
    (0x4FF, "0x000004ff", Action.PERMANENT),
    (0x200, "0x00000200", Action.PERMANENT),
    (0xFFFFFFFF, "0xffffffff", Action.PERMANENT),
]


@pytest.mark.parametrize(("number", "name", "action"), STATUS)
def test_a_status_says_what_to_do(number: int, name: str, action: Action) -> None:
    assert (status(number).name, status(number).action) == (name, action)


def test_status_names_are_unique() -> None:
    assert len(NUMBERS) == len(STATUSES)
    assert MEANINGS.keys() == set(Action)


def test_a_carrier_has_statuses_of_its_own() -> None:
    ours = Status(0x455, "NO_CREDIT", "No credit left", Action.OURS)
    assert status(0x455, {0x455: ours}) is ours
    assert status(0x456, {0x455: ours}).words == "A status of the vendor's own"
    assert status(0x58, {0x58: ours}) is ours
