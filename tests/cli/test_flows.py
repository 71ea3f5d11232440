"""messagehub flows: playing one here, and those of a server."""

import json
from pathlib import Path

import pytest

from tests.cli.shell import Shell
from tests.support import numbering
from tests.support.hub import Account
from tests.support.waiting import until

POLL = {
    "name": "Poll",
    "actions": [
        {"type": "message_send", "option": {"text": "Coming, ${name}?"}},
        {"id": "wait", "type": "wait_reply", "option": {"timeout": 3_600_000, "timeout_target_id": "late"}},
        {
            "type": "branch",
            "option": {"variable": "voipbin.message.word", "target_ids": {"yes": "yes"}, "default_target_id": "wait"},
        },
        {"id": "yes", "type": "message_send", "option": {"text": "See you!"}, "next_id": "tell"},
        {"id": "late", "type": "message_send", "option": {"text": "Too late."}},
        {"id": "tell", "type": "webhook_send", "option": {"uri": "https://example.com/", "data": "${reply}"}},
    ],
}


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "poll.json"
    path.write_text(json.dumps(POLL))
    return str(path)


def played(out: str) -> list[tuple[str, str]]:
    return [(seen["what"], seen["words"]) for seen in json.loads(out)]


def test_what_would_come_to_no_flow_is_said(shell: Shell, file: str) -> None:
    done = shell.run("flows", "run", file, "--say", "Cancel!", "--say", "yes", "--json")
    notes = [words for what, words in played(done.out) if what == "note"]
    assert notes == ["it ends messages, and comes to no flow, unless CANCEL is switched off for the number"]


def test_what_is_probably_an_opt_out_is_said_too(shell: Shell, file: str) -> None:
    done = shell.run("flows", "run", file, "--say", "please stop texting me", "--json")
    notes = [words for what, words in played(done.out) if what == "note"]
    assert notes == ["it probably ends messages, and comes to no flow, unless its customer reviews such sentences"]


def test_who_says_stop_is_not_heard_by_the_flow(shell: Shell, file: str) -> None:
    done = shell.run("flows", "run", file, "--say", "Stop!", "--say", "hi", "--say", "STOP", "--say", "yes", "--json")
    assert [each for each in played(done.out) if each[0] in ("said", "note", "sent")] == [
        ("said", "Stop!"),
        ("note", "it ends messages, and comes to no flow"),
        ("said", "hi"),
        ("sent", "Coming, ?"),
        ("said", "STOP"),
        ("note", "it ends messages, and comes to no flow"),
        ("said", "yes"),
        ("sent", "See you!"),
    ]


def test_the_sample_of_the_reference_is_played_as_it_is_printed(shell: Shell, tmp_path: Path) -> None:
    text = "Your appointment is confirmed for tomorrow at 2pm."
    sample = {"type": "message_send", "option": {"source": "+15551234567", "text": text}}
    (tmp_path / "sample.json").write_text(json.dumps(sample))
    assert f"  -> +15559876543: {text}" in shell.run("flows", "run", "sample.json", "--say", "hello").out


def test_who_sends_pictures_sends_an_mms(shell: Shell, tmp_path: Path) -> None:
    message = "voipbin.message"
    words = f"${{{message}.type}} of ${{{message}.medias.count}}: ${{{message}.medias.1.type}}, ${{{message}.text}}"
    flow = tmp_path / "album.json"
    flow.write_text(json.dumps([{"type": "message_send", "option": {"text": words}}]))
    urls = ["--media", "https://example.com/a", "--media", "https://example.com/cat.png"]
    done = shell.run("flows", "run", str(flow), *urls, "--say", "Look", "--say", "more")
    assert (done.code, done.err) == (0, "")
    assert [line for line in done.out.splitlines() if "ends" not in line] == [
        "+15559876543 says: Look [https://example.com/a] [https://example.com/cat.png]",
        "  -> +15559876543: mms of 2: image/png, Look",
        "+15559876543 says: more",
        "  -> +15559876543: sms of 0: , more",
    ]
    alone = shell.run("flows", "run", str(flow), *urls[:2])
    assert "  -> +15559876543: mms of 1: , " in alone.out
    echo = {"medias": [{"url": f"${{{message}.medias.1.url}}"}], "subject": "Yours", "text": "Back"}
    flow.write_text(json.dumps([{"type": "message_send", "option": echo}]))
    back = shell.run("flows", "run", str(flow), *urls)
    assert '  -> +15559876543: Back "Yours" [https://example.com/cat.png]' in back.out.splitlines()
    wrong = shell.run("flows", "run", str(flow), *urls, "--start")
    assert (wrong.code, "with --start nobody writes" in wrong.err) == (2, True)


