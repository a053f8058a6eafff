"""From a model in use to what made it, and back, as a person asks at a terminal.

Without these an auditor's question is answered by another model's rows.
"""

from typing import Any

import pytest
from psycopg2.extensions import connection

from credit_assets.commands.main import main
from credit_assets.promotion.model_set import PARTS


def test_lineage_leads_from_the_promoted_model_to_its_rows_and_back(
    refresh: Any, lending: connection, capsys: pytest.CaptureFixture[str]
) -> None:
    first = refresh()
    with lending.cursor() as cursor:
        cursor.execute("DELETE FROM loans WHERE id > 1900")
    lending.commit()
    second = refresh()
    capsys.readouterr()

    assert main(["lineage"]) == 0
    output = capsys.readouterr().out
    assert f"content_sha256: {second.logged('loan_dataset', 'content_sha256')}" in output
    assert "rows: 1900" in output
    assert "seed: 42" in output
    assert f"{second.run.run_id} SUCCESS" in output
    assert first.run.run_id not in output

    for asked in (["1"], [first.run.run_id], [str(first.logged("model_metrics", "sha256"))]):
        assert main(["lineage", *asked]) == 0
        output = capsys.readouterr().out
        assert str(first.logged("loan_dataset", "sql")).removeprefix("```sql\n").removesuffix("\n```") in output
        assert str(second.logged("loan_dataset", "content_sha256")) not in output

    dataset = str(first.logged("loan_dataset", "sha256"))
    assert main(["lineage", "--of-dataset", dataset]) == 0
    output = capsys.readouterr().out
    assert output.splitlines()[-1] == "promoted as number 1"
    for asset in PARTS:
        assert str(first.logged(asset, "sha256")) in output
        assert str(second.logged(asset, "sha256")) not in output

    assert main(["lineage", "--of-code", "trained_model:2"]) == 0
    output = capsys.readouterr().out
    assert output.splitlines()[-1] == "promoted as number 1, 2"
    assert dataset not in output
    assert main(["lineage", "--of-code", "trained_model:1"]) == 1
    assert "nothing of that name" in capsys.readouterr().err
