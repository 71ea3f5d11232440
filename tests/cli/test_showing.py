"""What others wrote is shown, and does nothing."""

from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from messagehub.cli import showing

COLUMNS: showing.Columns = {"id": "id", "status": "status", "text": "text"}
ID = "01a1fbc1-388b-7020-a7fb-a12694d73ae3"


@given(st.text())
def test_nothing_steers_the_terminal(text: str) -> None:
    shown = showing.visible(text)
    assert all(char >= " " and not "\x7f" <= char <= "\x9f" for char in shown)
    assert not set("\u2028\u202e\u2066") & set(shown)
    shown.encode()


@given(st.text(alphabet=st.characters(categories=("L", "N", "P", "S", "Zs"))))
def test_what_can_be_seen_stays(text: str) -> None:
    assert showing.visible(text) == text


def test_the_ends_of_lines_stay_where_there_is_room_for_them() -> None:
    assert showing.visible("a\nb\x1b[2J\r", lines=True) == "a\nb\\x1b[2J\\r"
    assert showing.visible("a\nb") == "a\\nb"


def test_values_as_people_write_them() -> None:
    nothing: tuple[object, ...] = ("", None, [], "9999-01-01 00:00:00.000000", "00000000-0000-0000-0000-000000000000")
    assert {showing.words(value) for value in nothing} == {"-"}
    assert [showing.words(value) for value in (True, False, 0, 1.5)] == ["yes", "no", "0", "1.5"]
    assert showing.words(["a", "b"]) == "a, b"
    assert showing.words({"target": "+1", "target_name": "Ann", "name": "", "detail": ""}) == "+1 (Ann)"
    assert showing.words([{"type": "image/png", "url": "http://x"}]) == "type=image/png, url=http://x"


def printed(width: int, rows: list[dict[str, str]]) -> list[str]:
    out = Console(width=width, color_system=None)
    with out.capture() as captured:
        out.print(showing.table(rows, COLUMNS, width))
    return [line.rstrip() for line in captured.get().splitlines()]


def test_a_row_is_a_line_where_there_is_room() -> None:
    row = {"id": ID, "status": "delivered", "text": "Hello [bold]you[/] :smile:"}
    assert printed(100, [row])[1:] == [f"{ID}  delivered  Hello [bold]you[/] :smile:"]


def test_an_id_is_never_cut() -> None:
    row = {"id": ID, "status": "delivered", "text": "Hello"}
    assert printed(50, [row]) == [f"id      {ID}", "status  delivered", "text    Hello", ""]


def test_no_rows_are_the_headings() -> None:
    assert printed(50, []) == ["id  status  text"]
