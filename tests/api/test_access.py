"""Who may call what: nobody, a stranger, a customer, another customer, the operator. For every endpoint there is."""

from collections.abc import Callable
from functools import partial

import httpx
import pytest

from messagehub.api.asgi import ENDPOINTS
from messagehub.api.endpoint import Endpoint, Who
from tests.media.samples import SAMPLES
from tests.support import credentials, numbering
from tests.support.api import Api, Json, refusal
from tests.support.hub import Account, Hub

SOME_ID = "01234567-89ab-7def-8123-456789abcdef"
WRONG_KEY = "vb_" + "x" * 32

Place = tuple[str, Endpoint]


def called(place: Place) -> str:
    base, endpoint = place
    return f"{endpoint.method} {base}{endpoint.path}"


def those(*who: Who) -> list[Place]:
    return [place for place in ENDPOINTS if place[1].who in who]


def call(api: Api, place: Place, resource: str = SOME_ID, **query: str) -> httpx.Response:
    base, endpoint = place
    url = httpx.URL(str(api.http.base_url)).join(base + endpoint.path.replace("{id}", resource))
    return api.http.request(endpoint.method, url, json={} if endpoint.takes else None, params=query)


closed = pytest.mark.parametrize("place", those(Who.CUSTOMER, Who.OPERATOR), ids=called)


@closed
def test_nobody(hub: Hub, place: Place) -> None:
    answer = call(hub.caller(), place)
    error = refusal(answer, 401, "AUTHENTICATION_REQUIRED")
    assert error["status"] == "UNAUTHENTICATED"
    assert answer.headers["www-authenticate"] == "Bearer"


@closed
def test_a_wrong_key(hub: Hub, place: Place) -> None:
    error = refusal(call(hub.caller(WRONG_KEY), place), 401, "INVALID_CREDENTIALS")
    assert WRONG_KEY not in str(error)


@pytest.fixture(scope="module")
def bad_ones(hub: Hub) -> dict[str, str]:
    return credentials.bad_ones(hub)


@closed
def test_credentials_that_are_good_no_more_or_never_were(hub: Hub, bad_ones: dict[str, str], place: Place) -> None:
    stranger = hub.caller()
    for label, credential in bad_ones.items():
        stranger.http.headers["Authorization"] = f"Bearer {credential}"
        answer = call(stranger, place)
        error = refusal(answer, 401, "INVALID_CREDENTIALS")
        assert credential not in answer.text, label
        assert "access key or token" in error["message"]


def test_what_is_right_in_all_of_these_is_let_in(hub: Hub) -> None:
    """Else the test above would not mean much."""
    forger = credentials.Forger(hub)
    for credential in (forger.customer["accesskey"], forger.customer["login"], forger.token(), forger.token(jti="x")):
        assert hub.caller(credential).get("/me")["customer_id"] == forger.customer["id"]


@pytest.fixture(scope="module")
def customer(hub: Hub) -> Json:
    return credentials.made(hub)


@closed
def test_a_token_is_as_good_as_a_key(hub: Hub, customer: Json, place: Place) -> None:
    """Of a customer, whose key and token are refused or let in alike."""
    by_key, by_token = (call(hub.caller(customer[which]), place) for which in ("accesskey", "login"))
    assert by_token.status_code == by_key.status_code
    assert by_token.status_code not in (401, 429, 500)


@pytest.mark.parametrize("place", those(Who.OPERATOR), ids=called)
def test_a_customer_at_what_is_the_operators(account: Account, place: Place) -> None:
    assert refusal(call(account.api, place), 403, "PERMISSION_DENIED")["status"] == "PERMISSION_DENIED"


@pytest.mark.parametrize("place", those(Who.ANYBODY), ids=called)
def test_what_is_open_to_anybody(hub: Hub, place: Place) -> None:
    assert call(hub.caller(), place).status_code == (400 if place[1].takes else 200)


@pytest.mark.parametrize("place", those(Who.OPERATOR), ids=called)
def test_rights_come_before_what_is_wrong_with_the_body(account: Account, place: Place) -> None:
    url = httpx.URL(str(account.api.http.base_url)).join(place[0] + place[1].path.replace("{id}", "123"))
    answer = account.api.http.request(place[1].method, url, content=b"{", headers={"Content-Type": "text/plain"})
    refusal(answer, 403, "PERMISSION_DENIED")


def _number(account: Account) -> str:
    number: str = account.api.get("/numbers")["result"][0]["id"]
    return number


def _message(account: Account) -> str:
    sent: str = account.send(numbering.somebody())["id"]
    return sent


def _accesskey(account: Account) -> str:
    key: str = account.api.get("/accesskeys")["result"][0]["id"]
    return key


def _delivery(account: Account) -> str:
    made = account.api.get("/webhook_deliveries")["result"]
    if not made:
        account.api.put("/customer", {"webhook_uri": "http://nowhere.invalid/"})
        account.api.post("/customer/webhook_test")
        account.api.put("/customer", {"webhook_uri": ""})
        made = account.api.get("/webhook_deliveries")["result"]
    delivery: str = made[0]["id"]
    return delivery


def _flow(account: Account) -> str:
    made: str = account.api.post("/flows", {"actions": [{"type": "stop"}]})["id"]
    return made


