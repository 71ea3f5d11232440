from tests.cli.shell import Shell


def test_segments_as_json(shell: Shell) -> None:
    assert shell.run("segments", "--json", "x" * 161).json == {
        "encoding": "GSM-7",
        "parts": 2,
        "units": 161,
        "units_per_part": 153,
        "segments": ["x" * 153, "x" * 8],
        "forced_by": [],
    }


def test_segments_for_people(shell: Shell) -> None:
    done = shell.run("segments", "It’s ✓")
    assert done.code == 0
    assert done.out.startswith("UCS-2, 1 part(s), 6 units, 70 in each part\n")
    assert "'’' forces UCS-2; \"'\" in its place would not" in done.out


def test_segments_with_smart_encoding(shell: Shell) -> None:
    done = shell.run("segments", "--smart-encoding", "It’s")
    assert done.out.startswith("GSM-7, 1 part(s), 4 units, 160 in each part\n")
    assert "\"'\" is sent for '’'" in done.out


def test_octets_that_are_no_text(shell: Shell) -> None:
    """What a shell passes on of a file in another encoding."""
    done = shell.run("segments", "--json", b"caf\xe9")
    assert "Traceback" not in done.err
    assert done.code in (0, 1, 2)
