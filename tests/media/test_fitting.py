import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from messagehub.media import LIMITS, SAFE, TYPES, Limits, MediaError, fit, limits_of
from messagehub.media.limits import LEAST_SHARE, Claim, shares
from messagehub.mms import Content, Medium, compose
from messagehub.mms.parts import Encoding, write
from tests.media.samples import SAMPLES, animated, film, located, noise, opened, photo, png_of, saved

claims = st.lists(st.builds(Claim, st.integers(1, 400_000), st.booleans()), max_size=10)


@given(claims, st.integers(0, 5000), st.integers(50_000, 2_000_000))
def test_shares_are_fair_and_no_more_than_there_is(wanted: list[Claim], text: int, octets: int) -> None:
    try:
        granted = shares(Limits(octets), wanted, text)
    except MediaError:
        fixed = sum(claim.octets for claim in wanted if not claim.can_shrink)
        assert fixed + text + 512 * 10 + 2048 + LEAST_SHARE * len(wanted) > octets
        return
    assert sum(granted) + text <= octets
    cut = [share for share, claim in zip(granted, wanted, strict=True) if share < claim.octets]
    assert all(claim.can_shrink for share, claim in zip(granted, wanted, strict=True) if share < claim.octets)
    assert all(share <= claim.octets for share, claim in zip(granted, wanted, strict=True))
    assume(cut)
    # Whoever was cut has as much as any other that could be, and hardly anything is left over.
    others = [share for share, claim in zip(granted, wanted, strict=True) if claim.can_shrink]
    assert min(cut) >= max(others) - 1
    assert sum(granted) + text + 512 * len(wanted) + 2048 >= octets - 1


def test_the_limits_of_operators() -> None:
    assert limits_of() == SAFE
    assert limits_of("att", "short_code").octets < limits_of("att", "long").octets
    assert limits_of("tmobile", "toll_free").octets == 525_000
    with pytest.raises(ValueError, match="operator: 'vodafone' is none of att, "):
        limits_of("vodafone")
    with pytest.raises(ValueError, match="number: 'fax' is none of long, "):
        limits_of("att", "fax")  # type: ignore[arg-type]
    assert all(set(rows) == {"long", "short_code", "toll_free"} for rows in LIMITS.values())


def test_all_nine_formats_go_through_in_their_order() -> None:
    fitted = fit([("", octets) for octets in SAMPLES.values()], SAFE)
    assert [each.name.partition(".")[2] for each in fitted] == [
        *("jpg", "png", "gif", "mp4", "3gp", "mp3", "wav", "pdf", "vcf")
    ]
    assert {each.type for each in fitted} == TYPES
    assert len({each.name for each in fitted}) == 9


@pytest.mark.parametrize("encoding", ["binary", "base64"])
def test_a_message_fits_with_all_that_is_around_its_media(encoding: Encoding) -> None:
    media = [
        ("image/jpeg", saved(photo(3000, 2000), "JPEG", quality=95)),
        ("image/png", saved(noise(600, 600), "PNG")),
        ("image/gif", animated(5, 200)),
        ("audio/wav", SAMPLES["wav"]),
    ]
    text = "Grüße " * 200
    fitted = fit(media, SAFE, len(text.encode()), is_base64=encoding == "base64")
    content = Content(text, tuple(Medium(each.type, each.octets, each.name) for each in fitted))
    _, body = write(compose(content), encoding)
    assert 0.7 * SAFE.octets < len(body) <= SAFE.octets
    assert [each.type for each in fitted] == ["image/jpeg", "image/jpeg", "image/gif", "audio/wav"]
    assert getattr(opened(fitted[2].octets), "n_frames", 1) == 5


def test_a_picture_may_grow_where_it_must_be_encoded_again() -> None:
    """One that says much in few octets, as a drawing does, is not squeezed into as few when it is made smaller."""
    drawing = png_of(4000, 4000, bytes((4000 // 8 + 1) * 4000))
    turned = saved(noise(100, 80), "JPEG", quality=30, exif=located(6))
    first, second = fit([("", drawing), ("", turned)], SAFE)
    assert opened(first.octets).size == (1600, 1600)
    assert opened(second.octets).size == (80, 100)


@pytest.mark.parametrize(
    ("media", "limits", "reason", "words"),
    [
        ([("", SAMPLES["pdf"]), ("image/png", SAMPLES["jpeg"])], SAFE, "media_type_mismatch",
         r"medias\[1\]: the type is"),
        ([("", b"<svg/>")], SAFE, "media_unsupported", r"medias\[0\]: "),
        ([("", SAMPLES["jpeg"]), ("", SAMPLES["jpeg"][:-9])], SAFE, "media_broken",
         r"medias\[1\]: a JPEG without its end"),
        ([("", SAMPLES["pdf"])], Limits(300_000, types=TYPES - {"application/pdf"}), "media_refused", r"medias\[0\]: "),
        ([("", SAMPLES["jpeg"])], Limits(300_000, types=frozenset()), "media_refused", r"medias\[0\]: "),
        ([("", film() + b"\0\0\0\0mdat" + bytes(400_000))], SAFE, "media_too_large", "cannot be made smaller"),
        ([("", saved(noise(300, 300), "JPEG"))] * 10, Limits(40_000), "media_too_large", "10 media do not fit"),
    ],
)  # fmt: skip
def test_what_does_not_fit_says_why(media: list[tuple[str, bytes]], limits: Limits, reason: str, words: str) -> None:
    with pytest.raises(MediaError, match=words) as caught:
        fit(media, limits)
    assert caught.value.reason == reason
