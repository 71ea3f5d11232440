"""A rule of MMS made ready to be played."""

from msgspec import Struct

from messagehub.carriers.simulator.scenario import Answer, Report, Rule, When


class MMSCourse(Struct):
    """`reports` each with its delay in seconds. `played` counts."""

    name: str
    when: When
    answer: Answer
    reports: tuple[tuple[float, Report], ...]
    played: int = 0

    @property
    def takes(self) -> bool:
        """It is accepted, whatever the answer says: of what is refused there are no reports."""
        return bool(self.reports) or not (self.answer.refuses or self.answer.none)


def prepared(rule: Rule, name: str, receipt_delay: float) -> MMSCourse:
    """`receipt_delay`: seconds to the reports that do not say when they come."""
    given = rule.reports
    if given is None:
        given = () if rule.answer.refuses or rule.answer.none else (Report(),)
    reports = [(receipt_delay if one.after is None else one.after, one) for one in given for _ in range(one.times)]
    return MMSCourse(name, rule.when, rule.answer, tuple(reports))