def _activeflow(account: Account) -> str:
    made: str = account.api.post("/activeflows", {"actions": [{"type": "block"}]})["id"]
    return made


def _conversation(account: Account) -> str:
    opened: str = account.api.post("/conversations", {"self": account.number, "peer": numbering.somebody()})["id"]
    return opened


def _limit(account: Account) -> str:
    given = {"scope": "number", "key": account.number, "segments_per_day": 1_000_000}
    made = account.api.call("POST", "/limits", given)
    limit: Json = made.json() if made.status_code == 200 else account.api.get("/limits")["result"][0]
    return str(limit["id"])


def _pool(account: Account) -> str:
    made = account.api.call("POST", "/sender_pools", {"name": "all", "numbers": [_number(account)]})
    pool: Json = made.json() if made.status_code == 200 else account.api.get("/sender_pools")["result"][0]
    return str(pool["id"])


def _made(path: str, account: Account, **more: str) -> str:
    made: str = account.api.post(f"/{path}", {"address": numbering.somebody(), **more})["id"]
    return made


def _upload(account: Account) -> str:
    made = account.api.http.post("/media", files={"file": ("card.vcf", SAMPLES["vcard"])}).json()
    return str(made["id"])


OWNED: dict[str, Callable[[Account], str]] = {
    "messages": _message,
    "numbers": _number,
    "accesskeys": _accesskey,
    "webhook_deliveries": _delivery,
    "flows": _flow,
    "activeflows": _activeflow,
    "conversations": _conversation,
    "limits": _limit,
    "sender_pools": _pool,
    "opt_outs": partial(_made, "opt_outs"),
    "consents": partial(_made, "consents", method="paper"),
    "contacts": partial(_made, "contacts", time_zone="UTC"),
    "media": _upload,
}
"""How a customer comes to a resource, by the first word of its path."""

with_id = pytest.mark.parametrize(
    "place", [place for place in those(Who.CUSTOMER) if "{id}" in place[1].path], ids=called
)


@with_id
def test_another_customers_resource_is_not_there(hub: Hub, account: Account, place: Place) -> None:
    account.send(numbering.somebody())
    theirs = OWNED[place[1].path.split("/")[1]](account)
    before = account.api.get("/numbers")
    answer = call(hub.customer().api, place, theirs)
    assert answer.status_code == 404
    assert answer.json()["error"]["status"] == "NOT_FOUND"
    assert account.api.get("/numbers") == before
    assert [message["tm_delete"][:4] for message in account.api.get("/messages", page_size=1)["result"]] == ["9999"]


@pytest.mark.parametrize(
    "place", [place for place in those(Who.CUSTOMER, Who.OPERATOR) if "{id}" in place[1].path], ids=called
)
@pytest.mark.parametrize(("resource", "status"), [(SOME_ID, 404), ("123", 400), ("%00", 400), ("é", 400)])
def test_ids_that_lead_nowhere(account: Account, admin: Api, place: Place, resource: str, status: int) -> None:
    api = admin if place[1].who is Who.OPERATOR else account.api
    answer = call(api, place, resource)
    assert answer.status_code == status, answer.text[:500]
    assert answer.json()["error"]["request_id"]


def test_the_lists_of_one_customer_are_empty_for_another(hub: Hub, account: Account) -> None:
    account.send(numbering.somebody())
    other = hub.customer()
    assert other.api.get("/messages")["result"] == []
    assert [number["number"] for number in other.api.get("/numbers")["result"]] == [other.number]


# --- how a key is shown -----------------------------------------------------------------


def as_bearer(key: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Authorization": f"Bearer {key}"}}


def as_small_bearer(key: str) -> dict[str, dict[str, str]]:
    return {"headers": {"authorization": f"bearer {key}"}}


def as_token(key: str) -> dict[str, dict[str, str]]:
    return {"params": {"token": key}}


def as_accesskey(key: str) -> dict[str, dict[str, str]]:
    return {"params": {"accesskey": key}}


WAYS = [as_bearer, as_small_bearer, as_token, as_accesskey]


@pytest.mark.parametrize("way", WAYS)
def test_each_way_to_show_a_key(hub: Hub, account: Account, way: Callable[[str], dict[str, dict[str, str]]]) -> None:
    answer = httpx.get(f"{hub.address}/v1.0/customer", **way(account.api.key))  # type: ignore[arg-type]
    assert answer.json()["id"] == account.id


@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", "Bearer", "", "Bearer a b", "Bearer \xff"])
def test_headers_that_are_no_key(hub: Hub, header: str) -> None:
    answer = httpx.get(f"{hub.address}/v1.0/customer", headers={b"Authorization": header.encode("latin-1")})
    assert answer.status_code == 401


def test_a_key_is_shown_once_only(hub: Hub, admin: Api) -> None:
    name = numbering.own()
    made: Json = admin.post("/customers", {"name": name, "username": name, "password": "long enough"})
    assert made["accesskey"].startswith("vb_")
    assert "accesskey" not in admin.get(f"/customers/{made['id']}")
    assert made["accesskey"] not in admin.call("GET", "/customers").text
    assert "long enough" not in admin.call("GET", "/customers").text
