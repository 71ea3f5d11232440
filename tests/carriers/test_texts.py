"""Texts in the alphabet of a carrier, and told in its way to belong together: out over a socket, and read back."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messagehub import text
from messagehub.carriers import kinds, profile, translate
from messagehub.carriers.carrier import Accepted, Handover, Inbound, Refused
from messagehub.errors import Refusal
from messagehub.messages.send import hand
from messagehub.messages.status import Status
from messagehub.messages.target import Target
from messagehub.smpp import PDU
from messagehub.smpp.tlvs import TAGS
from tests.carriers.rig import SOMEBODY, SOURCE, Ours, centre, pair

USUAL = {"host": "h", "port": 1, "system_id": "me", "password": "secret"}
LONG = "The quick brown fox jumps over the lazy dog. " * 5

WAYS: list[dict[str, Any]] = [
    {"alphabet": alphabet, "latin1": latin1, "concat": concat}
    for alphabet in ("gsm7", "gsm7_packed", "latin1", "ascii")
    for latin1 in (False, True)
    for concat in ("udh8", "udh16", "sar", "payload")
] + [{"languages": ["turkish", "spanish"], "concat": "udh16"}, {"languages": ["hindi"], "alphabet": "gsm7_packed"}]
TEXTS = st.text(st.sampled_from("abc €[é\nñçığşŞкΩ한😀’कख "), min_size=1, max_size=400)


def prepared(way: dict[str, Any]) -> profile.Profile:
    return profile.of(kinds.parse("smpp", {**USUAL, **way}))


def turned_round(mine: profile.Profile, segment: text.Segment) -> PDU:
    """The deliver_sm that says what a submit_sm of ours says."""
    fields, tlvs = translate.with_segment(segment, translate.submission(mine, SOURCE, SOMEBODY), mine.tlvs)
    return PDU("deliver_sm", 1, 0, fields, tlvs or {})


@given(words=TEXTS, way=st.sampled_from(WAYS))
@settings(max_examples=300)
def test_what_goes_out_is_read_as_it_was(words: str, way: dict[str, Any]) -> None:
    mine = prepared(way)
    read = []
    for segment in text.cut(words, 7, mine.texts):
        one = translate.arrival(mine, turned_round(mine, segment), None)
        assert isinstance(one, Inbound)
        assert one.piece
        read.append(one)
    joined = text.join([one.piece for one in read if one.piece], mine.texts.alphabet)
    # A CR at the end of packed septets is one by the rules of packing (TS 23.038, 6.1.2.3.1), so words have none.
    assert joined.text == words
    if len(read) > 1:
        sequences = [one.concatenation and one.concatenation.sequence for one in read]
        assert sequences == list(range(1, len(read) + 1))
        assert {one.concatenation and one.concatenation.reference for one in read} == {7}


@pytest.mark.parametrize("concat", ["udh8", "udh16", "sar"])
async def test_parts_as_the_message_centre_gets_them(concat: str) -> None:
    async with centre() as (peer, port), Ours(port, concat=concat, window=5) as ours:
        await ours.bound()
        ours.carrier.send([_handed(ours, LONG)])
        await ours.heard(Accepted)
        sent = [pdu for _, _, pdu in peer.submits]
    assert len(sent) == 2
    has_header = [bool(pdu.fields["esm_class"] & translate.UDHI) for pdu in sent]
    has_tlvs = [TAGS["sar_msg_ref_num"] in pdu.tlvs for pdu in sent]
    assert has_header == [concat != "sar"] * 2
    assert has_tlvs == [concat == "sar"] * 2


async def test_a_payload_is_one_pdu_and_counts_as_the_parts_that_will_be_made_of_it() -> None:
    async with centre() as (peer, port), Ours(port, concat="payload") as ours:
        await ours.bound()
        target = _target(LONG)
        ours.carrier.send([hand(target, "carrier", "node", 0, ours.carrier.texts)])
        assert target.parts == 2
        await ours.heard(Accepted)
    ((_, _, sent),) = peer.submits
    assert sent.fields["short_message"] == b""
    assert sent.tlvs[TAGS["message_payload"]] == LONG.encode()


async def test_a_text_that_needs_too_many_parts_is_refused_and_not_sent() -> None:
    """In GSM it would fit; the euro sign, which ASCII lacks, makes all of it UCS-2."""
    async with pair(alphabet="ascii") as (ours, _):
        handover = _handed(ours, "€" + "a" * 67 * 255)
        assert handover.segments == []
        ours.carrier.send([handover])
        (refused,) = await ours.heard(Refused)
        assert refused.reason == "too_long"
        assert ours.carrier.takes_long
        ours.send()
        await ours.heard(Accepted)


def _handed(ours: Ours, words: str) -> Handover:
    return hand(_target(words), "carrier", "node", 0, ours.carrier.texts)


def _target(words: str) -> Target:
    of_message: dict[str, Any] = {
        "source": SOURCE,
        "source_detail": "",
        "text": words,
        "on_doubt": "",
        "target_count": 1,
    }
    return Target(
        "m1", 0, "customer", SOMEBODY, "", Status.QUEUED, parts=1, carrier_id="carrier", lane=0, due_at=0,
        **of_message, tm_create=0,
    )  # fmt: skip


WRONG = [
    ({"alphabet": "gsm"}, "config.alphabet"),
    ({"concat": "udh"}, "config.concat"),
    ({"languages": ["klingon"]}, "languages: 'klingon' is none of turkish"),
    ({"languages": ["turkish"], "alphabet": "latin1"}, "languages: they need GSM 7-bit"),
]


@pytest.mark.parametrize(("given_", "words"), WRONG)
def test_what_cannot_be_is_refused_by_name(given_: dict[str, Any], words: str) -> None:
    with pytest.raises(Refusal) as caught:
        kinds.parse("smpp", {**USUAL, **given_})
    assert words in caught.value.message
