"""The format of scenarios: what is wrong in a file is said with its rule, its member, and what would be right."""

import tomllib
from pathlib import Path

import pytest

from messagehub.carriers.simulator import ScenarioError, load
from messagehub.carriers.simulator.scenario import Receipt, Rule, read

SHIPPED = sorted((Path(__file__).parents[1] / "scenarios").glob("*.toml"))

WRONG = [  # a rule, and what is said of it
    ("colour = 1", "rule 1: colour: there is no such member"),
    ('name = "slow"\nresponse.after = -1', "rule 1 (slow): response.after: expected a number >= 0.0"),
    ('response.status = "ESME_NO"', "response: status: there is no 'ESME_NO'; docs/smpp-statuses.md has all names"),
    ("response.status = -1", "response.status: expected"),
    ("response = {none = true, status = 8}", "response: none: an answer that is never given has no other members"),
    ("when.per = 'day'", "when.per: invalid enum value 'day'; expected one of all, bind, destination"),
    ("when.first = 'x'", "when.first: expected an integer, got a string"),
    ("when.to = 'ä'", "when.to: expected a string matching regex"),
    ("receipts = [{}, {keys = ['id', 'ID']}]", "receipts[1].keys[1]: invalid enum value 'ID'; expected one of dlvrd, "),
    ("receipts = [{stat = 'DND'}]", "receipts[0]: stat: 'DND' is no message_state"),
    ("response.status = 8\nreceipts = [{}]", "receipts: what is refused has none"),
    ("inbound = [{}]", "inbound[0].text: it is required"),
    ("inbound = [{text = 'Hi', order = [1, 2]}]", "inbound[0]: order: there is no part 2, the text has 1"),
    ("say = [{what = 'octets', hex = '0'}]", "say[0]: hex: expected an even number of hexadecimal digits"),
    ("say = [{what = 'garbage', hex = '00'}]", 'say[0]: hex: it goes with what = "octets"'),
    ("connection = {act = 'explode'}", "connection.act: invalid enum value 'explode'; expected one of drop, half_open"),
    ("on = 'bind'\nwhen.to = '1'", "when: of a bind there are only system_id, nth, first, every"),
    ("on = 'bind'\nreceipts = []", "receipts: of a bind there are only response, inbound, say and connection"),
    ("on = 'bind'\nresponse.id = 'hex'", "response: of a bind there are only status, after and none"),
    ("on = 'bind'\ninbound = [{text = 'Hi'}]", "inbound: on a bind, `from` and `to` are required"),
    ("answer.status = 2000", 'answer, reports: they are of MMS, on = "mms"'),
    ("reports = []", 'answer, reports: they are of MMS, on = "mms"'),
    ("on = 'mms'\nanswer.status = 999", "answer.status: expected an integer >= 1000"),
    ("on = 'mms'\nresponse.status = 8", "response: of an MMS there are only answer and reports"),
    ("on = 'mms'\nreceipts = []", "receipts: of an MMS there are only answer and reports"),
    ("on = 'mms'\nwhen.part = 1", "when: an MMS has no parts, and comes by no bind"),
    ("on = 'bind'\nsay = [{what = 'cut_tlv'}]", "say: cut_tlv needs the addresses of a submit"),
]


@pytest.mark.parametrize(("rule", "words"), WRONG)
def test_what_is_wrong_is_said(tmp_path: Path, rule: str, words: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(f"[[rule]]\n{rule}\n")
    with pytest.raises(ScenarioError) as caught:
        load(path)
    assert str(caught.value).startswith(f"{path}: rule 1")
    assert words in str(caught.value)


FILES = [
    (b"", "rule: expected 1 to 1000 rules"),
    (b"[[rule]]\n" * 1001, "rule: expected 1 to 1000 rules"),
    (b"rule = 3", "rule: expected 1 to 1000 rules"),
    (b"rule = [3]", "rule 1: expected an object, got an integer"),
    (b"rules = []", "rules: there is no such member"),
    (b"[[rule]]\nname = 'x'\n[[rule]]\nname = 'x'", "rule 1: name: another rule is called 'x', too"),
    (b"[[rule", "end of document"),
    (b"\xff", "utf-8"),
]


@pytest.mark.parametrize(("octets", "words"), FILES)
def test_what_is_no_scenario(tmp_path: Path, octets: bytes, words: str) -> None:
    path = tmp_path / "wrong.toml"
    path.write_bytes(octets)
    with pytest.raises(ScenarioError, match=words):
        load(path)


def test_a_rule_of_nothing_is_for_all_and_as_usual() -> None:
    assert read(tomllib.loads("[[rule]]")) == (Rule(),)
    assert read(tomllib.loads("[[rule]]\nreceipts = [{}]")) == (Rule(receipts=(Receipt(),)),)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_is_shipped_can_be_read(path: Path) -> None:
    assert all(rule.name for rule in load(path))
