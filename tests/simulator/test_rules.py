"""Which rule is for a request: the first that fits, by what it matches and by what it counts."""

import pytest

from messagehub.carriers.simulator.rules import Rules
from messagehub.carriers.simulator.scenario import When
from messagehub.smpp import PDU, pack_tlvs

ONE = "442079460001"


def submit(destination: str = ONE, source: str = "15551234567", octets: bytes = b"", part: int = 0) -> PDU:
    fields = {"destination_addr": destination, "source_addr": source, "esm_class": 0x40 if octets else 0}
    return PDU(
        "submit_sm", 1, 0, {**fields, "short_message": octets}, pack_tlvs({"sar_segment_seqnum": part}) if part else {}
    )


MATCHES = [
    (When(), submit(), True),
    (When(to=f"+{ONE}"), submit(), True),
    (When(to=ONE), submit(f"+{ONE}"), True),
    (When(to=ONE), submit(ONE + "1"), False),
    (When(to_prefix="+4420"), submit(), True),
    (When(to_prefix="4421"), submit(), False),
    (When(to_suffix="0001"), submit(), True),
    (When(to_suffix="0001"), submit("1"), False),
    (When(to_suffix="0001", to_prefix="4420"), submit(), True),
    (When(to_suffix="0001", to_prefix="1"), submit(), False),
    (When(to=ONE, to_suffix="2"), submit(), False),
    (When(source="+15551234567"), submit(), True),
    (When(source="Shop"), submit(), False),
    (When(system_id="me"), submit(), True),
    (When(system_id="you"), submit(), False),
    (When(part=2), submit(octets=b"\5\0\3\7\3\2text"), True),
    (When(part=2), submit(octets=b"\5\0\3\7\3\1text"), False),
    (When(part=2), submit(octets=b"\xfftext"), False),
    (When(part=2), submit(part=2), True),
    (When(part=2), submit(), False),
]


@pytest.mark.parametrize(("when", "request_", "fits"), MATCHES)
def test_what_a_rule_is_for(when: When, request_: PDU, fits: bool) -> None:
    assert (Rules([(when, "it")]).of("bind", "me", request_) == "it") is fits


def test_the_first_that_fits_is_played_however_it_is_found() -> None:
    whens = [When(to_suffix="99"), When(to_prefix="44", nth=1), When(to_suffix="01"), When(), When(to=ONE)]
    rules = Rules([(when, n) for n, when in enumerate(whens)])
    found = [rules.of("bind", "me", submit(to)) for to in ("4499", ONE, ONE, "4402", "3")]
    assert found == [0, 1, 2, 3, 3]


COUNTS = [
    (When(nth=3), "..x......"),
    (When(first=2), "xx......."),
    (When(every=3), "..x..x..x"),
    (When(every=2, first=5), ".x.x....."),
    (When(first=1, per="destination"), "xxx......"),
    (When(first=1, per="bind"), "x..x..x.."),
]


@pytest.mark.parametrize(("when", "played"), COUNTS)
def test_what_a_rule_counts(when: When, played: str) -> None:
    """Nine submits to three numbers in turn, three by each of three binds."""
    rules = Rules([(when, "x")])
    asked = [(f"bind {n // 3}", submit(f"44{n % 3}")) for n in range(9)]
    assert "".join(rules.of(bind, "me", request) or "." for bind, request in asked) == played


def test_only_what_all_else_fits_is_counted() -> None:
    rules = Rules([(When(to_suffix="1", nth=2), "x")])
    assert [rules.of("bind", "me", submit(to)) for to in ("1", "2", "1")] == [None, None, "x"]


def test_those_that_are_too_many_in_a_second() -> None:
    now = [0.0]
    rules = Rules([(When(faster_than=10), "x")], lambda: now[0])

    def let_through(count: int, seconds: float) -> int:
        passed = 0
        for _ in range(count):
            passed += rules.of("bind", "me", submit()) is None
            now[0] += seconds / count
        return passed

    assert let_through(50, 0.5) == 10 + 4
    assert let_through(50, 5) in (49, 50, 51)  # of fractions that are no binary ones
    assert let_through(1000, 10) in range(100, 112)


def test_a_bind_has_no_destination() -> None:
    request = PDU("bind_transceiver", 1, 0, {"system_id": "me"})
    assert Rules([(When(first=1), "x")]).of("bind", "me", request) == "x"
