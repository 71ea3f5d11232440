import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.media import addresses

NAME = addresses.digest(b"hello")
KEY, OTHER = b"k" * 32, b"o" * 32
NOW = 1_700_000_000 * addresses.SECOND
HOUR = 3600 * addresses.SECOND


def test_the_same_octets_have_the_same_name() -> None:
    assert NAME == "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    assert addresses.path(NAME) == f"2c/{NAME}"


@pytest.mark.parametrize("name", ["", "../etc/passwd", NAME.upper(), NAME + "0", NAME[:-1] + "/", "０" * 64])
def test_what_is_no_name_is_no_path(name: str) -> None:
    assert not addresses.is_digest(name)
    with pytest.raises(ValueError, match="is no name"):
        addresses.path(name)


def test_a_token_is_for_one_name_one_key_and_a_time() -> None:
    token = addresses.sign(NAME, NOW + HOUR, KEY)
    assert len(token) == 28
    assert addresses.is_valid(NAME, token, NOW, [KEY])
    assert addresses.is_valid(NAME, token, NOW + HOUR, [OTHER, KEY])
    assert not addresses.is_valid(NAME, token, NOW + HOUR + 1, [KEY])
    assert not addresses.is_valid(NAME, token, NOW, [OTHER])
    assert not addresses.is_valid(NAME, token, NOW, [])
    assert not addresses.is_valid(addresses.digest(b"bye"), token, NOW, [KEY])


@given(st.integers(0, 27), st.characters() | st.sampled_from("+/-_"))
def test_a_token_that_was_changed_is_not_valid(place: int, character: str) -> None:
    token = addresses.sign(NAME, NOW + HOUR, KEY)
    changed = token[:place] + character + token[place + 1 :]
    assert addresses.is_valid(NAME, changed, NOW, [KEY]) == (changed == token)


@given(st.text(max_size=40))
def test_nonsense_is_no_token(token: str) -> None:
    assert not addresses.is_valid(NAME, token, NOW, [KEY])


@given(st.integers(0, 1 << 60))
def test_a_token_lives_until_its_moment(until: int) -> None:
    token = addresses.sign(NAME, until, KEY)
    assert addresses.is_valid(NAME, token, min(until, NOW * 100), [KEY])
