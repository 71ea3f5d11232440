import contextlib
import email
import email.policy
import time
from email.message import EmailMessage
from email.mime.image import MIMEImage
from email.mime.multipart import MIMEMultipart
from email.mime.text import MIMEText

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from messagehub.mms.errors import DecodeError, EncodeError
from messagehub.mms.parts import Encoding, Limits, Part, bare, read, write
from tests.mms.values import any_parts, multiparts

JPEG = bytes(range(256)) * 40


def taken(content_type: str, body: bytes) -> Part:
    part, oddities = read(content_type, body)
    assert oddities == ()
    return part


@given(any_parts, st.sampled_from(["binary", "base64"]))
def test_reading_what_was_written_gives_it_back(part: Part, encoding: Encoding) -> None:
    written = Part("multipart/mixed", parts=(part,))
    assert taken(*write(written, encoding)) == written


@given(multiparts(any_parts))
def test_the_same_message_is_always_the_same_octets(part: Part) -> None:
    assert write(part) == write(part)


@given(multiparts(any_parts), st.sampled_from(["binary", "base64"]))
def test_what_is_written_is_read_so_by_another_reader(part: Part, encoding: Encoding) -> None:
    content_type, body = write(part, encoding)
    written = content_type.encode() + body
    assume(b"\\" not in written and b"%5C" not in written)  # which `email` takes for a quotation mark's, everywhere
    theirs = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP
    )
    assert not any(each.defects for each in theirs.walk() if each.is_multipart())
    assert [leaf.get_content_type() for leaf in theirs.walk()] == [each.type for each in walk(part)]
    ours = [leaf.body for leaf in part.leaves()]
    if encoding == "base64":
        found = [leaf.get_payload(decode=True) for leaf in theirs.walk() if not leaf.is_multipart()]
        assert found == ours


def walk(part: Part) -> list[Part]:
    return [part, *(each for inner in part.parts for each in walk(inner))]


def test_what_another_writer_writes_is_read() -> None:
    message = MIMEMultipart("related", start="<a>")
    text = MIMEText("Grüße\n", "plain", "iso-8859-1")
    text.add_header("Content-ID", "<a>")
    image = MIMEImage(JPEG, "jpeg", name="Büro.jpg")
    image.add_header("Content-Location", "image.jpg")
    inner = MIMEMultipart("mixed")
    inner.attach(image)
    message.attach(text)
    message.attach(inner)
    octets = message.as_bytes(policy=email.policy.HTTP)
    read_message = email.message_from_bytes(octets, policy=email.policy.HTTP)
    assert isinstance(read_message, EmailMessage)
    _, _, body = octets.partition(b"\r\n\r\n")
    part = taken(str(read_message["Content-Type"]), body)
    words, picture = part.leaves()
    assert (words.text, words.id, picture.body, picture.location) == ("Grüße\r\n", "a", JPEG, "image.jpg")
    assert picture.name == "Büro.jpg"
    assert part.root() is words


LEAF = "Content-Type: text/plain\r\n\r\nhello"
FORMS: list[tuple[str, str, str, list[bytes]]] = [
    ("plain", "multipart/mixed; boundary=b", f"--b\r\n{LEAF}\r\n--b--\r\n", [b"hello"]),
    ("a boundary on the first line, and one like it", "multipart/mixed; boundary=b", f"--bb\r\n--b\r\n{LEAF}\r\n--b--",
     [b"hello"]),
    ("two boundaries, one behind the other", "multipart/mixed; boundary=b", f"--b\r\n--b\n{LEAF}\r\n--b--",
     [b"", b"hello"]),
    ("in quotes, with blanks and a semicolon", 'Multipart/Mixed; Boundary="a b;c"', f"--a b;c\r\n{LEAF}\r\n--a b;c--",
     [b"hello"]),
    ("lines that end in LF", "multipart/mixed; boundary=b", f"--b\r\n{LEAF}\r\n--b--\r\n".replace("\r\n", "\n"),
     [b"hello"]),
    ("preamble and epilogue", "multipart/mixed; boundary=b", f"hi\r\n--b\r\n{LEAF}\r\n--b--\r\n--b\r\n{LEAF}",
     [b"hello"]),
    ("blanks behind a boundary", "multipart/mixed; boundary=b", f"--b \t\r\n{LEAF}\r\n--b--  \r\n", [b"hello"]),
    ("an empty part", "multipart/mixed; boundary=b", "--b\r\n\r\n--b--\r\n", [b""]),
    ("no header fields", "multipart/mixed; boundary=b", "--b\r\n\r\nhello\r\n--b--\r\n", [b"hello"]),
    ("a boundary that begins like another", "multipart/mixed; boundary=b",
     f"--b\r\nContent-Type: multipart/mixed; boundary=bb\r\n\r\n--bb\r\n{LEAF}\r\n--bb--\r\n\r\n--b--\r\n", [b"hello"]),
    ("a boundary within a line", "multipart/mixed; boundary=b", "--b\r\n\r\nx--b\r\n --b\r\n--b--\r\n",
     [b"x--b\r\n --b"]),
    ("a newline of the part's own", "multipart/mixed; boundary=b", "--b\r\n\r\nx\r\n\r\n--b--\r\n", [b"x\r\n"]),
    ("base64 in any form", "multipart/mixed; boundary=b",
     "--b\r\ncontent-transfer-encoding: BASE64\r\n\r\naGV s\r\nbG8\r\n--b--\r\n", [b"hello"]),
    ("quoted-printable", "multipart/mixed; boundary=b",
     "--b\r\nContent-Transfer-Encoding: Quoted-Printable\r\n\r\nh=65l=\r\nlo\r\n--b--\r\n", [b"hello"]),
    ("8bit", "multipart/mixed; boundary=b", "--b\r\nContent-Transfer-Encoding: 8bit\r\n\r\nhé\r\n--b--\r\n",
     ["hé".encode()]),
    ("folded header fields", "multipart/mixed;\r\n boundary=b",
     "--b\r\nContent-Type: text/plain;\r\n\tcharset=utf-8\r\n\r\nhello\r\n--b--\r\n", [b"hello"]),
]  # fmt: skip


