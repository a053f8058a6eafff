"""A backup that is not made, or has no way back, shows on the day when the volume is gone."""

import pytest

from credit_assets.commands.main import main
from tests.chart.managed_database import MANAGED


def spec(chart, name):
    return chart.one("CronJob", f"rel-postgresql-{name}")["spec"]


def pod(chart, name):
    return spec(chart, name)["jobTemplate"]["spec"]["template"]


def containers(chart, name):
    """Containers of a pod in the order in which they run, by name."""
    found = pod(chart, name)["spec"]
    return {each["name"]: each for each in [*found["initContainers"], *found["containers"]]}


def environment(container):
    return {each["name"]: each.get("value") for each in container["env"]}


def test_backups_are_made_by_schedule_one_at_a_time_and_end(chart) -> None:
    made = spec(chart, "backup")
    assert made["schedule"] == "17 */6 * * *"
    assert (made["timeZone"], made["suspend"], made["concurrencyPolicy"]) == ("Etc/UTC", False, "Forbid")
    assert made["startingDeadlineSeconds"] == 3600
    assert made["jobTemplate"]["spec"]["activeDeadlineSeconds"] == 3600
    assert made["jobTemplate"]["spec"]["backoffLimit"] == 3


def test_nothing_is_kept_before_everything_is_dumped(chart) -> None:
    dump, kept = containers(chart, "backup").values()
    assert (dump["name"], kept["name"]) == ("dump", "keep")
    assert dump["image"] == "postgres:15-bookworm"
    assert dump["command"] == ["bash", "/scripts/dump.sh", "/backup", "dagster", "lending"]
    assert kept["args"] == ["credit-platform", "backups", "keep", "/backup", "--newest=28"]
    assert environment(kept)["PLATFORM_STORE"] == "s3://credit-platform/artifacts/backups"
    assert {"name": "backup", "mountPath": "/backup"} in dump["volumeMounts"]
    assert {"name": "backup", "mountPath": "/backup"} in kept["volumeMounts"]


def test_loans_of_somebody_else_are_not_backed_up(render) -> None:
    theirs = render(loans={"secretName": "theirs"})
    assert containers(theirs, "backup")["dump"]["command"] == ["bash", "/scripts/dump.sh", "/backup", "dagster"]


def test_a_restore_never_runs_by_itself_and_only_from_what_was_verified(chart) -> None:
    restore = spec(chart, "restore")
    assert restore["suspend"] is True
    assert restore["jobTemplate"]["spec"]["backoffLimit"] == 0
    assert list(containers(chart, "restore")) == ["fetch", "restore", "migrate"]
    fetch, restored, migrate = containers(chart, "restore").values()
    assert fetch["args"] == ["credit-platform", "backups", "fetch", "/backup"]
    assert environment(fetch)["PLATFORM_STORE"] == environment(containers(chart, "backup")["keep"])["PLATFORM_STORE"]
    assert restored["command"] == ["bash", "/scripts/restore.sh", "/backup"]
    assert migrate["args"] == ["dagster", "instance", "migrate"]


@pytest.mark.parametrize("name", ["backup", "restore"])
def test_the_programs_that_a_pod_calls_are_there(chart, name, tmp_path, monkeypatch, capsys) -> None:
    scripts = chart.one("ConfigMap", "rel-postgresql-backup")["data"]
    for container in containers(chart, name).values():
        if "command" in container:
            assert container["command"][1].removeprefix("/scripts/") in scripts
        elif container["args"][0] == "credit-platform":
            monkeypatch.setenv("PLATFORM_STORE", tmp_path.as_uri())
            arguments = [str(tmp_path) if each == "/backup" else each for each in container["args"][1:]]
            assert main(arguments) == 1
            assert "error: " in capsys.readouterr().err, "the arguments are understood; there is nothing to do"


@pytest.mark.parametrize("name", ["backup", "restore"])
def test_a_backup_reaches_postgresql_with_an_account_of_its_own_and_no_password_in_a_command(chart, name) -> None:
    assert pod(chart, name)["spec"]["serviceAccountName"] == "rel-postgresql-backup"
    assert chart.one("ServiceAccount", "rel-postgresql-backup")["automountServiceAccountToken"] is False
    assert pod(chart, name)["spec"]["automountServiceAccountToken"] is False
    (rule,) = chart.one("NetworkPolicy", "rel-postgresql")["spec"]["ingress"]
    (peer,) = rule["from"]
    assert peer["podSelector"]["matchLabels"].items() <= pod(chart, name)["metadata"]["labels"].items()
    program = containers(chart, name)["dump" if name == "backup" else "restore"]
    (password,) = [each for each in program["env"] if each["name"] == "PGPASSWORD"]
    assert password["valueFrom"]["secretKeyRef"] == {"name": "rel-postgresql", "key": "postgresql-password"}
    assert environment(program)["PGHOST"] == chart.one("Service", "rel-postgresql")["metadata"]["name"]


def test_a_bucket_and_an_identity_of_their_own_keep_backups_from_the_runs(render) -> None:
    annotations = {"eks.amazonaws.com/role-arn": "arn:backup"}
    backup = {"uri": "s3://safe/credit", "serviceAccount": {"annotations": annotations}}
    chart = render(postgresql={"backup": backup})
    for name, program in (("backup", "keep"), ("restore", "fetch")):
        assert environment(containers(chart, name)[program])["PLATFORM_STORE"] == "s3://safe/credit"
    assert chart.one("ServiceAccount", "rel-postgresql-backup")["metadata"]["annotations"] == annotations


@pytest.mark.parametrize(
    "values", [MANAGED, {"postgresql": {"backup": {"enabled": False}}}], ids=["managed", "switched off"]
)
def test_without_a_postgresql_of_its_own_a_release_has_no_backups(render, values) -> None:
    chart = render(**values)
    assert [each["metadata"]["name"] for each in chart.of("CronJob")] == ["rel-lineage"]
    assert not [each for each in chart.objects if "backup" in each["metadata"]["name"]]


@pytest.mark.parametrize(
    ("backup", "refusal"),
    [
        ({"keep": 0}, "/postgresql/backup/keep"),
        ({"schedule": "daily"}, "/postgresql/backup/schedule"),
        ({"uri": "/tmp/backups"}, "/postgresql/backup/uri"),
        ({"retention": 7}, "retention"),
    ],
)
def test_a_setting_that_would_make_no_backup_is_refused(render, refused, backup, refusal) -> None:
    with pytest.raises(refused, match=refusal):
        render(postgresql={"backup": backup})
