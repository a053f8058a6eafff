"""A registry that missed promotions, or serves another table's model, sends people to a model that is not in use."""

from collections.abc import Iterator
from typing import Any

import pytest

from credit_assets.promotion.promote import Decision, promote, promote_by_hand
from credit_assets.promotion.registration import register_promotions
from credit_assets.promotion.table_pointer import open_pointer
from resources.services.registry import Registry
from resources.store.object_store import ObjectStore
from tests.support.pages import ROOT
from tests.support.servers.registry import Server, serve

RULE, TABLE = Decision("rule", "run", "run"), "credit.loans"
pytestmark = pytest.mark.parametrize("store_uri", ["s3"], indirect=True)


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def registry(server: Server) -> Iterator[Registry]:
    with serve(server) as uri:
        yield Registry(uri)


def model(store: ObjectStore, parts: Any) -> str:
    return store.location(parts["trained_model"].manifest.files[0].key)


def test_a_registry_that_is_away_costs_no_promotion_and_the_next_run_registers_all_that_it_missed(
    store: ObjectStore, commit_set: Any, registry: Registry, server: Server
) -> None:
    warnings: list[str] = []
    assert register_promotions(registry, store, TABLE, pytest.fail) == "nothing to register"
    sets = [commit_set(f"day {day}", day=day) for day in (1, 2, 3)]
    for parts in sets[:2]:
        promote(store, TABLE, parts, RULE)
        registered = register_promotions(Registry("http://127.0.0.1:1"), store, TABLE, warnings.append)
        assert registered.startswith("not registered: the registry was not updated (ConnectionError)")
    assert len(warnings) == 2
    assert "the next run registers what the registry lacks" in warnings[0]
    assert not server.versions
    promote(store, TABLE, sets[2], RULE)
    assert register_promotions(registry, store, TABLE, pytest.fail) == "version 3 is its champion"
    assert server.models == {"credit-default-credit-loans"}
    assert server.sources == [model(store, parts) for parts in sets]
    assert server.versions[0]["tags"][:2] == [
        {"key": "promotion", "value": "3"},
        {"key": "root_run", "value": "day 3"},
    ]


def test_without_a_registry_nothing_is_registered(store: ObjectStore, commit_set: Any) -> None:
    promote(store, TABLE, commit_set("root"), RULE)
    assert register_promotions(Registry(), store, TABLE, pytest.fail) == "none (MLFLOW_TRACKING_URI)"


def test_an_entry_says_that_mlflow_can_not_load_it_and_so_do_the_pages(
    store: ObjectStore, commit_set: Any, registry: Registry, server: Server
) -> None:
    promote(store, TABLE, commit_set("root"), RULE)
    register_promotions(registry, store, TABLE, pytest.fail)
    (entry,) = server.versions
    assert not [key for key in store.list_keys() if key.endswith("MLmodel")], "MLflow can load it: the note is wrong"
    said = [entry["description"], *((ROOT / page).read_text() for page in ("README.md", "docs/model-in-use.md"))]
    for text in said:
        assert "note" in text
        assert "`mlflow.sklearn.load_model` can't load it" in text.replace("\n", " ")


def test_after_a_rollback_the_alias_is_at_the_older_version(
    store: ObjectStore, commit_set: Any, registry: Registry, server: Server
) -> None:
    old, new = commit_set("old", day=1), commit_set("new", day=2)
    for parts in (old, new):
        promote(store, TABLE, parts, RULE)
    assert register_promotions(registry, store, TABLE, pytest.fail) == "version 2 is its champion"
    promote_by_hand(store, TABLE, old, Decision("hand", "x", "x", "Ada", "because"))
    assert register_promotions(registry, store, TABLE, pytest.fail) == "version 1 is its champion"
    assert server.sources == [model(store, old), model(store, new)]


def test_each_table_has_a_registered_model_of_its_own(
    store: ObjectStore, commit_set: Any, registry: Registry, server: Server
) -> None:
    promote(store, TABLE, commit_set("ours"), RULE)
    promote(store, "german_credit", commit_set("theirs", table="german_credit"), RULE)
    assert register_promotions(registry, store, TABLE, pytest.fail) == "version 1 is its champion"
    assert server.models == {"credit-default-credit-loans"}
    register_promotions(registry, store, "german_credit", pytest.fail)
    assert server.models == {"credit-default-credit-loans", "credit-default-german_credit"}


def test_a_damaged_older_position_does_not_keep_the_latest_model_out_of_the_registry(
    store: ObjectStore, commit_set: Any, registry: Registry, server: Server
) -> None:
    sets, warnings = [commit_set(f"day {day}", day=day) for day in (1, 2)], list[str]()
    for parts in sets:
        promote(store, TABLE, parts, RULE)
    key = open_pointer(store, TABLE).at(1).key
    store.delete(key)
    store.create(key, b"{ torn")
    assert register_promotions(registry, store, TABLE, warnings.append) == "version 1 is its champion"
    assert server.sources == [model(store, sets[1])]
    assert "can't be read as a position" in warnings[0]
