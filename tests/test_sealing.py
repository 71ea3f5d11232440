import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from messagehub import clock
from messagehub.accounts import customers
from messagehub.accounts.customers import Customers
from messagehub.carriers.book import Carriers
from messagehub.errors import SettingError
from messagehub.sealing import Key, Sealer, sealer
from messagehub.store import Insert, Store
from messagehub.webhooks.sign import new_secret

FIRST, SECOND = Key("the first key, which is long enough"), Key("the second key, which is long enough")
CONFIG = {"host": "localhost", "port": 2775, "system_id": "me", "password": "hunter2"}
SQLITE = "sqlite:///"


@given(st.text(), st.text())
@settings(max_examples=50)
def test_what_is_sealed_opens_at_its_place(text: str, place: str) -> None:
    sealed = Sealer([FIRST]).seal(text, place)
    assert Sealer([SECOND, FIRST]).unseal(sealed, place) == text
    assert len(text) < 4 or text not in sealed


def test_a_secret_does_not_open_in_another_place() -> None:
    sealed = Sealer([FIRST]).seal("hunter2", "carriers/a/password")
    with pytest.raises(SettingError, match="carriers/b/password in the store was not sealed for this place"):
        Sealer([FIRST]).unseal(sealed, "carriers/b/password")


def test_without_its_key_it_says_which_one_is_missing() -> None:
    sealed = Sealer([FIRST]).seal("hunter2", "here")
    with pytest.raises(SettingError, match=f"MESSAGEHUB_SECRET_KEY: here was sealed under key {FIRST.id}"):
        Sealer([SECOND]).unseal(sealed, "here")


def test_twice_the_same_secret_looks_different() -> None:
    assert Sealer([FIRST]).seal("hunter2", "here") != Sealer([FIRST]).seal("hunter2", "here")


def test_without_keys_secrets_stay_in_the_clear() -> None:
    assert not Sealer()
    assert Sealer().unseal(Sealer().seal("hunter2", "here"), "here") == "hunter2"


# --- where the key comes from -----------------------------------------------------------


def test_sqlite_has_a_key_in_a_file_of_its_owner(tmp_path: Path) -> None:
    url = f"{SQLITE}{tmp_path}/hub.db"
    sealed = sealer("", url, is_used=False).seal("hunter2", "here")
    assert sealer("", url, is_used=False).unseal(sealed, "here") == "hunter2"
    assert [file.name for file in tmp_path.iterdir()] == ["hub.db.key"]
    assert stat.S_IMODE((tmp_path / "hub.db.key").stat().st_mode) == 0o600


def test_a_store_that_is_used_gets_no_new_key(tmp_path: Path) -> None:
    with pytest.raises(SettingError, match=r"hub\.db\.key: the key of the store's secrets is missing"):
        sealer("", f"{SQLITE}{tmp_path}/hub.db", is_used=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"short\n", b"\xff" * 40])
def test_a_file_that_holds_no_key_is_an_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "hub.db.key").write_bytes(content)
    with pytest.raises(SettingError, match=r"hub\.db\.key"):
        sealer("", f"{SQLITE}{tmp_path}/hub.db", is_used=False)


def test_the_setting_comes_first_and_makes_no_file(tmp_path: Path) -> None:
    assert (
        sealer(f"{'a' * 32}, {'b' * 32}", f"{SQLITE}{tmp_path}/hub.db", is_used=False).mark
        == Sealer([Key("a" * 32)]).mark
    )
    assert list(tmp_path.iterdir()) == []


def test_postgresql_has_no_key_unless_it_is_given() -> None:
    assert not sealer("", "postgresql://localhost/messagehub", is_used=False)


@pytest.mark.parametrize("given", ["short", f"{'a' * 32},short"])
def test_a_key_that_could_be_guessed_is_an_error(given: str) -> None:
    with pytest.raises(SettingError, match="MESSAGEHUB_SECRET_KEY: a key has 32 characters at least") as caught:
        sealer(given, "postgresql://localhost/messagehub", is_used=False)
    assert "short" not in str(caught.value)


# --- in the store -----------------------------------------------------------------------


def everything_in(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_no_secret_is_readable_in_the_files_of_the_store(tmp_path: Path) -> None:
    from messagehub.store import open_store

    store = await open_store(f"{SQLITE}{tmp_path}/hub.db")
    secret = new_secret()
    customer = customers.new(name="somebody", now=clock.now(), webhook_secret=secret)
    await store.write([Insert("insert_customer", [customer.as_row(Sealer([FIRST]))])])
    carriers = Carriers(store, Sealer([FIRST]))
    made = await carriers.add("carrier", "smpp", CONFIG, False, clock.now())
    await carriers.change(made.id, clock.now(), {"password": "hunter3"})
    assert (await carriers.get(made.id)).settings == {**CONFIG, "password": "hunter3"}
    assert (await Customers(store, Sealer([FIRST])).get(store, customer.id)).webhook_secret == secret
    await store.close()
    octets = everything_in(tmp_path)
    assert b"localhost" in octets
    for word in (b"hunter2", b"hunter3", secret.removeprefix("whsec_").encode()):
        assert word not in octets


async def test_a_new_key_seals_anew_what_an_old_one_or_none_had_sealed(store: Store) -> None:
    now, old, new = clock.now(), Sealer([FIRST]), Sealer([SECOND, FIRST])
    made = [customers.new(name=name, now=now, webhook_secret=new_secret()) for name in ("clear", "old")]
    await store.write([Insert("insert_customer", [made[0].as_row(Sealer())])])
    await store.write([Insert("insert_customer", [made[1].as_row(old)])])
    carrier = await Carriers(store, old).add("carrier", "smpp", CONFIG, False, now)
    assert await Customers(store, new).seal() == 2
    assert await Customers(store, new).seal() == 0
    await Carriers(store, new).seal()
    alone = Sealer([SECOND])
    for customer in made:
        assert await Customers(store, alone).get(store, customer.id) == customer
    assert (await Carriers(store, alone).get(carrier.id)).settings == CONFIG


async def test_a_store_whose_key_is_missing_is_not_served(store: Store) -> None:
    made = customers.new(name="somebody", now=clock.now(), webhook_secret=new_secret())
    await store.write([Insert("insert_customer", [made.as_row(Sealer([FIRST]))])])
    with pytest.raises(SettingError, match=f"sealed under key {FIRST.id}"):
        await Customers(store, Sealer([SECOND])).seal()
    with pytest.raises(SettingError, match=f"sealed under key {FIRST.id}"):
        await Customers(store, Sealer()).seal()
