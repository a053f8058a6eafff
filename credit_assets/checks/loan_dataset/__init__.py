"""Checks on the dataset, before it is committed: rows, types, missing values, ranges, ids, outcomes, leakage.

Belongs here: what is found in the columns (`findings`, `leakage`), and the verdicts that follow from it (`verdicts`,
`missing`). Does not belong here: rules that hold for applications too (`credit_assets.tables.rules`).
"""