@pytest.mark.parametrize(("content_type", "body", "bodies"), [row[1:] for row in FORMS], ids=[row[0] for row in FORMS])
def test_multiparts_in_all_their_forms(content_type: str, body: str, bodies: list[bytes]) -> None:
    assert [leaf.body for leaf in taken(content_type, body.encode()).leaves()] == bodies


def one(fields: str) -> Part:
    return taken("multipart/mixed; boundary=b", f"--b\r\n{fields}\r\n\r\nx\r\n--b--\r\n".encode()).parts[0]


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ("Content-Type: image/jpeg; name=a.jpg", "a.jpg"),
        ('Content-Type: image/jpeg; name="a \\"b\\".jpg"', 'a "b".jpg'),
        ("content-type: image/jpeg; NAME*=utf-8''B%C3%BCro.jpg", "Büro.jpg"),
        ("Content-Type: image/jpeg; name*=iso-8859-1'de'B%FCro.jpg", "Büro.jpg"),
        ("Content-Type: image/jpeg; name*1=ro.jpg; name*0*=utf-8''B%C3%BC", "Büro.jpg"),
        ('Content-Type: image/jpeg; name="=?utf-8?B?QsO8cm8=?= =?utf-8?q?_1=2Ejpg?="', "Büro 1.jpg"),
        ("Content-Type: image/jpeg; name=a.jpg\r\nContent-Disposition: attachment; filename=b.jpg", "b.jpg"),
        ("Content-Type: image/jpeg; charset; =; ; name = a.jpg ;", "a.jpg"),
        ('Content-Type: image/jpeg; name="never closed.jpg', "never closed.jpg"),
    ],
)
def test_the_name_of_a_part(fields: str, name: str) -> None:
    assert one(fields).name == name
    assert one(fields).type == "image/jpeg"


@pytest.mark.parametrize("written", ["<a@b>", "a@b", "cid:a@b", "<cid:a@b>", "cid:<a@b>", " < a@b > ", "CID:a@b"])
def test_an_id_is_found_however_it_is_written(written: str) -> None:
    assert bare(written) == "a@b"
    part = one(f"Content-ID: {written}")
    assert Part("multipart/mixed", parts=(part,)).find("cid:a%40b") == part


def test_of_many_references_those_are_found_that_name_a_part() -> None:
    parts = tuple(Part("image/png", id=f"{n}@x", location=f"{n}.png") for n in range(3))
    twice = Part("image/png", location="1.png")
    message = Part("multipart/related", parts=(Part("multipart/mixed", parts=parts), twice))
    assert message.find_all(["cid:2%40x", "elsewhere", "1.png", "", "<2@x>"]) == [parts[2], parts[1], parts[2]]
    assert message.find("") is None


@pytest.mark.parametrize(
    ("charset", "octets", "text"),
    [
        ("utf-8", "hé".encode(), "hé"),
        ("", "hé".encode(), "hé"),
        ("", "hé".encode("latin-1"), "hé"),
        ("us-ascii", "hé".encode(), "hé"),
        ("ISO-8859-1", b"\x93h\x94", "“h”"),
        ("106", "hé".encode(), "hé"),
        ("euc-kr", "안녕".encode("euc-kr"), "안녕"),
        ("utf-16", "hé".encode("utf-16-be"), "hé"),
        ("utf-16", "hé".encode("utf-16"), "hé"),
        ("iso-8859-1", b"\xef\xbb\xbfh\xc3\xa9", "hé"),
        ("utf-8", b"h\xff", "h\ufffd"),
        ("rot13", b"hi", "hi"),
        ("unicode_escape", b"\\u0041", "\\u0041"),
    ],
)
def test_a_text_is_read_by_its_charset(charset: str, octets: bytes, text: str) -> None:
    assert Part("text/plain", octets, parameters={"charset": charset}).text == text


