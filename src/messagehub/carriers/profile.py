"""What one carrier wants otherwise than the next, worked out once from its config."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from msgspec import Struct, field

from messagehub import text
from messagehub.carriers import validity
from messagehub.carriers.carrier import REASONS
from messagehub.carriers.config import SMPPConfig, TLVConfig
from messagehub.carriers.failures import NUMBERINGS, FailureCode, bare
from messagehub.smpp import Action
from messagehub.smpp.statuses import MEANINGS, NUMBERS, STATUSES, VENDORS, status
from messagehub.smpp.times import LONGEST, absolute, relative

# Type of number and numbering plan, SMPP 3.4, sections 5.2.5 and 5.2.6.
INTERNATIONAL, NATIONAL_CODE, ALPHANUMERIC = (1, 1), (3, 0), (5, 0)


class Addressing(Struct, frozen=True):
    """How a number is written; `ton` and `npi` None are by rule. A name stays alphanumeric whatever they say."""

    ton: int | None = None
    npi: int | None = None
    prefix: str = ""

    def write(self, number: str) -> tuple[int, int, str]:
        """TON, NPI and digits: by custom an international number goes without its plus."""
        if number.startswith("+"):
            (ton, npi), digits = INTERNATIONAL, self.prefix + number[1:]
        elif number.isdecimal():
            (ton, npi), digits = NATIONAL_CODE, number
        else:
            return (*ALPHANUMERIC, number)
        return (ton if self.ton is None else self.ton, npi if self.npi is None else self.npi, digits)


# --- what a command_status means ---------------------------------------------------------

OF_ACTION = {
    Action.SLOW_BIND: "throttled",
    Action.RETRY: "unwell",
    Action.SESSION: "unbound",
    Action.REROUTE: "refused_here",
    Action.PERMANENT: "rejected",
    Action.OURS: "misconfigured",
}
"""From an action of the table to a key of the contract's REASONS."""

OF_WORD = {
    "throttle": OF_ACTION[Action.SLOW_BIND],
    "retry": OF_ACTION[Action.RETRY],
    "reroute": OF_ACTION[Action.REROUTE],
    "permanent": OF_ACTION[Action.PERMANENT],
    "ours": OF_ACTION[Action.OURS],
}
"""And from a word of the config's `statuses`."""

BY_RULE: Mapping[int, str] = {
    **{number: OF_ACTION[row.action] for number, row in STATUSES.items() if row.action is not Action.OK},
    NUMBERS["ESME_RINVDSTADR"]: "invalid_number",
    NUMBERS["ESME_RINVSRCADR"]: "invalid_source",
}


class Profile(Struct, frozen=True):
    source: Addressing = Addressing()
    destination: Addressing = Addressing()
    fields: Mapping[str, Any] = field(default_factory=lambda: {"registered_delivery": 1})
    """Of each submit_sm; what is not here has the default of the PDU."""
    tlvs: dict[int, bytes] | None = None
    """Those that go with each."""
    kinds: Mapping[str, TLVConfig] = field(default_factory=dict)
    """Those that messages may have, by name."""
    reasons: Mapping[int, str] = field(default_factory=lambda: BY_RULE)
    texts: text.Profile = text.STANDARD
    default_country: str = ""
    refusals: Mapping[int, str] = field(default_factory=dict)
    """The `error_code` by a command_status, where the config has one."""
    errors: Mapping[str, str] = field(default_factory=dict)
    """The same by the `err` or `stat` of a receipt, in their bare form."""
    numbering: Mapping[int, FailureCode] = field(default_factory=dict)
    receipt_swapped: bool = False
    receipt_by_shape: bool = True
    validity: int = 0
    """Seconds for which the carrier tries to deliver; 0: as long as it likes."""
    ends_at: bool = False
    """The end of it is written as a moment."""
    dates_validity: bool = False
    """So that each submit_sm has one of its own."""

    def validity_period(self, expire_at: int, now: int) -> str:
        """For what is to be given up then (microseconds): the less of that and the carrier's own, a second at least."""
        if self.ends_at:
            return absolute(validity.end(expire_at, now, self.validity))
        return relative(min(validity.span(expire_at, now, self.validity), LONGEST))

    def with_tlvs(self, given: Mapping[str, int | str]) -> dict[int, bytes] | None:
        """Those that go with each, and those of a message that have a name here, and a value that fits."""
        fitting = {
            kind.tag: kind.octets(value)
            for name, value in given.items()
            if (kind := self.kinds.get(name)) and not kind.misfit(value)
        }
        return {**(self.tlvs or {}), **fitting} or None


def of(config: SMPPConfig) -> Profile:
    fields = {name: value for name in FIELDS if (value := getattr(config, name))}
    if config.schedule:
        fields["schedule_delivery_time"] = relative(timedelta(seconds=config.schedule))
    if config.validity_period and config.validity_form == "relative":
        fields["validity_period"] = relative(timedelta(seconds=config.validity_period))
    return Profile(
        source=Addressing(config.source_ton, config.source_npi, config.international_prefix),
        destination=Addressing(config.dest_ton, config.dest_npi, config.international_prefix),
        fields=fields,
        tlvs={tlv.tag: tlv.octets(tlv.value) for tlv in config.tlvs.values() if tlv.value is not None} or None,
        kinds=config.tlvs,
        reasons={**BY_RULE, **{int(number, 16): OF_WORD[word] for number, word in config.statuses.items()}},
        refusals={int(name, 16): code for name, code in config.refusals.items()},
        errors={bare(name): code for name, code in config.errors.items() if name not in config.refusals},
        numbering=NUMBERINGS[config.err_numbering],
        texts=config.texts(),
        default_country=config.default_country,
        receipt_swapped=config.receipt_swapped,
        receipt_by_shape=config.receipt_by_shape,
        validity=config.validity_period,
        ends_at=(ends_at := config.validity_form == "absolute"),
        dates_validity=ends_at and config.validity_period > 0,
    )


FIELDS = ("service_type", "protocol_id", "priority_flag", "registered_delivery")


def as_markdown() -> str:
    """What is done at each command_status and what the target is told, as docs/carrier-codes.md shows it."""
    actions = [f"| `{action}` | {_word(action)} | {words} |" for action, words in MEANINGS.items()]
    rows = [
        f"| `{row.number:#06x}` | `{row.name}` | {row.words} | `{row.action}` | {_error_code(row.number)} |"
        for row in STATUSES.values()
    ]
    vendors = f"| `{VENDORS[0]:#06x}` to `{VENDORS[-1]:#06x}` | | {status(VENDORS[0]).words} |"
    head = "| command_status | name | meaning | action | error_code of a target that fails by it |"
    return "\n".join([
        "| action | in `statuses` | what is done |", "| --- | --- | --- |", *actions, "",
        head, "| --- | --- | --- | --- | --- |", *rows,
        f"{vendors} `{Action.PERMANENT}` | {_error_code(VENDORS[0])} |",
    ])  # fmt: skip


def _word(action: Action) -> str:
    return next((f"`{word}`" for word, reason in OF_WORD.items() if OF_ACTION.get(action) == reason), "")


def _error_code(number: int) -> str:
    if number == NUMBERS["ESME_ROK"]:
        return ""
    return f"`{REASONS[BY_RULE.get(number, OF_ACTION[Action.PERMANENT])].error_code}`"
