"""Flows and messages with media: what they know of them, and what begins by them."""

from itertools import count
from typing import Any

from messagehub import clock
from messagehub.carriers.carrier import Inbound, Medium, Verdict
from tests.flows.works import Works, do, say
from tests.media.samples import SAMPLES
from tests.messages.house import ANNE, SOURCE, House, eventually

_tickets = count()
CAT = Medium("image/jpeg", "ab" * 32, 4711, "cat.jpg")
ELSEWHERE = Medium("video/mp4", "", 0, url="https://carrier.test/7")


async def shows(house: House, *media: Medium, text: str = "", subject: str = "") -> None:
    """Somebody writes an MMS to the number."""
    ticket = ("mms", next(_tickets))
    house.peer.tell(Inbound(ANNE, SOURCE, text, None, ticket=ticket, subject=subject, media=media))
    await eventually(lambda: house.peer.answers.get(ticket) is Verdict.TAKEN)


def places(family: str) -> str:
    names = ("type", "text", "subject", "medias.count", "medias.0.type", "medias.1.url", "medias.2.url")
    return "|".join(f"${{{family}.{name}}}" for name in names)


async def test_a_flow_knows_what_came_by_both_families_of_names(works: Works, house: House) -> None:
    await works.answer(say(places("voipbin.message")), say(places("voipbin.conversation_message")))
    await shows(house, CAT, ELSEWHERE, text="Look", subject="A cat")
    said = "mms|Look|A cat|2|image/jpeg|https://carrier.test/7|"
    await works.says(said, said)


async def test_where_a_medium_is_can_be_told_on(works: Works, house: House) -> None:
    await works.answer(say("${voipbin.message.medias.0.url}"))
    await shows(house, CAT)
    await eventually(lambda: len(works.sent()) == 1)
    assert house.published.digest_of(works.sent()[0]) == CAT.digest


async def test_what_came_can_be_sent_on(works: Works, house: House) -> None:
    """To who has no carrier for MMS as a link."""
    url = {"url": "${voipbin.message.medias.0.url}", "type": "${voipbin.message.medias.0.type}"}
    await works.answer(say("Yours:", medias=[url], fallback="link"))
    octets = SAMPLES["jpeg"]
    digest = await house.blobs.put(octets, clock.now())
    house.preparer.start()
    await shows(house, Medium("image/jpeg", digest, len(octets)))
    await eventually(lambda: len(works.sent()) == 1)
    text, _, link = works.sent()[0].partition("\n")
    assert text == "Yours:"
    assert await house.links.find(link.rpartition("/")[2], clock.now()) == digest


async def test_what_a_person_wrote_is_one_line_where_it_is_a_subject(works: Works, house: House) -> None:
    url = {"url": "${voipbin.message.medias.0.url}"}
    await works.answer(say("Yours", subject="${voipbin.message.text}", medias=[url], fallback="link"))
    octets = SAMPLES["jpeg"]
    digest = await house.blobs.put(octets, clock.now())
    house.preparer.start()
    await shows(house, Medium("image/jpeg", digest, len(octets)), text="A cat\r\n\tof mine")
    await eventually(lambda: len(works.sent()) == 1)
    assert works.sent()[0].splitlines()[:2] == ["A cat of mine", "Yours"]


async def test_an_sms_has_no_media(works: Works) -> None:
    await works.answer(say(places("voipbin.message")))
    await works.hear("Hi")
    await works.says("sms|Hi||0|||")


async def test_a_flow_goes_by_whether_there_is_a_medium(works: Works, house: House) -> None:
    some: dict[str, Any] = {"condition": ">", "value_type": "number", "value_number": 0}
    await works.answer(
        do("condition_variable", variable="voipbin.message.medias.count", false_target_id="none", **some),
        say("A picture!", "some", next_id=""),
        do("stop"),
        say("Send a picture.", "none"),
    )
    await works.hear("Hi")
    await works.says("Send a picture.")
    await shows(house, CAT)
    await works.says("Send a picture.", "A picture!")


async def test_a_picture_is_a_reply_whose_subject_may_be_all_that_is_said(works: Works, house: House) -> None:
    await works.answer(
        say("Send your receipt."),
        do("wait_reply", timeout=60_000, variable="answer"),
        say("${answer}: ${voipbin.message.word}, ${voipbin.message.medias.0.type}"),
    )
    await works.hear("Hi")
    await works.at("wait_reply")
    await shows(house, CAT, subject="Here!")
    await works.says("Send your receipt.", "Here!: here, image/jpeg")


async def test_keywords_are_read_in_the_text_and_where_there_is_none_in_the_subject(works: Works, house: House) -> None:
    menu = await works.flow(say("The menu"))
    await works.answer(say("What?"))
    await works.change_number(keywords=f'[{{"flow_id":"{menu}","word":"menu","pattern":""}}]')
    await shows(house, CAT, text="Menu", subject="lunch")
    await shows(house, CAT, subject="MENU!")
    await shows(house, CAT, text="lunch", subject="menu")
    await works.says("The menu", "The menu", "What?")


async def test_who_says_stop_by_mms_is_out_and_gets_no_flow(works: Works, house: House) -> None:
    await works.answer(say("Hello!"))
    await shows(house, CAT, subject=" Stop ")
    await eventually(lambda: len(works.sent()) == 1)
    assert works.sent()[0].startswith("c: You are unsubscribed")
    message = await house.send(ANNE)
    assert (message.targets[0].status, message.targets[0].error_code) == ("failed", "opted_out")


async def test_two_machines_that_show_each_other_pictures_come_to_an_end(works: Works, house: House) -> None:
    works.limit(answers=2)
    await works.answer(say("Thank you"))
    for _ in range(4):
        await shows(house, CAT)
    await works.says("Thank you", "Thank you")
    assert [one.end_reason for one in await works.all()][:1] == ["too_many_answers"]