@pytest.mark.parametrize(
    ("body", "bodies", "oddity"),
    [
        (b"--b\r\n\r\nhello", [b"hello"], "the body: the last boundary is missing"),
        (b"--b\r\n\r\nhello\r\n--b\r\n\r\nagain", [b"hello", b"again"], "the body: the last boundary is missing"),
        (b"--b\r\nhello\r\n--b--", [b""], "part 1: no blank line behind its header fields"),
        (b"--b\r\nContent-Transfer-Encoding: uuencode\r\n\r\nx\r\n--b--", [b"x"], "'uuencode' is taken for binary"),
    ],
)
def test_what_is_passed_over_is_told(body: bytes, bodies: list[bytes], oddity: str) -> None:
    part, (told,) = read("multipart/mixed; boundary=b", body)
    assert [leaf.body for leaf in part.leaves()] == bodies
    assert oddity in told


def nested(depth: int) -> tuple[str, bytes]:
    part = Part("text/plain", b"x")
    for _ in range(depth):
        part = Part("multipart/mixed", parts=(part,))
    return write(part)


@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        ("multipart/mixed", b"--b\r\n\r\nx\r\n--b--", "the body: a multipart whose content type has no boundary"),
        ("multipart/mixed; boundary=c", b"--b\r\n\r\nx\r\n--b--", "the body: the boundary 'c' is nowhere in it"),
        ("multipart/mixed; boundary=b", b"", "the body: the boundary 'b' is nowhere in it"),
        ("multipart/mixed; boundary=b", b"--b\r\nContent-Type: multipart/x\r\n\r\nx\r\n--b--",
         "part 1: a multipart whose content type has no boundary"),
        ("multipart/mixed; boundary=b", b"--b\r\nContent-Transfer-Encoding: base64\r\n\r\nabcde\r\n--b--",
         "part 1: base64: "),
        ("multipart/mixed; boundary=b", b"--b\r\n" + b"\r\n\r\n--b\r\n" * 100 + b"--b--", "more than 100 parts"),
        ("multipart/mixed; boundary=b", b"--b\r\nX: " + b"x" * 20000 + b"\r\n\r\n--b--",
         "more than 16384 octets of header"),
        ("multipart/mixed; boundary=b", b"--b\r\n\r\n" + b"--bb\n" * 10_001 + b"--b--",
         "more than 10000 lines that begin as the boundary 'b' does"),
        ("image/jpeg", b"x" * (16 << 20) + b"x", "16777216 are taken"),
        (*nested(6), "part 1.1.1.1.1: multiparts 5 deep at most"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_or_is_too_much_is_refused(content_type: str, body: bytes, words: str) -> None:
    with pytest.raises(DecodeError, match=words):
        read(content_type, body)


def test_limits_are_the_callers() -> None:
    with pytest.raises(DecodeError, match="more than 2 parts"):
        read("multipart/mixed; boundary=b", b"--b\r\n\r\n\r\n--b\r\n\r\n\r\n--b\r\n\r\n\r\n--b--", Limits(parts=2))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (Part("Image/JPEG"), "type"),
        (Part("image/jpeg\r\nX-Evil: 1"), "type"),
        (Part("image/jpeg", id="a\r\nb"), "id"),
        (Part("image/jpeg", id="<a>"), "id"),
        (Part("image/jpeg", location="a\nb"), "location"),
        (Part("image/jpeg", name="a\0b"), "name"),
        (Part("image/jpeg", name="\ud800"), "name"),
        (Part("image/jpeg", parameters={"a b": "c"}), "'a b'"),
    ],
)
def test_a_header_field_cannot_be_broken_out_of(part: Part, words: str) -> None:
    with pytest.raises(EncodeError, match=words):
        write(Part("multipart/mixed", parts=(part,)))


@pytest.mark.parametrize(
    "body",
    [
        b"--b\n" * 500_000,
        b"\r\n" * 1_000_000,
        b"--b\r\nContent-Type: text/plain" + b"; " * 8000 + b"\r\n\r\n--b--",
        b"--b\r\nContent-Type: text/plain" + b";" + b" " * 16000 + b"\r\n\r\n--b--",
        b"--b\r\nContent-Type: text/plain; name=" + b"=?a" * 5000 + b"\r\n\r\n--b--",
        b"--b" + b" " * 1_000_000 + b"x",
        b"--b\n" + (b"--b" + b" " * 60_000 + b"x\n") * 250,
        b"--b" * 5_000_000,
        b"\n--bb" * 3_000_000,
    ],
    ids=[
        "boundaries",
        "newlines",
        "semicolons",
        "blanks",
        "words",
        "a long line",
        "long lines",
        "within a line",
        "other boundaries",
    ],
)
def test_nothing_takes_long(body: bytes) -> None:
    before = time.process_time()
    with contextlib.suppress(DecodeError):
        read("multipart/mixed; boundary=b", body)
    assert time.process_time() - before < 1
