"""What a carrier's config says of its submits, as it stands on the wire; and what its answers and deliveries mean."""

from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec.structs import replace

from messagehub import clock
from messagehub.carriers import kinds, profile, translate
from messagehub.carriers.carrier import REASONS, Accepted, Handover, Inbound, Receipt, Refused
from messagehub.errors import Refusal
from messagehub.smpp import PDU, Driver, decode, encode, times
from messagehub.smpp.statuses import NUMBERS, STATUSES
from messagehub.smpp.tlvs import TAGS
from messagehub.text import cut
from tests.carriers.rig import SOMEBODY, SOURCE, Ours, centre
from tests.carriers.side import PATIENCE_S

USUAL = {"host": "h", "port": 1, "system_id": "me", "password": "secret"}


async def submitted(source: str = SOURCE, **given: Any) -> PDU:
    """The submit_sm that a message centre gets."""
    async with centre() as (peer, port), Ours(port, **given) as ours:
        await ours.bound()
        ours.send(source=source)
        await ours.heard(Accepted)
        return peer.submits[0][2]


async def test_fields_of_the_config_stand_in_each_submit() -> None:
    given: dict[str, Any] = {"service_type": "CMT", "protocol_id": 0x40, "priority_flag": 2, "registered_delivery": 17}
    sent = await submitted(**given, validity_period=93_784)
    assert {name: sent.fields[name] for name in given} == given
    assert sent.fields["validity_period"] == "000001020304000R"


async def test_without_them_a_receipt_is_asked_for_and_nothing_else() -> None:
    sent = await submitted()
    assert sent.fields["registered_delivery"] == 1
    assert [sent.fields[name] for name in ("service_type", "protocol_id", "validity_period")] == ["", 0, ""]
    assert sent.tlvs == {}


async def test_no_receipt_where_none_is_wanted() -> None:
    assert (await submitted(registered_delivery=0)).fields["registered_delivery"] == 0


async def test_tlvs_of_the_config_go_with_each_submit() -> None:
    tlvs = {
        "principal_entity": {"tag": 0x1400, "type": "cstring", "value": "1101234567890"},
        "operator": {"tag": 0x1411, "type": "uint16", "value": 28603},
        "flags": {"tag": 0x1500, "type": "octets", "value": "00ff10"},
        "class": {"tag": 0x0005, "type": "uint8", "value": 3},
        "ttl": {"tag": 0x0017, "type": "uint32", "value": 70_000},
    }
    assert (await submitted(tlvs=tlvs)).tlvs == {
        0x1400: b"1101234567890\0",
        0x1411: b"\x6f\xbb",
        0x1500: b"\x00\xff\x10",
        0x0005: b"\x03",
        0x0017: b"\x00\x01\x11\x70",
    }


ADDRESSES: list[tuple[str, dict[str, Any], tuple[int, int, str]]] = [
    ("+15551234567", {}, (1, 1, "15551234567")),
    ("+15551234567", {"international_prefix": "+"}, (1, 1, "+15551234567")),
    ("+15551234567", {"international_prefix": "00"}, (1, 1, "0015551234567")),
    ("+15551234567", {"source_ton": 0, "source_npi": 8}, (0, 8, "15551234567")),
    ("+15551234567", {"dest_ton": 0, "dest_npi": 8}, (1, 1, "15551234567")),
    ("12345", {}, (3, 0, "12345")),
    ("12345", {"source_ton": 6, "international_prefix": "+"}, (6, 0, "12345")),
    ("ACME", {}, (5, 0, "ACME")),
    ("ACME", {"source_ton": 1, "source_npi": 1, "international_prefix": "+"}, (5, 0, "ACME")),
]


@pytest.mark.parametrize(("source", "given", "expected"), ADDRESSES)
async def test_a_source_is_written_as_the_carrier_wants_it(
    source: str, given: dict[str, Any], expected: tuple[int, int, str]
) -> None:
    fields = (await submitted(source, **given)).fields
    assert (fields["source_addr_ton"], fields["source_addr_npi"], fields["source_addr"]) == expected


