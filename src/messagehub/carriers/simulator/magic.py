"""The magic numbers: what becomes of a message by the last four digits of its destination, as rules like any others."""

from messagehub.carriers.simulator.options import Options
from messagehub.carriers.simulator.scenario import Receipt, Response, Rule, When

ACCEPTED = Response()
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


def _rule(
    suffix: str,
    response: Response = ACCEPTED,
    receipts: tuple[Receipt, ...] | None = None,
    first: int = 0,
    unsaid: str = "",
) -> Rule:
    when = When(to_suffix=suffix, first=first, per="destination")
    return Rule(name=suffix, when=when, response=response, receipts=receipts, unsaid=unsaid)
