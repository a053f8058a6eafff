"""A registry that gets a version twice, half or never serves another model than the promoted one."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from resources.services.registry import Registry, RegistryError, Version
from tests.support.servers.registry import Server, serve

NAME, SOURCE = "credit-default-credit-loans", "s3://bucket/model.joblib"
FIRST = Version(SOURCE, {"root_run": "root"}, "what people read")
NEWER = Version("s3://bucket/newer.joblib", {"root_run": "newer"})


@pytest.fixture
def registry() -> Server:
    return Server()


@pytest.fixture
def uri(registry: Server) -> Iterator[str]:
    with serve(registry) as uri:
        yield uri


def test_the_promoted_artifact_is_a_version_and_the_champion(registry: Server, uri: str) -> None:
    assert Registry(uri).register(NAME, [FIRST]) == "1"
    assert registry.models == {NAME}
    assert registry.aliases == {"champion": "1"}
    assert registry.versions[0]["source"] == SOURCE
    assert registry.versions[0]["tags"] == [{"key": "root_run", "value": "root"}]
    assert registry.versions[0]["description"] == "what people read"


def test_registering_twice_changes_nothing_and_a_rollback_makes_no_second_version(registry: Server, uri: str) -> None:
    Registry(uri).register(NAME, [FIRST])
    Registry(uri).register(NAME, [FIRST, NEWER])
    assert registry.aliases == {"champion": "2"}
    assert Registry(uri).register(NAME, [FIRST, NEWER, FIRST]) == "1"
    assert Registry(uri).register(NAME, [FIRST, NEWER, FIRST]) == "1"
    assert registry.aliases == {"champion": "1"}
    assert len(registry.versions) == 2


@pytest.mark.parametrize(
    "path",
    ["/registered-models/create", "/model-versions/search", "/model-versions/create", "/registered-models/alias"],
)
def test_what_broke_half_way_is_finished_by_registering_again(registry: Server, uri: str, path: str) -> None:
    registry.broken = {path}
    with pytest.raises(RegistryError, match=rf"the registry refused {path} \(500 INTERNAL_ERROR: it broke\)"):
        Registry(uri).register(NAME, [FIRST])
    assert registry.aliases == {}
    registry.broken = set()
    assert Registry(uri).register(NAME, [FIRST]) == "1"
    assert len(registry.versions) == 1
    assert registry.aliases == {"champion": "1"}


def test_credentials_are_sent_and_never_shown(registry: Server, uri: str) -> None:
    by_password = Registry(uri, user="ada", password="secret")
    by_password.register(NAME, [FIRST])
    assert str(registry.authorization).startswith("Basic ")
    by_token = replace(by_password, token="token")
    by_token.register(NAME, [FIRST])
    assert registry.authorization == "Bearer token"
    assert "secret" not in repr(by_token)
    with pytest.raises(RegistryError) as refused:
        Registry("http://ada:secret@127.0.0.1:1").register(NAME, [FIRST])
    assert "ConnectionError" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_versions_that_the_registry_lacks_are_made_oldest_first_and_the_last_gets_the_alias(
    registry: Server, uri: str
) -> None:
    middle = Version("s3://bucket/middle.joblib", {"root_run": "middle"})
    Registry(uri).register(NAME, [middle])
    assert Registry(uri).register(NAME, [FIRST, middle, NEWER]) == "3"
    assert registry.sources == [middle.source, FIRST.source, NEWER.source]
    assert registry.aliases == {"champion": "3"}


def test_a_version_on_a_later_page_is_not_made_again(registry: Server, uri: str) -> None:
    registry.page = 1
    Registry(uri).register(NAME, [FIRST, NEWER])
    assert Registry(uri).register(NAME, [FIRST, NEWER, FIRST]) == "1"
    assert len(registry.versions) == 2