async def test_a_carrier_of_3_3_is_told_so_and_sent_no_tlvs() -> None:
    tlvs = {"x": {"tag": 0x1400, "type": "uint8", "value": 1}}
    async with centre() as (peer, port), Ours(port, interface_version="3.3", tlvs=tlvs) as ours:
        await ours.bound()
        ours.send()
        await ours.heard(Accepted)
    assert [pdu.fields["interface_version"] for pdu in peer.binds] == [0x33]
    assert [pdu.tlvs for _, _, pdu in peer.submits] == [{}]


async def test_what_the_carrier_is_to_keep_back_says_for_how_long() -> None:
    assert (await submitted(schedule=3600)).fields["schedule_delivery_time"] == "000000010000000R"


async def test_so_is_a_destination() -> None:
    fields = (await submitted(dest_ton=2, dest_npi=0, international_prefix="00")).fields
    written = (fields["dest_addr_ton"], fields["dest_addr_npi"], fields["destination_addr"])
    assert written == (2, 0, f"00{SOMEBODY[1:]}")


@pytest.mark.parametrize(
    ("seconds", "written"), [(90, "000000000130000R"), (86_399, "000000235959000R"), (2_592_000, "000030000000000R")]
)
async def test_a_validity_is_written_as_a_span(seconds: int, written: str) -> None:
    assert (await submitted(validity_period=seconds)).fields["validity_period"] == written


def seconds_left(written: object, begun: datetime) -> float:
    """How long it is good by what stands on the wire."""
    told = times.read(str(written))
    assert told
    return (told - begun if isinstance(told, datetime) else told).total_seconds()


@pytest.mark.parametrize("form", ["relative", "absolute"])
@pytest.mark.parametrize(
    ("of_config", "of_message", "least"), [(0, 90, 90), (60, 90, 60), (90, 60, 60), (60, None, 60)]
)
async def test_the_carrier_gives_up_with_the_message(
    form: str, of_config: int, of_message: int | None, least: int
) -> None:
    begun = datetime.now(UTC)
    config: dict[str, Any] = {"validity_form": form, "validity_period": of_config}
    expire_at = clock.now() + of_message * clock.SECOND if of_message else clock.NEVER
    async with centre() as (peer, port), Ours(port, **config) as ours:
        await ours.bound()
        ours.send(expire_at=expire_at)
        await ours.heard(Accepted)
        written = peer.submits[0][2].fields["validity_period"]
    assert written.endswith("R" if form == "relative" else "+")
    assert least - 2 <= seconds_left(written, begun) <= least + PATIENCE_S


async def test_what_is_good_for_longer_than_can_be_written_is_good_for_so_long() -> None:
    async with centre() as (peer, port), Ours(port) as ours:
        await ours.bound()
        ours.send(expire_at=clock.now() + 200 * 24 * 3600 * clock.SECOND)
        await ours.heard(Accepted)
        assert peer.submits[0][2].fields["validity_period"] == "000099235959000R"


async def test_what_cannot_be_written_does_not_keep_back_the_others() -> None:
    async with centre() as (peer, port), Ours(port, validity_form="absolute") as ours:
        await ours.bound()
        in_the_next_century = int(datetime(2101, 1, 1, tzinfo=UTC).timestamp()) * clock.SECOND
        bad = Handover(("bad", 0), "15551234567", "442079460001", cut("Hello", 0), expire_at=in_the_next_century)
        good = replace(bad, key=("good", 0), expire_at=clock.NEVER)
        ours.carrier.send([bad, good])
        (refused,) = await ours.heard(Refused)
        (accepted,) = await ours.heard(Accepted)
        assert (refused.key, refused.reason, accepted.key) == (bad.key, "unwritable", good.key)
        assert "2101" in refused.words
        assert len(peer.submits) == 1


