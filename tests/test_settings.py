"""Settings: from a file, from the environment, from whoever starts the program; and what is wrong with them."""

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from messagehub.errors import SettingError
from messagehub.settings import Settings, as_markdown


def test_nothing_said_means_the_defaults() -> None:
    settings = Settings.read({})
    assert (settings.listen, settings.webhook_allow_private, settings.max_segments) == ("127.0.0.1:8080", False, 10)
    assert settings == Settings()


def test_others_variables_are_not_ours() -> None:
    assert Settings.read({"PATH": "/bin", "messagehub_listen": "x", "MESSAGEHUBLISTEN": "x"}) == Settings()


def test_the_clients_variables_are_passed_over() -> None:
    assert Settings.read({"MESSAGEHUB_URL": "http://hub.test", "MESSAGEHUB_ACCESSKEY": "vb_x"}) == Settings()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "messagehub.toml"
    path.write_text('listen = "0.0.0.0:1"\nmax_segments = 3\nwebhook_allow_private = true\nwebhook_timeout = 2\n')
    return path


def test_a_file_is_read(file: Path) -> None:
    settings = Settings.read({"MESSAGEHUB_CONFIG": str(file)})
    assert (settings.listen, settings.max_segments) == ("0.0.0.0:1", 3)
    assert settings.webhook_allow_private is True
    assert settings.webhook_timeout == 2.0
    assert settings.log_level == "info"


def test_a_variable_overrules_the_file_and_whoever_starts_it_overrules_both(file: Path) -> None:
    env = {"MESSAGEHUB_CONFIG": str(file), "MESSAGEHUB_MAX_SEGMENTS": "4", "MESSAGEHUB_LISTEN": "0.0.0.0:2"}
    settings = Settings.read(env, listen="0.0.0.0:3")
    assert (settings.listen, settings.max_segments, settings.webhook_timeout) == ("0.0.0.0:3", 4, 2.0)


WORDS = [("1", True), ("true", True), ("YES", True), ("0", False), ("False", False), ("no", False)]


@pytest.mark.parametrize(("word", "value"), WORDS)
def test_words_for_yes_and_no(word: str, value: bool) -> None:
    assert Settings.read({"MESSAGEHUB_WEBHOOK_ALLOW_PRIVATE": word}).webhook_allow_private is value


WRONG = [  # variable, value, what the message says besides the variable
    ("MAX_SEGMENT", "3", "no such setting"),
    ("", "3", "no such setting"),
    ("MAX_SEGMENTS", "many", "'many' is no int"),
    ("MAX_SEGMENTS", "", "'' is no int"),
    ("MAX_SEGMENTS", "2.5", "'2.5' is no int"),
    ("MAX_SEGMENTS", "0", "1 to 255"),
    ("MAX_SEGMENTS", "256", "1 to 255"),
    ("WEBHOOK_TIMEOUT", "soon", "'soon' is no float"),
    ("WEBHOOK_TIMEOUT", "0", "0.1 to 25"),
    ("WEBHOOK_TIMEOUT", "nan", "0.1 to 25"),
    ("WEBHOOK_TIMEOUT", "inf", "0.1 to 25"),
    ("BODY_TIMEOUT", "-1", "0.1 to 3600"),
    ("DRAIN_TIMEOUT", "-0.1", "0 to 6"),
    ("WEBHOOK_ALLOW_PRIVATE", "perhaps", "'perhaps' is no bool"),
    ("UNKNOWN_DESTINATION", "drop", "none of accept, refuse"),
    ("LOG_LEVEL", "loud", "none of debug, info, warning, error"),
    ("LISTEN", "8080", "'8080' is no HOST:PORT, such as 127.0.0.1:8080"),
    ("LISTEN", ":8080", "is no HOST:PORT"),
    ("LISTEN", "[]:8080", "is no HOST:PORT"),
    ("LISTEN", "localhost", "is no HOST:PORT"),
    ("LISTEN", "127.0.0.1:http", "is no HOST:PORT"),
    ("LISTEN", "127.0.0.1:65536", "is no HOST:PORT"),
    ("LISTEN", "127.0.0.1:" + "9" * 5000, "is no HOST:PORT"),
    ("OUTBIND_LISTEN", "2776", "is no HOST:PORT"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_what_is_wrong_is_named(name: str, value: str, words: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.read({f"MESSAGEHUB_{name}": value})
    assert f"MESSAGEHUB_{name}" in str(caught.value)
    assert words in str(caught.value)


def test_every_unknown_variable_is_named() -> None:
    with pytest.raises(SettingError, match="MESSAGEHUB_A, MESSAGEHUB_B"):
        Settings.read({"MESSAGEHUB_B": "1", "MESSAGEHUB_A": "1", "MESSAGEHUB_LISTEN": "x:1"})


WRONG_FILES = [  # what stands in it, what the message says besides its path
    ("max_segment = 3", "no such setting: max_segment"),
    ("max_segments = 0", "max_segments: '0' is not within 1 to 255"),
    ("log_level = 'loud'", "log_level"),
    ("webhook_timeout = true", "webhook_timeout"),
    ("[listen]\nport = 1", "listen"),
    ("listen = [1]", "listen"),
    ("listen = ", "Invalid value"),
    ("\udcff", "utf-8"),
]


@pytest.mark.parametrize(("text", "words"), WRONG_FILES)
def test_what_is_wrong_in_a_file_is_named(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "messagehub.toml"
    path.write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(SettingError) as caught:
        Settings.read({"MESSAGEHUB_CONFIG": str(path)})
    assert str(path) in str(caught.value)
    assert words in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=str(tmp_path / "none.toml")):
        Settings.read({"MESSAGEHUB_CONFIG": str(tmp_path / "none.toml")})


@given(segments=st.integers(1, 255), timeout=st.floats(0.1, 25, allow_nan=False))
def test_what_is_within_bounds_is_taken_as_it_is(segments: int, timeout: float) -> None:
    env = {"MESSAGEHUB_MAX_SEGMENTS": str(segments), "MESSAGEHUB_WEBHOOK_TIMEOUT": str(timeout)}
    settings = Settings.read(env)
    assert (settings.max_segments, settings.webhook_timeout) == (segments, timeout)


def test_the_page_has_every_setting() -> None:
    page = as_markdown()
    for setting in fields(Settings):
        assert f"`MESSAGEHUB_{setting.name.upper()}` | `{setting.default}`" in page
