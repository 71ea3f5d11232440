"""Flows that ran are kept for as long as webhooks are; those that run stay."""

from messagehub import clock, ids
from messagehub.flows import active
from messagehub.flows.active import Activeflow
from messagehub.flows.state import End
from messagehub.messages.retention import DAY, Policy, Retention
from messagehub.store import Store


def begun(age: int) -> Activeflow:
    one = active.begin(customer_id="c", flow_id=ids.UNSET, linked={}, reference_type="api", own={})
    one.id = ids.first_of(clock.now() - age)[:-8] + one.id[-8:]
    return one


async def test_what_is_too_old_goes(store: Store) -> None:
    ended, young, runs = begun(91 * DAY), begun(89 * DAY), begun(91 * DAY)
    for one in (ended, young):
        one.end(active.state_of(one), End("completed"), clock.now())
    await store.many("insert_activeflow", [ended, young, runs])
    removed = await Retention(store, Policy(messages=0, events=90, traces=0)).run()
    assert removed["activeflows"] == 1
    rows = await store.all("activeflows_page", customer_id="c", before="~", count=9)
    assert {row.id for row in rows} == {young.id, runs.id}
