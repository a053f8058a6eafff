"""A migration that needs what it has no right to fails the upgrade at the moment when the tables must change."""

import yaml


def migration(chart):
    return chart.one("Job", "rel-migrate")


def test_tables_are_brought_up_to_date_before_the_new_pods_come(chart) -> None:
    annotations = migration(chart)["metadata"]["annotations"]
    assert set(annotations["helm.sh/hook"].split(",")) == {"post-install", "pre-upgrade"}
    (first,) = migration(chart)["spec"]["template"]["spec"]["initContainers"]
    assert first["args"] == ["dagster", "instance", "migrate"]


def test_the_migration_knows_the_storage_and_no_launcher_for_which_it_would_need_a_token(chart) -> None:
    spec = migration(chart)["spec"]["template"]["spec"]
    assert spec["automountServiceAccountToken"] is False
    (mount,) = [
        each for each in spec["initContainers"][0]["volumeMounts"] if each["mountPath"].endswith("/dagster.yaml")
    ]
    config = yaml.safe_load(chart.one("ConfigMap", "rel-migrate-instance")["data"][mount["subPath"]])
    assert config["storage"] == chart.instance["storage"]
    assert "run_launcher" not in config


def test_an_upgrade_that_brings_settings_does_not_wait_for_a_file_that_the_release_before_lacks(render) -> None:
    chart = render(settings={"toml": '[table]\nname = "credits"\n'})
    hook = migration(chart)["metadata"]["annotations"]
    volumes = migration(chart)["spec"]["template"]["spec"]["volumes"]
    used = {each["configMap"]["name"] for each in volumes if "configMap" in each}
    assert used == {"rel-migrate-instance", "rel-migrate-settings"}
    for name in used:
        annotations = chart.one("ConfigMap", name)["metadata"]["annotations"]
        assert annotations["helm.sh/hook"] == hook["helm.sh/hook"], "Helm makes it after the migration"
        assert int(annotations["helm.sh/hook-weight"]) < int(hook.get("helm.sh/hook-weight", 0))
    data = [chart.one("ConfigMap", name)["data"] for name in ("rel-migrate-settings", "rel-settings")]
    assert data[0] == data[1], "the migration proves other settings than those that the runs get"


def test_only_loans_of_the_release_are_made_up(chart, render) -> None:
    assert "--seed" in migration(chart)["spec"]["template"]["spec"]["containers"][0]["args"]
    theirs = render(loans={"secretName": "theirs"})
    assert "--seed" not in migration(theirs)["spec"]["template"]["spec"]["containers"][0]["args"]
    assert not [each for each in theirs.of("Secret") if each["metadata"]["name"] == "rel-loans"]


def test_a_settings_file_of_ones_own_reaches_servers_and_runs(render) -> None:
    chart = render(settings={"toml": '[table]\nname = "credits"\n'})
    assert chart.one("ConfigMap", "rel-settings")["data"]["settings.toml"] == '[table]\nname = "credits"\n'
    (server,) = chart.one("Deployment", "rel-code-server")["spec"]["template"]["spec"]["containers"]
    run = chart.instance["run_launcher"]["config"]
    for env in (server["env"], run["run_k8s_config"]["container_config"]["env"]):
        variables = {each["name"]: each.get("value") for each in env}
        assert variables["PLATFORM_SETTINGS"] == "/etc/credit-platform/settings.toml"
    for mounts in (server["volumeMounts"], run["volume_mounts"]):
        assert "/etc/credit-platform" in [each["mountPath"] for each in mounts]
