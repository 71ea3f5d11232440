"""What is changed in generated requests: a source cannot be guessed, and nobody out there shall be called."""

from typing import Any

import schemathesis

SOURCE = "+15551234567"
"""The number of the examples, which the fuzzed customer owns."""


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case[Any], _: object) -> None:
    if case.meta is None or not case.meta.generation.mode.is_positive or not isinstance(case.body, dict):
        return
    if case.method == "POST" and case.path.endswith("/messages") and "source" in case.body:
        case.body["source"] = SOURCE
    if case.method == "POST" and case.path.endswith("/conversations") and "self" in case.body:
        case.body["self"] = SOURCE
    if "page_token" in case.body:  # whatever it is, it has to come from an answer
        case.body["page_token"] = ""
    if "/carriers" in case.path:
        case.body["disabled"] = True
    if case.method == "PUT" and "/routes/" in case.path:  # a carrier that was deleted is not the route that is missing
        case.body.pop("carrier_id", None)
