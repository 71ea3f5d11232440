"""messagehub webhooks: the endpoint on a real server; deliveries on one that answers as the API does."""

from tests.cli.shell import Shell
from tests.cli.standin import StandIn
from tests.support.hub import Account

ID = "01a1fbb4-93ff-7298-9d2e-e41a786e1293"
DELIVERY = {
    "id": ID,
    "type": "message_updated",
    "message_id": "01a1fbb4-9018-76dc-9ce8-cb0810516b14",
    "status": "failed",
    "attempts": 2,
    "response_status": 500,
    "error": "",
    "tm_next_attempt": "9999-01-01 00:00:00.000000",
    "tm_create": "2026-11-21 01:24:37.016637",
    "tm_update": "2026-11-21 01:24:38.015563",
}
TRY = {"attempt": 1, "response_status": 0, "error": "timeout", "tm_create": "2026-11-21 01:24:37.016637"}


def test_the_endpoint_is_set_and_shown(mine: Shell, account: Account) -> None:
    done = mine.run("webhooks", "set", "http://127.0.0.1:9/x", "--event", "message_received", "--status", "failed")
    assert ["webhook_uri", "http://127.0.0.1:9/x"] in done.rows
    mine.run("webhooks", "set", "http://127.0.0.1:9/y", "--method", "PUT")
    now = account.api.get("/customer")
    assert (now["webhook_uri"], now["webhook_method"]) == ("http://127.0.0.1:9/y", "PUT")
    assert (now["webhook_events"], now["webhook_statuses"]) == (["message_received"], ["failed"])
    shown, exact = mine.run_all(("webhooks", "show"), ("webhooks", "show", "--json"))
    assert ["webhook_secret", now["webhook_secret"]] in shown.rows
    assert exact.json == now
    mine.run("webhooks", "set", "", "--status", "all")
    off = account.api.get("/customer")
    assert (off["webhook_uri"], off["webhook_statuses"]) == ("", [])
    mine.run("webhooks", "set", "nowhere").is_refused("webhook_uri", "INVALID_WEBHOOK_URI")


def test_deliveries_are_listed(elsewhere: Shell, standin: StandIn) -> None:
    filters = "status=failed&tm_create_from=2026-01-31T10%3A30%3A00.000000Z"
    standin.answers[f"GET /webhook_deliveries?page_size=20&{filters}"] = {"result": [DELIVERY], "next_page_token": ""}
    done = elsewhere.run("webhooks", "list", "--status", "failed", "--since", "2026-01-31 10:30:00")
    assert done.rows[1][:6] == [ID, "2026-11-21 01:24:37", "message_updated", DELIVERY["message_id"], "failed", "2"]


def test_a_delivery_is_shown_with_each_attempt(elsewhere: Shell, standin: StandIn) -> None:
    standin.answers[f"GET /webhook_deliveries/{ID}"] = {**DELIVERY, "body": '{"type":"x"}', "tries": [TRY, TRY]}
    done = elsewhere.run("webhooks", "delivery", ID)
    assert ["body", '{"type":"x"}'] in done.rows
    assert done.rows[-2:] == [["1", "0", "timeout", "2026-11-21 01:24:37"]] * 2
    assert [line for line in done.out.splitlines() if line.endswith(" ")] == []


def test_one_is_replayed(elsewhere: Shell, standin: StandIn) -> None:
    standin.answers[f"POST /webhook_deliveries/{ID}/replay"] = DELIVERY
    assert elsewhere.run("webhooks", "replay", ID, "--json").json == DELIVERY
    assert ["status", "failed"] in elsewhere.run("webhooks", "replay", ID).rows


def test_a_range_is_replayed_part_by_part(elsewhere: Shell, standin: StandIn) -> None:
    parts = [{"replayed": 100, "next_page_token": "more"}, {"replayed": 7, "next_page_token": ""}]
    standin.answers["POST /webhook_deliveries/replay"] = parts
    words = ("--from", "2026-01-31T10:30:00Z", "--to", "2026-01-31T11:30:00Z", "--status", "failed")
    assert elsewhere.run("webhooks", "replay", *words, "--json").json == {"replayed": 107, "next_page_token": ""}
    asked = {
        "status": "failed",
        "tm_create_from": "2026-01-31T10:30:00.000000Z",
        "tm_create_to": "2026-01-31T11:30:00.000000Z",
    }
    assert [each.body for each in standin.asked] == [asked, {**asked, "page_token": "more"}]


def test_either_one_is_replayed_or_a_range(elsewhere: Shell, standin: StandIn) -> None:
    elsewhere.run("webhooks", "replay").is_wrong("--from")
    elsewhere.run("webhooks", "replay", ID, "--from", "1h").is_wrong("--from")
    assert standin.asked == []


def test_the_endpoint_is_tested(elsewhere: Shell, standin: StandIn) -> None:
    told = {"delivered": True, "webhook_id": ID, "response_status": 204, "error": "", "milliseconds": 12}
    standin.answers["POST /customer/webhook_test"] = [told, {**told, "delivered": False, "error": "timeout"}]
    good, bad = elsewhere.run("webhooks", "test"), elsewhere.run("webhooks", "test")
    assert (good.code, ["response_status", "204"] in good.rows) == (0, True)
    assert (bad.code, "timeout" in bad.out) == (3, True)


def test_the_secret_is_made_anew(elsewhere: Shell, standin: StandIn) -> None:
    standin.answers["POST /customer/webhook_secret"] = {"id": ID, "webhook_secret": "whsec_new"}
    assert elsewhere.run("webhooks", "rotate-secret").rows == [["webhook_secret", "whsec_new"]]
