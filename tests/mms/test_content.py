import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from messagehub.mms import Content, EncodeError, Medium, Part, compose, smil, take_apart
from messagehub.mms.parts import read, write
from tests.mms.values import WORDS

PICTURE = Medium("image/jpeg", b"\xff\xd8", "image1.jpg")
SOUND = Medium("audio/mpeg", b"ID3", "audio2.mp3")
CARD = Medium("text/vcard", b"BEGIN:VCARD", "contact3.vcf")

media = st.lists(
    st.builds(Medium, st.sampled_from(["image/png", "video/mp4", "application/pdf"]), st.binary(max_size=9)), max_size=5
).map(lambda found: tuple(Medium(each.type, each.body, f"m{place}") for place, each in enumerate(found)))


@given(st.builds(Content, WORDS, media))
def test_what_was_composed_is_taken_apart_again(content: Content) -> None:
    part, oddities = read(*write(compose(content)))
    assert (take_apart(part), oddities) == (content, ())


def slides(part: Part) -> list[list[tuple[str, str, str | None]]]:
    page = part.root()
    assert page is not None
    assert page.type == "application/smil"
    body = etree.fromstring(page.body).find("body")
    assert body is not None
    return [[(each.tag, each.get("src", ""), each.get("region")) for each in par] for par in body]


def test_each_medium_has_a_slide_and_the_text_is_on_the_first() -> None:
    part = compose(Content("look", (PICTURE, SOUND, CARD)))
    assert slides(part) == [
        [("img", "image1.jpg", "Image"), ("text", "text0.txt", "Text")],
        [("audio", "audio2.mp3", None)],
        [("ref", "contact3.vcf", None)],
    ]
    assert [(leaf.type, leaf.id, leaf.location) for leaf in part.leaves()] == [
        ("application/smil", "smil", "smil"),
        ("text/plain", "text0.txt", "text0.txt"),
        ("image/jpeg", "image1.jpg", "image1.jpg"),
        ("audio/mpeg", "audio2.mp3", "audio2.mp3"),
        ("text/vcard", "contact3.vcf", "contact3.vcf"),
    ]


def test_a_text_alone_is_one_slide() -> None:
    assert slides(compose(Content("hi"))) == [[("text", "text0.txt", "Text")]]


@pytest.mark.parametrize("name", ["", "a b.jpg", "../a.jpg", "a/b", "ä.jpg", 'a"b'])
def test_names_that_handsets_would_not_find_are_refused(name: str) -> None:
    with pytest.raises(EncodeError, match="media: "):
        compose(Content("", (Medium("image/jpeg", b"", name),)))


def test_names_must_differ() -> None:
    with pytest.raises(EncodeError, match="not all different"):
        compose(Content("", (PICTURE, PICTURE)))


def taken(page: str, *leaves: Part) -> Content:
    parts = (Part("application/smil", page.encode(), id="s"), *leaves)
    return take_apart(Part("multipart/related", parts=parts))


A, B, C = (
    Part("image/jpeg", b"a", id="a@x", name="a.jpg"),
    Part("image/png", b"b", location="b.png"),
    Part("video/mp4", b"c", id="c"),
)


@pytest.mark.parametrize(
    ("page", "order"),
    [
        ("<smil><body><par><img src='cid:c'/></par><par><img src='b.png'/></par></body></smil>", b"cba"),
        ('<smil><img SRC = "B.png"/><img src="cid:a%40x"/>', b"abc"),
        ('<smil>no XML & <img src="b.png"><img src="a.jpg"', b"bac"),
        ('<smil><!-- <img src="c"/> --><img src="b.png"/>', b"bac"),
        ('<smil><img src="b.png"/><img src="b.png"/><img src="c"/><img src="b.png"/>', b"bca"),
        ('<smil><img src="elsewhere"/>', b"abc"),
        ("", b"abc"),
        ("<!--" * 50_000, b"abc"),
        ("<img src=" * 50_000, b"abc"),
    ],
)
def test_the_order_is_that_of_the_presentation(page: str, order: bytes) -> None:
    assert b"".join(medium.body for medium in taken(page, A, B, C).media) == order


def test_a_presentation_names_no_more_than_a_message_could_have() -> None:
    """Each is looked for, and a handset can write thousands of them."""
    many = "".join(f'<img src="{n}.png"/>' for n in range(999))
    assert b"".join(one.body for one in taken(f'{many}<img src="c"/>', A, B, C).media) == b"cab"
    assert b"".join(one.body for one in taken(f'{many}<img src="x"/><img src="c"/>', A, B, C).media) == b"abc"


def test_an_entity_in_a_reference_is_read() -> None:
    assert list(smil.sources('<img src="a&amp;b.jpg"/>')) == ["a&b.jpg"]


def test_the_texts_of_all_parts_are_one() -> None:
    one, two = Part("text/plain", b"one", id="1"), Part("text/plain", "zwö".encode("latin-1"), id="2")
    assert taken('<text src="cid:2"/><text src="cid:1"/>', one, A, two).text == "zwö\none"


def test_of_alternatives_one_is_taken() -> None:
    plain, rich = Part("text/plain", b"x"), Part("text/html", b"<p>x")
    both = Part("multipart/alternative", parts=(rich, plain))
    assert take_apart(Part("multipart/mixed", parts=(both, A))) == Content("x", (Medium("image/jpeg", b"a", "a.jpg"),))


def test_a_content_may_be_one_part() -> None:
    assert take_apart(B) == Content("", (Medium("image/png", b"b", "b.png"),))
