"""The computation alone, like a data scientist runs it without a platform. `python -m bench.plain_script FOLDER`.

It has the same four steps as the assets, on local files, without digests, checks or history.
"""

import os
import sys
from pathlib import Path

SQL = "SELECT loan_amount, income, credit_score, age, loan_term, default_status FROM loans"


def fetch_data(folder: Path):
    import pandas as pd
    import sqlalchemy

    loans = pd.read_sql(sqlalchemy.text(SQL), sqlalchemy.create_engine(os.environ["PLATFORM_DATABASE_URL"]))
    loans.to_csv(folder / "loans.csv", index=False)
    return loans


def train_model(loans):
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import train_test_split

    X, y = loans.drop("default_status", axis=1), loans["default_status"]
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.2, random_state=42, stratify=y)
    model = RandomForestClassifier(n_estimators=100, max_depth=10, random_state=42, n_jobs=-1)
    return model.fit(X_train, y_train), X_test, y_test


def save_model(folder: Path, model, X_test, y_test):
    import joblib
    import pandas as pd

    joblib.dump(model, folder / "model.pkl")
    pd.concat([X_test, y_test], axis=1).to_csv(folder / "test.csv", index=False)


def evaluate_model(folder: Path, model, X_test, y_test):
    from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score

    predicted = model.predict(X_test)
    metrics = {"Accuracy": accuracy_score, "Precision": precision_score, "Recall": recall_score, "F1 Score": f1_score}
    lines = [f"{name}: {metric(y_test, predicted):.4f}\n" for name, metric in metrics.items()]
    (folder / "metrics.txt").write_text("".join(["Model Performance Metrics\n", "========================\n", *lines]))


def main(folder: Path) -> None:
    loans = fetch_data(folder)
    trained = train_model(loans)
    save_model(folder, *trained)
    evaluate_model(folder, *trained)
    print((folder / "metrics.txt").read_text())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