async def test_what_waits_here_until_it_is_too_late_does_not_go() -> None:
    async with centre() as (peer, port), Ours(port, rate=1) as ours:
        await ours.bound()
        ours.send()
        late = ours.send(expire_at=clock.now() + clock.SECOND // 2)
        (refused,) = await ours.heard(Refused)
        assert (refused.key, REASONS[refused.reason].error_code) == (late, "expired")
        assert len(peer.submits) == 1


async def test_what_is_about_to_expire_has_a_second_yet() -> None:
    async with centre() as (peer, port), Ours(port) as ours:
        await ours.bound()
        ours.send(expire_at=clock.now() + clock.SECOND // 2)
        await ours.heard(Accepted)
        assert peer.submits[0][2].fields["validity_period"] == "000000000001000R"


# --- what a command_status means

MEANINGS = [  # the command_status, a word of the config, the reason
    ("0x0045", None, "refused_here"),
    ("0x0045", "retry", "unwell"),
    ("0x45", "permanent", "rejected"),
    ("0x00000045", "ours", "misconfigured"),
    ("0x0401", None, "rejected"),
    ("0x0401", "reroute", "refused_here"),
    ("0x0401", "throttle", "throttled"),
]


@pytest.mark.parametrize(("number", "word", "reason"), MEANINGS)
async def test_a_command_status_means_what_the_config_says(number: str, word: str | None, reason: str) -> None:
    async with centre() as (peer, port), Ours(port, statuses={number: word} if word else {}) as ours:

        def refuse(driver: Driver, pdu: PDU) -> None:
            driver.answer(pdu, int(number, 16))

        peer.on_submit = refuse
        await ours.bound()
        ours.send()
        (refused,) = await ours.heard(Refused)
        assert refused.reason == reason
        assert ours.carrier.status().throttled == (reason == "throttled")


async def test_a_target_that_fails_by_a_command_status_is_told_what_the_config_says() -> None:
    errors = {"0x0401": "blocked", "0xB": "opted_out"}
    async with centre() as (peer, port), Ours(port, errors=errors, statuses={"0x401": "reroute"}) as ours:
        answers = iter((0x401, 0x0B, 0x45))
        peer.on_submit = lambda driver, pdu: driver.answer(pdu, next(answers))
        await ours.bound()
        for _ in range(3):
            ours.send()
        told = [(one.reason, one.error_code) for one in await ours.heard(Refused, 3)]
        assert told == [("refused_here", "blocked"), ("invalid_number", "opted_out"), ("refused_here", "")]


CODES: list[tuple[dict[str, Any], str, bytes, str]] = [
    # the config, the text of the receipt from `stat`, its network_error_code, the error_code
    ({}, "UNDELIV err:001", b"", "undelivered"),
    ({}, "EXPIRED err:027", b"", "expired"),
    ({}, "UNDELIV err:001", b"\x03\x00\x1b", "unreachable"),  # the TLV counts, and says that it is of GSM
    ({}, "UNDELIV err:001", b"\x02\x00\x1b", "undelivered"),  # of IS-95
    ({}, "UNDELIV err:001", b"027", "undelivered"),  # of nobody knows what
    ({"err_numbering": "gsm"}, "UNDELIV err:027", b"", "unreachable"),
    ({"err_numbering": "gsm"}, "UNDELIV err:32", b"", "handset_full"),
    ({"err_numbering": "aggregator"}, "UNDELIV err:032", b"", "handset_busy"),
    ({"err_numbering": "aggregator"}, "EXPIRED err:00060", b"", "unreachable"),
    ({"err_numbering": "aggregator"}, "UNDELIV err:000", b"", "undelivered"),
    ({"err_numbering": "aggregator"}, "UNDELIV err:60b", b"", "undelivered"),
    ({"err_numbering": "aggregator"}, f"UNDELIV err:{'9' * 5000}", b"", "undelivered"),
    ({"errors": {"069": "blocked"}}, "UNDELIV err:69", b"", "blocked"),
    ({"errors": {"69": "blocked"}}, "REJECTD err:0069", b"", "blocked"),
    ({"errors": {"69": "blocked"}, "err_numbering": "gsm"}, "UNDELIV err:1", b"", "invalid_number"),
    ({"errors": {"1": "barred"}, "err_numbering": "gsm"}, "UNDELIV err:1", b"", "barred"),
    ({"errors": {"1": "barred"}}, "UNDELIV err:1", b"\x03\x00\x1b", "unreachable"),
    ({"errors": {"27": "barred"}}, "UNDELIV err:1", b"\x03\x00\x1b", "barred"),
    ({"errors": {"21B": "barred"}}, "UNDELIV err:21b", b"", "barred"),
    ({"errors": {"DND_REJECTED": "opted_out"}}, "DND_REJECTED err:5", b"", "opted_out"),
    ({"errors": {"0x69": "opted_out"}}, "UNDELIV err:69", b"", "undelivered"),  # that is a command_status
    ({"errors": {"69": "blocked"}}, "DELIVRD err:69", b"", "delivered"),
    ({"errors": {"69": "blocked"}}, "ENROUTE err:69", b"", "intermediate"),
]


@pytest.mark.parametrize(("given", "words", "network_error", "code"), CODES)
def test_why_a_receipt_says_that_it_failed(given: dict[str, Any], words: str, network_error: bytes, code: str) -> None:
    found = profile.of(kinds.parse("smpp", {**USUAL, **given}))
    tlvs = {TAGS["message_payload"]: f"id:1 stat:{words}".encode()}
    tlvs |= {TAGS["network_error_code"]: network_error} if network_error else {}
    came = translate.arrival(
        found, PDU("deliver_sm", 1, fields={**delivered().fields, "esm_class": 4}, tlvs=tlvs), None
    )
    assert isinstance(came, Receipt)
    assert came.state == code
    assert came.words.startswith(words.split()[0])
    assert len(came.words) <= 200


async def test_what_looks_like_a_receipt_is_one_unless_the_config_says_otherwise() -> None:
    text = b"id:1 sub:001 dlvrd:001 submit date:2611210000 done date:2611210001 stat:DELIVRD err:000 text:x"
    found_as: dict[bool, Receipt | Inbound] = {}
    for by_shape in (True, False):
        found = profile.of(kinds.parse("smpp", {**USUAL, "receipt_by_shape": by_shape}))
        found_as[by_shape] = translate.arrival(found, delivered(short_message=text), None)
        marked = translate.arrival(found, delivered(short_message=text, esm_class=4), None)
        assert isinstance(marked, Receipt)
        assert not marked.is_by_shape
    assert isinstance(found_as[False], Inbound)
    looks_like_one = found_as[True]
    assert isinstance(looks_like_one, Receipt)
    assert looks_like_one.is_by_shape


def test_another_carrier_may_take_what_this_one_does_not() -> None:
    """What a failover goes by."""
    rerouted = {name for name, reason in REASONS.items() if reason.reroute}
    ours, theirs = {"too_long", "unwritable", "not_ready", "unbound"}, {"throttled", "full", "unwell", "refused_here"}
    of_http = {"unreadable", "bad_credentials", "unreachable", "media_too_large", "media_refused"}
    assert rerouted == ours | theirs | of_http | {"invalid_source"}
    for name in ("ESME_RSUBMITFAIL", "ESME_RX_R_APPN", "ESME_RINVSRCADR", "ESME_RPROHIBITED", "ESME_RSYSERR"):
        assert profile.BY_RULE[NUMBERS[name]] in rerouted, name
    for name in ("ESME_RINVDSTADR", "ESME_RINVMSGLEN", "ESME_RINVDCS"):
        assert profile.BY_RULE[NUMBERS[name]] not in rerouted, name
    assert profile.BY_RULE.keys() == STATUSES.keys() - {0}


# --- in

INBOUND = [  # country, TON, on the wire, the number
    ("44", 2, "7911123456", "+447911123456"),
    ("44", 2, "07911123456", "+447911123456"),
    ("44", 0, "07911123456", "+447911123456"),
    ("44", 0, "447911123456", "+447911123456"),
    ("44", 0, "33612345678", "+33612345678"),
    ("44", 0, "0033612345678", "+33612345678"),
    ("44", 1, "33612345678", "+33612345678"),
    ("44", 0, "+447911123456", "+447911123456"),
    ("44", 0, "60777", "60777"),
    ("44", 2, "60777", "60777"),
    ("44", 5, "ACME", "ACME"),
    ("1", 0, "5551234567", "+15551234567"),
    ("1", 0, "15551234567", "+15551234567"),
    ("1", 2, "5551234567", "+15551234567"),
    ("1", 2, "12125551234", "+12125551234"),
    ("34", 0, "612345678", "+34612345678"),
    ("34", 0, "34612345678", "+34612345678"),
    ("34", 0, "51987654321", "+51987654321"),
    ("39", 0, "0612345678", "+390612345678"),
    ("39", 2, "0612345678", "+390612345678"),
    ("39", 0, "3331234567", "+393331234567"),
    ("39", 0, "33612345678", "+33612345678"),
    ("225", 2, "0707123456", "+2250707123456"),
    ("241", 2, "06031234", "+24106031234"),
    ("242", 0, "066543210", "+242066543210"),
    ("7", 2, "89161234567", "+79161234567"),
    ("7", 0, "9161234567", "+79161234567"),
    ("36", 2, "06201234567", "+36201234567"),
    ("48", 0, "512345678", "+48512345678"),
    ("45", 0, "20123456", "+4520123456"),
    ("49", 0, "33612345678", "+33612345678"),
    ("49", 0, "1701234567", "+491701234567"),
    ("1", 0, "4792345678", "+14792345678"),
    ("1", 0, "4652345678", "+14652345678"),
    ("999", 2, "07911123456", "+9997911123456"),
    ("", 2, "07911123456", "07911123456"),
    ("", 0, "07911123456", "07911123456"),
]


def delivered(**fields: Any) -> PDU:
    return decode(encode(PDU("deliver_sm", 1, fields=fields)))


@pytest.mark.parametrize(("country", "ton", "digits", "number"), INBOUND)
def test_national_numbers_get_the_country_of_the_carrier(country: str, ton: int, digits: str, number: str) -> None:
    found = profile.of(kinds.parse("smpp", {**USUAL, "default_country": country}))
    came = translate.arrival(found, delivered(source_addr_ton=ton, source_addr=digits, destination_addr="12345"), None)
    assert isinstance(came, Inbound)
    assert (came.source, came.destination) == (number, "12345")


@pytest.mark.parametrize(("swapped", "recipient"), [(False, "+442079461234"), (True, "+15551234567")])
def test_a_receipt_names_its_recipient_where_the_config_says(swapped: bool, recipient: str) -> None:
    found = profile.of(kinds.parse("smpp", {**USUAL, "receipt_swapped": swapped}))
    addresses = {"source_addr": "442079461234", "destination_addr": "15551234567"}
    came = translate.arrival(
        found, delivered(esm_class=4, short_message=b"id:1 stat:DELIVRD err:000", **addresses), None
    )
    assert isinstance(came, Receipt)
    assert came.destination == recipient


# --- what cannot be is refused when it is written

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"tlvs": {"x": {"tag": 5120, "type": "uint8", "value": 256}}}, "config.tlvs[]: 256 is no uint8"),
    ({"tlvs": {"x": {"tag": 5120, "type": "uint8", "value": -1}}}, "config.tlvs[]: -1 is no uint8"),
    ({"tlvs": {"x": {"tag": 5120, "type": "uint8", "value": "1"}}}, "config.tlvs[]: '1' is no uint8"),
    ({"tlvs": {"x": {"tag": 5120, "type": "cstring", "value": 1}}}, "config.tlvs[]: 1 is no cstring"),
    ({"tlvs": {"x": {"tag": 5120, "type": "cstring", "value": "a\0b"}}}, "config.tlvs[]: 'a\\x00b' is no cstring"),
    ({"tlvs": {"x": {"tag": 5120, "type": "cstring", "value": "Ж"}}}, "config.tlvs[]: 'Ж' is no cstring"),
    ({"tlvs": {"x": {"tag": 5120, "type": "octets", "value": "abc"}}}, "config.tlvs[]: 'abc' is no octets"),
    ({"tlvs": {"x": {"tag": 0x0424, "type": "octets", "value": ""}}}, "config.tlvs[]: tag 1060 is written by"),
    ({"tlvs": {"x": {"tag": 0, "type": "octets", "value": ""}}}, "config.tlvs[].tag: "),
    ({"tlvs": {"x": {"tag": 5120, "type": "float", "value": 1}}}, "config.tlvs[].type: "),
    ({"tlvs": {"X y": {"tag": 5120, "type": "uint8", "value": 1}}}, "config.tlvs: "),
    (
        {"tlvs": {name: {"tag": 5120, "type": "uint8", "value": 1} for name in "xy"}},
        "config: two of the tlvs have the same tag",
    ),
    ({"statuses": {"69": "retry"}}, "config.statuses: "),
    ({"statuses": {"0x45": "again"}}, "config.statuses[]: "),
    ({"statuses": {"0x45": "retry", "0x0045": "reroute"}}, "config: statuses: '0x45' and '0x0045' are the same"),
    ({"statuses": {"0x0": "retry"}}, "config: statuses: '0x0' is of no failure"),
    ({"errors": {"069": "no_such_word"}}, "config.errors[]: invalid enum value 'no_such_word'"),
    ({"errors": {"69 ": "blocked"}}, "config.errors: "),
    ({"errors": {"": "blocked"}}, "config.errors: "),
    ({"errors": {"000": "blocked"}}, "config: errors: '000' is of no failure"),
    ({"errors": {"DELIVRD": "blocked"}}, "config: errors: 'DELIVRD' is of no failure"),
    ({"errors": {"69": "blocked", "0069": "barred"}}, "config: errors: '69' and '0069' are the same"),
    ({"errors": {"0x45": "blocked", "0x0045": "barred"}}, "config: errors: '0x45' and '0x0045' are the same"),
    ({"err_numbering": "map"}, "config.err_numbering: "),
    ({"receipt_id": "hex"}, "config.receipt_id: "),
    ({"source_ton": 256}, "config.source_ton: "),
    ({"dest_npi": "1"}, "config.dest_npi: "),
    ({"international_prefix": "011"}, "config.international_prefix: "),
    ({"default_country": "+44"}, "config.default_country: "),
    ({"default_country": "44\n"}, "config.default_country: "),
    ({"service_type": "TOOLONG"}, "config.service_type: "),
    ({"validity_period": 2_592_001}, "config.validity_period: "),
    ({"priority_flag": 4}, "config.priority_flag: "),
    ({"registered_delivery": 32}, "config.registered_delivery: "),
]


@pytest.mark.parametrize(("given", "words"), WRONG)
def test_what_cannot_be_is_refused_by_name(given: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal) as caught:
        kinds.parse("smpp", {**USUAL, **given})
    assert caught.value.reason == "INVALID_CARRIER_CONFIG"
    assert caught.value.message.startswith(words)


def test_every_member_stands_in_the_documentation() -> None:
    page = kinds.as_markdown()
    for shape in kinds.CONFIGS.values():
        for name in shape.__struct_fields__:
            assert f"| `{name}` |" in page
