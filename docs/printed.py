"""Prints the pages that repeat what the code says; with --check, says which of them are out of date."""

import sys
from pathlib import Path

from messagehub import errors, metrics, settings
from messagehub.api import rights
from messagehub.carriers import aggregators, bandwidth, failures, kinds, mm7, mm7_requests, profile, telnyx, twilio
from messagehub.carriers.simulator import scenario
from messagehub.cli import reference
from messagehub.flows import actions, run
from messagehub.messages import status
from messagehub.people import quiet, words
from messagehub.senders import countries

FOLDER = Path(__file__).parent
NOTE = "<!-- Printed from the code by `make docs`. -->"


def codes() -> str:
    return (
        "## command_status of a submit_sm_resp\n\n"
        "Every one of SMPP 3.4 (section 5.1.3) and 5.0 (section 4.7.6), and what the sender of the refused request "
        f"does about it. Any other is `permanent`.\n\n{profile.as_markdown()}\n\n"
        "## Failures in receipts\n\n"
        f"The words for them, and the two numberings of codes that are known here.\n\n{failures.as_markdown()}\n\n"
        "## StatusCode of a SubmitRsp\n\n"
        "Those of MM7 (3GPP TS 23.140, release 6, sections 8.4.3 and 8.7.1.6). Any other is what the first of its "
        "thousand is, and one of no thousand is `retry`. The status of HTTP counts first where it says more.\n\n"
        f"{mm7.as_markdown()}\n\n"
        "## MMStatus of a delivery report\n\n"
        f"Of MM7; any other leaves the target `sent`.\n\n{mm7_requests.as_markdown()}\n\n"
        f"## Codes of Twilio\n\n{aggregators.as_markdown(twilio.CODES)}\n\n"
        f"## Codes of Telnyx\n\n{aggregators.as_markdown(telnyx.CODES)}\n\n"
        f"## Codes of Bandwidth\n\n{aggregators.as_markdown(bandwidth.CODES)}"
    )


def keywords() -> str:
    return (
        f"{words.as_markdown()}\n\n## Quiet hours\n\nFor marketing, by the clock at the recipient's place, where the "
        f"customer has none of its own.\n\n{quiet.as_markdown()}"
    )


def of_flows() -> str:
    rows = [f"| `{reason}` | {meaning} |" for reason, meaning in run.END_REASONS.items()]
    ends = "\n".join(["| reason | meaning |", "| --- | --- |", *rows])
    return f"{actions.as_markdown()}\n\n## Why a flow has ended\n\n{ends}"


PAGES = {
    "settings.md": (
        "Settings",
        "Each is a variable of the environment. `MESSAGEHUB_CONFIG` may name a TOML file with the same names in lower "
        "case and without the prefix; variables overrule it. An unknown setting is an error.",
        settings.as_markdown,
    ),
    "errors.md": (
        "Errors of the API",
        'Every error has the same envelope: `{"error": {"status", "reason", "message", "request_id", '
        '"details"}}`. `message` names the field and says what would be right.',
        errors.as_markdown,
    ),
    "metrics.md": (
        "Metrics",
        "`GET /metrics` gives them in the text format of Prometheus, or as OpenMetrics to those who ask for that. "
        "Counts are of the process that answers, since its start; those of a carrier begin anew when its config is "
        "changed. What is asked of the store is five seconds old at most. Those of the process itself have their usual "
        "names: `process_cpu_seconds_total`, `process_resident_memory_bytes`, `process_open_fds` and others.",
        metrics.as_markdown,
    ),
    "rights.md": (
        "Who may do what",
        "By access key or by token, whose rights are those of their customer. Whoever shows neither gets 401. What "
        "belongs to another customer is 404, as if it were not there, and in no list. The operator is a customer, too: "
        "what is said of a customer holds for its own things, and where the summary says so it sees those of all.",
        rights.as_markdown,
    ),
    "keywords.md": (
        "Words that end messages",
        "A message that is one of these words, whatever its case, accents, punctuation, blanks and emoji. What comes "
        "of it is said in [opt-out.md](opt-out.md).",
        keywords,
    ),
    "statuses.md": (
        "Statuses of a target",
        "A target is one recipient of a message. `handed` is internal: it is committed just before the first PDU "
        "leaves, and looks like `queued` from outside. The status of a message follows from those of its targets.",
        status.as_markdown,
    ),
    "cli.md": (
        "The command line",
        "`--help` says what a command takes; `messagehub --install-completion` lets the shell complete commands and "
        "options. `dev`, `serve`, `init`, `backup`, `migrate`, `segments` and `simulator` work on this machine. All "
        "others speak to a running server: its address is given by `--url` or `MESSAGEHUB_URL`, the access key by "
        "`--accesskey` or `MESSAGEHUB_ACCESSKEY`; otherwise they are those of your running `messagehub dev`, whose "
        "operator's key is taken for what only the operator may do. Its keys are sent to no other server.\n\n"
        "With `--json` they print the JSON of the API in one line: one object, or an array with all things of a list. "
        "Lists show 20 things; `--limit N` shows others than that, `--all` all. What deletes asks at a terminal, and "
        "needs `--yes` elsewhere. An error is one line on standard error.",
        reference.as_markdown,
    ),
    "actions.md": (
        "The actions of flows",
        "An action is `{id, type, option, next_id}`. `id` is by what others go on there, and may be left out; "
        "`next_id` is where it goes on, and is left out where that is the next in the list. Two ids are reserved: "
        f"`{actions.START}` is the first action, `{actions.FINISH}` the end of the list. Texts may hold variables, "
        "`${name}`. [flows.md](flows.md) says how it all goes together.",
        of_flows,
    ),
    "carrier-config.md": (
        "The configs of carriers",
        "The members of `config` in `POST /carriers` and `PUT /carriers/{id}`, by the `type` of the carrier. "
        "[carriers.md](carriers.md) says what they are good for.",
        kinds.as_markdown,
    ),
    "senders-by-country.md": (
        "Senders by country",
        "Whether a name may be the sender of a message to a country, and what is taken first of a pool that has "
        "several kinds of numbers. Countries that are not here take any name, as far as is known. This is guidance, "
        "from the public lists that aggregators and registries keep, as they stood in 2026; the operator overrules it "
        "with `PUT /sender_rules`: see [limits.md](limits.md#senders).",
        countries.as_markdown,
    ),
    "scenarios.md": (
        "The members of a scenario",
        "A scenario is a TOML file that says what the simulator of a carrier does; [simulator.md](simulator.md) shows "
        "how they go together. Of texts and lists, what is left out is the default.",
        scenario.as_markdown,
    ),
    "carrier-codes.md": (
        "What the codes of carriers mean",
        "By the table, and unless the config of a carrier says otherwise: [carriers.md](carriers.md) says how.",
        codes,
    ),
}


def page(name: str) -> str:
    title, words, table = PAGES[name]
    return f"{NOTE}\n\n# {title}\n\n{words}\n\n{table()}\n"


def main() -> None:
    stale = [name for name in PAGES if not (FOLDER / name).exists() or (FOLDER / name).read_text() != page(name)]
    if "--check" in sys.argv[1:]:
        sys.exit(f"out of date: {', '.join(stale)}; run `make docs`" if stale else 0)
    for name in stale:
        (FOLDER / name).write_text(page(name))


if __name__ == "__main__":
    main()