def test_a_flow_is_played_against_a_simulated_person(shell: Shell, file: str) -> None:
    done = shell.run("flows", "run", file, "--say", "hi", "--say", "hm", "--say", "YES!", "--variable", "name=Anne")
    assert (done.code, done.err) == (0, "")
    lines = [line for line in done.out.splitlines() if "waits" not in line]
    assert lines == [
        "+15559876543 says: hi",
        "  -> +15559876543: Coming, Anne?",
        "+15559876543 says: hm",
        "+15559876543 says: YES!",
        "  -> +15559876543: See you!",
        "     request: POST https://example.com/ YES!",
        "     ends as completed",
    ]


def test_time_passes_where_nobody_replies(shell: Shell, file: str) -> None:
    done = shell.run("flows", "run", file, "--say", "hi", "--json")
    seen = [(what, words) for what, words in played(done.out) if what in ("sent", "end")]
    assert seen == [("sent", "Coming, ?"), ("sent", "Too late."), ("end", "completed")]


def test_what_comes_by_a_pipe_is_said_line_by_line(shell: Shell, file: str) -> None:
    done = shell.run("flows", "run", file, "--json", typed="hi\nyes\nhi again\n")
    said = [words for what, words in played(done.out) if what in ("said", "sent")]
    assert said == ["hi", "Coming, ?", "yes", "See you!", "hi again", "Coming, ?", "Too late."]


def test_somebody_at_a_terminal_is_asked(shell: Shell, file: str) -> None:
    done = shell.answer("flows", "run", file, "--json", says="hi\nyes\n\x04")
    assert [words for what, words in played(done.out) if what == "sent"] == ["Coming, ?", "See you!"]


def test_what_is_wrong_with_a_file_is_named(shell: Shell, tmp_path: Path) -> None:
    wrong = {
        "talk": ('[{"type": "talk"}]', "actions[0].type: 'talk' is of calls"),
        "broken": ("[", "it is no JSON"),
        "member": ('{"actions": [], "colour": 1}', "colour: there is no such member"),
    }
    for name, (text, words) in wrong.items():
        (tmp_path / name).write_text(text)
        shell.run("flows", "run", name, "--say", "x").is_refused(f"{name}: {words}")
    shell.run("flows", "run", "missing", "--say", "x").is_refused("missing")
    (tmp_path / "good").write_text('[{"type": "stop"}]')
    shell.run("flows", "run", "good").is_wrong("--say")
    shell.run("flows", "run", "good", "--variable", "x").is_wrong("NAME=VALUE")


def test_what_people_write_does_not_steer_the_terminal(shell: Shell, file: str) -> None:
    assert "\x1b" not in shell.run("flows", "run", file, "--say", "\x1b[2Jhi").out


def test_flows_of_a_server(mine: Shell, account: Account, file: str) -> None:
    made = mine.run("flows", "create", file, "--name", "Party", "--json").json
    assert (made["name"], len(made["actions"])) == ("Party", 6)
    changed = mine.run("flows", "update", made["id"], file, "--json").json
    assert changed["name"] == "Poll"
    assert mine.run("flows", "list").rows[1][:3] == [made["id"], "Poll", "6"]
    assert "wait_reply" in mine.run("flows", "show", made["id"]).out
    [number] = account.api.get("/numbers")["result"]
    words = ("--message-flow-id", made["id"], "--keyword", f"order *={made['id']}", "--keyword", f"menu={made['id']}")
    mine.run("number", "update", number["id"], *words)
    now = account.api.get(f"/numbers/{number['id']}")
    assert now["message_flow_id"] == made["id"]
    assert [(one["word"], one["pattern"]) for one in now["keywords"]] == [("", "order *"), ("menu", "")]
    mine.run("number", "update", number["id"], "--keyword", "menu").is_wrong("WORD=FLOW_ID")
    mine.run("flows", "delete", made["id"], "--yes").is_refused("STATE_INVALID")
    assert mine.run("number", "update", number["id"], "--keyword", "", "--json").json["keywords"] == []


def test_flows_that_run(mine: Shell, account: Account, tmp_path: Path) -> None:
    say = {"source": account.number, "destinations": [numbering.somebody()], "text": "Hello ${name}"}
    (tmp_path / "flow").write_text(json.dumps([{"type": "message_send", "option": say}, {"type": "block"}]))
    flow_id = mine.run("flows", "create", "flow", "--json").json["id"]
    started = mine.run("flows", "start", flow_id, "--variable", "name=Anne", "--json").json["id"]
    until(lambda: account.api.get(f"/activeflows/{started}")["current_action"]["type"] == "block")
    assert mine.run("flows", "running", "--flow", flow_id).rows[1][:4] == [
        started,
        "running",
        say["destinations"][0],
        "block",
    ]
    assert "Hello Anne" in mine.run("flows", "progress", started).out
    assert mine.run("flows", "stop", started, "--json").json["end_reason"] == "stopped"
    assert mine.run("flows", "running", "--json").json == []
    assert [one["id"] for one in mine.run("flows", "running", "--status", "ended", "--json").json] == [started]
