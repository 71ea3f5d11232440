"""The magic numbers: what becomes of a message by the last four digits of its destination, as rules like any others."""

from messagehub.carriers.simulator.options import Options
from messagehub.carriers.simulator.scenario import Answer, Receipt, Report, Response, Rule, When

ACCEPTED, TAKEN = Response(), Answer()
OVERTAKEN = 0.2  # seconds: long enough for the receipt to arrive first by any bind


def rules(options: Options) -> tuple[Rule, ...]:
    usual, second = options.receipt_delay, options.receipt_delay + options.second_receipt_delay
    return (
        _rule("0001", receipts=(Receipt(stat="UNDELIV", err="001"),)),
        _rule("0002", receipts=(Receipt(stat="REJECTD", err="002"),)),
        _rule("0003", Response(status="ESME_RINVDSTADR")),
        _rule("0004", Response(status="ESME_RTHROTTLED"), first=3),
        _rule("0005", receipts=(), unsaid="DELIVRD"),
        _rule("0006", Response(none=True)),
        _rule("0007", Response(after=min(usual, OVERTAKEN)), (Receipt(after=0),)),
        _rule("0008", receipts=(Receipt(after=options.slow_receipt),)),
        _rule("0009", receipts=(Receipt(stat="EXPIRED", err="003"), Receipt(after=second))),
    )


def rules_of_mms(options: Options) -> tuple[Rule, ...]:
    """The same in the words of MM7."""
    usual, second = options.receipt_delay, options.receipt_delay + options.second_receipt_delay
    return (
        _of_mms("0001", reports=(Report(status="Unreachable"),)),
        _of_mms("0002", reports=(Report(status="Rejected"),)),
        _of_mms("0003", Answer(status=2002)),
        _of_mms("0004", Answer(status=4006), first=3),
        _of_mms("0005", reports=()),
        _of_mms("0006", Answer(none=True)),
        _of_mms("0007", Answer(after=min(usual, OVERTAKEN)), (Report(after=0),)),
        _of_mms("0008", reports=(Report(after=options.slow_receipt),)),
        _of_mms("0009", reports=(Report(status="Expired"), Report(after=second))),
    )


def _of_mms(suffix: str, answer: Answer = TAKEN, reports: tuple[Report, ...] | None = None, first: int = 0) -> Rule:
    when = When(to_suffix=suffix, first=first, per="destination")
    return Rule(name=f"{suffix} MMS", on="mms", when=when, answer=answer, reports=reports)


def _rule(
    suffix: str,
    response: Response = ACCEPTED,
    receipts: tuple[Receipt, ...] | None = None,
    first: int = 0,
    unsaid: str = "",
) -> Rule:
    when = When(to_suffix=suffix, first=first, per="destination")
    return Rule(name=suffix, when=when, response=response, receipts=receipts, unsaid=unsaid)
