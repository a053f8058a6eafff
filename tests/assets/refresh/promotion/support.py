"""What tests of a promotion look at: the pointer, the set that it names, and the verdict of the rule."""

import os
from collections.abc import Callable
from typing import Any

import dagster as dg

from credit_assets.promoted_model import CHECK
from credit_assets.promotion.model_set import PARTS
from credit_assets.promotion.table_pointer import open_pointer
from resources.store.opening import open_store
from resources.store.pointers.pointer import Pointer
from resources.store.pointers.positions import Position

ByHand = Callable[[str], dg.ExecuteInProcessResult]


def pointer() -> Pointer:
    return open_pointer(open_store(os.environ["PLATFORM_STORE"]), "loans")


def names(position: Position, run: Any) -> bool:
    """Whether it names what that run committed, all of it and nothing else."""
    logged = {
        part: (run.logged(part, "checkpoint/place"), run.logged(part, "checkpoint/manifest_sha256")) for part in PARTS
    }
    return {name: (each["place"], each["manifest_sha256"]) for name, each in position.value["set"].items()} == logged


def verdict(result: dg.ExecuteInProcessResult) -> Any:
    (evaluation,) = [each for each in result.get_asset_check_evaluations() if each.check_name == CHECK]
    assert evaluation.severity is dg.AssetCheckSeverity.WARN
    assert not evaluation.blocking
    return evaluation
