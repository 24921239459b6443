"""The files of deploy/, without any program that reads them."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from dagster import DagsterInstance
from dagster_docker import DockerRunLauncher

from cv_pipelines.orchestration.stored_compute_logs import StoredComputeLogs
from cv_pipelines.settings import ROOT, Settings, SwarmSettings
from tests.servers import S3, Postgres

DEPLOY = ROOT / "deploy"
NOT_SETTINGS = {
    "CV_IMAGE",
    "CV_RUN_IMAGE",
    "CV_NETWORK",
    "CV_RUN_ENV",
    "CV_RUN_KWARGS",
    "CV_CODE_SERVER",
    "CV_WEB_PROCESSES",
}
"""Variables that only the files of deploy/ read."""


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((DEPLOY / name).read_text())
    return found


def example() -> dict[str, str]:
    lines = (DEPLOY / "env.example").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {name: value.strip("'") for name, value in pairs}


@pytest.mark.parametrize("name", ["compose.yaml", "stack.yaml", "dagster.yaml", "env.example", "Dockerfile"])
def test_every_variable_of_ours_is_one_that_somebody_reads(name: str) -> None:
    known = {f"CV_{field.upper()}" for field in Settings.model_fields}
    known |= {f"CV_SWARM_{field.upper()}" for field in SwarmSettings.model_fields}
    named = set(re.findall(r"\bCV_[A-Z_]+\b", (DEPLOY / name).read_text()))

    assert named - known - NOT_SETTINGS == set()


def test_no_file_holds_a_secret() -> None:
    set_to = r"(password|secret_key|secret_access_key|pass)=(?!CHANGE_ME$).+"
    in_url = r"://[^@/\s]+:(?!CHANGE_ME@)[^@/\s]+@"
    secret = re.compile(f"(?im){set_to}|{in_url}")
    for path in [one for one in DEPLOY.iterdir() if one.suffix != ".lock" and one.name != ".env"]:
        assert [match.group() for match in secret.finditer(path.read_text())] == [], path
    assert "/deploy/.env" in (ROOT / ".gitignore").read_text().splitlines()
    assert {value for name, value in example().items() if "PASS" in name or "SECRET" in name} == {"CHANGE_ME"}


def test_compose_asks_for_nothing_that_the_example_does_not_name() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    required = set(re.findall(r"\$\{([A-Z_]+)(?::\?[^}]*)?\}", text))

    assert required - set(example()) == set()
    of_runs = set(json.loads(example()["CV_RUN_ENV"]))
    assert "CV_DATABASE_URL" in of_runs
    assert of_runs <= set(example())


def test_a_shell_reads_the_example_as_compose_does() -> None:
    script = 'set -eu; set -a; . "$0"; exec env -0'
    done = subprocess.run(
        ["sh", "-c", script, str(DEPLOY / "env.example")], capture_output=True, text=True, check=True, env={}
    )
    found = dict(line.split("=", 1) for line in done.stdout.split("\0") if line)

    assert done.stderr == ""
    assert {name: found.get(name) for name in example()} == example()


def test_the_bucket_of_the_example_has_a_name_that_s3_allows() -> None:
    bucket = example()["CV_STORE_URL"].removeprefix("s3://")

    assert re.fullmatch(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]", bucket)


def test_tables_and_bucket_are_made_in_both_and_what_cannot_be_made_is_not_tried_for_ever() -> None:
    compose, stack = (read(name)["services"]["prepare"] for name in ("compose.yaml", "stack.yaml"))

    assert compose["command"] == stack["command"]
    assert re.fullmatch(r"on-failure:\d+", compose["restart"])
    assert stack["deploy"]["restart_policy"]["condition"] == "on-failure"


def test_only_what_starts_and_ends_containers_has_the_socket() -> None:
    for name in ("compose.yaml", "stack.yaml"):
        services = read(name)["services"]
        with_socket = {one for one, service in services.items() if "docker.sock" in str(service.get("volumes"))}
        assert with_socket == {"daemon", "janitor"}
    ports = [port for service in read("compose.yaml")["services"].values() for port in service.get("ports", [])]
    assert ports
    assert all(str(port).startswith("127.0.0.1:") for port in ports)
    assert not any(service.get("ports") for service in read("stack.yaml")["services"].values())


@pytest.mark.parametrize("name", ["compose.yaml", "stack.yaml"])
def test_the_web_application_is_served_and_its_health_is_asked_by_a_name_that_it_has(name: str) -> None:
    service = read(name)["services"]["web"]
    port = service["command"][service["command"].index("--port") + 1]
    asked = re.search(r"http://([^:/]+):(\d+)/healthy", service["healthcheck"]["test"][-1])

    assert service["command"][:2] == ["cv-pipelines", "web"]
    assert asked
    assert asked[2] == port
    assert asked[1] in example()["CV_WEB_HOSTS"].split(",")
    assert asked[1] in Settings.model_fields["web_hosts"].default
    hosts = service.get("environment", {}).get("CV_WEB_HOSTS", "127.0.0.1")
    assert asked[1] in hosts
    compile(service["healthcheck"]["test"][-1], "healthcheck", "exec")


def test_the_context_of_runs_is_json_whose_secrets_are_names() -> None:
    service = read("stack.yaml")["services"]["code"]
    text = service["environment"]["DAGSTER_CONTAINER_CONTEXT"].replace("${CV_GPUS:-0}", "0")
    context = json.loads(text.replace("${CV_RUN_IMAGE}", "image"))["docker"]
    secrets = set(read("stack.yaml")["secrets"])

    values = dict(entry.partition("=")[::2] for entry in context["env_vars"])
    assert secrets <= set(values)
    assert all(values[name] == "" for name in secrets)
    assert set(values["CV_SWARM_SECRETS"].split(",")) == secrets


def test_production_and_embedded_have_the_same_location_and_rules() -> None:
    root, here = yaml.safe_load((ROOT / "dagster.yaml").read_text()), read("dagster.yaml")
    (local,) = yaml.safe_load((ROOT / "workspace.yaml").read_text())["load_from"]
    (remote,) = read("workspace.yaml")["load_from"]

    assert remote["grpc_server"]["location_name"] == local["python_module"]["location_name"]
    for section in ("storage", "compute_logs", "run_retries", "sensors", "retention", "telemetry"):
        assert here[section] == root[section]


def test_the_instance_of_production_opens(
    postgres: Postgres, s3: S3, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from cv_pipelines.settings import load_settings

    monkeypatch.setenv("CV_DATABASE_URL", postgres.new_database())
    monkeypatch.setenv("CV_STORE_URL", s3.new_bucket())
    monkeypatch.setenv("CV_STATE", str(tmp_path))
    load_settings.cache_clear()
    try:
        with DagsterInstance.from_config(str(DEPLOY)) as instance:
            assert isinstance(instance.run_launcher, DockerRunLauncher)
            assert isinstance(instance.compute_log_manager, StoredComputeLogs)
            assert instance.run_monitoring_enabled
            assert instance.run_monitoring_max_resume_run_attempts == 3
            assert "postgres" in type(instance.event_log_storage).__name__.lower()
    finally:
        load_settings.cache_clear()
