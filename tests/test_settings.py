import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from cv_pipelines.database.engine import open_database
from cv_pipelines.errors import InputError
from cv_pipelines.settings import ROOT, adopt_secrets, load_settings
from cv_pipelines.storage.factory import open_store
from cv_pipelines.storage.local import LocalStore


@pytest.fixture(autouse=True)
def _fresh_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for field in ("STATE", "DATABASE_URL", "STORE_URL", "FAILURE_WEBHOOK", "UI_URL", "URL_ALLOW", "WORKERS"):
        monkeypatch.delenv(f"CV_{field}", raising=False)
    load_settings.cache_clear()
    yield
    load_settings.cache_clear()


def test_files_that_docker_puts_into_a_container_count_as_variables_that_are_not_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = "postgresql://cv:secret@db/cv"
    secrets = {"CV_DATABASE_URL": f"{database}\n", "CV_STORE_URL": "s3://from-secret", "other": "x"}
    for name, value in secrets.items():
        (tmp_path / name).write_text(value)
    monkeypatch.setenv("CV_STORE_URL", "s3://set")
    monkeypatch.setenv("CV_DATABASE_URL", "")  # so that it is put back afterwards
    monkeypatch.delenv("CV_DATABASE_URL")

    adopt_secrets(tmp_path)
    adopt_secrets(tmp_path / "none")

    settings = load_settings()
    assert settings.database_url == database
    assert settings.store_url == "s3://set"
    assert "other" not in os.environ


def test_without_variables_everything_lies_in_the_state_folder_of_the_checkout() -> None:
    settings = load_settings()

    assert settings.state == ROOT / ".cv"
    assert settings.database == f"sqlite:///{ROOT / '.cv' / 'cv.sqlite'}"
    assert settings.store == (ROOT / ".cv" / "store").as_uri()
    assert settings.cache == ROOT / ".cv" / "cache"
    assert settings.workers >= 1
    assert settings.failure_webhook is None


def test_variables_take_the_place_of_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CV_DATABASE_URL", "postgresql://db/cv")
    monkeypatch.setenv("CV_STORE_URL", "file:///srv/store")
    monkeypatch.setenv("CV_WORKERS", "3")
    monkeypatch.setenv("CV_UI_URL", "https://cv.example.org/ui")

    settings = load_settings()

    assert settings.database == "postgresql://db/cv"
    assert settings.store == "file:///srv/store"
    assert settings.workers == 3
    assert str(settings.ui_url) == "https://cv.example.org/ui"


def test_a_relative_state_folder_becomes_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CV_STATE", "here")

    assert load_settings().state == tmp_path / "here"


def test_the_state_folder_may_start_with_the_home_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CV_STATE", "~/state")

    assert load_settings().state == tmp_path / "state"


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CV_WORKERS", "many"),
        ("CV_WORKERS", "0"),
        ("CV_FAILURE_WEBHOOK", "not a url"),
        ("CV_UI_URL", "ftp://host"),
        ("CV_URL_ALLOW", "minio.lan,10.1.0.0/33"),
    ],
)
def test_an_error_names_the_variable(monkeypatch: pytest.MonkeyPatch, variable: str, value: str) -> None:
    monkeypatch.setenv(variable, value)

    with pytest.raises(InputError) as caught:
        load_settings()

    assert caught.value.code == "settings"
    assert f"{variable}: " in caught.value.user_message
    assert "\n" not in caught.value.user_message


@pytest.mark.parametrize(
    ("value", "parts"),
    [("", ()), ("MinIO.lan", ("minio.lan",)), (" a , 10.1.0.0/16,,::1 ", ("a", "10.1.0.0/16", "::1"))],
)
def test_hosts_and_networks_stand_between_commas(
    monkeypatch: pytest.MonkeyPatch, value: str, parts: tuple[str, ...]
) -> None:
    monkeypatch.setenv("CV_URL_ALLOW", value)

    assert load_settings().url_allow == parts


def test_every_wrong_variable_is_named_and_no_secret_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CV_WORKERS", "many")
    monkeypatch.setenv("CV_FAILURE_WEBHOOK", "hooks.example.org/token-abc123")

    with pytest.raises(InputError) as caught:
        load_settings()

    assert "CV_WORKERS: " in caught.value.user_message
    assert "CV_FAILURE_WEBHOOK: " in caught.value.user_message
    assert "token-abc123" not in caught.value.user_message


def test_the_environment_is_read_once_per_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CV_WORKERS", "3")
    first = load_settings()
    monkeypatch.setenv("CV_WORKERS", "4")

    assert load_settings() is first
    with pytest.raises(ValueError, match="frozen"):
        first.workers = 5  # type: ignore[misc]  # the point


@pytest.mark.parametrize("name", ["plain", "with space", "größe", "100%", "a%41", "what?", "a#b"])
def test_any_folder_name_can_hold_the_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, name: str) -> None:
    monkeypatch.setenv("CV_STATE", str(tmp_path / name))
    settings = load_settings()

    engine = open_database(settings.database)
    store = open_store(settings.store)
    store.put("a/key", b"data")
    engine.dispose()

    assert isinstance(store, LocalStore)
    assert store.root == tmp_path / name / "store"
    assert (tmp_path / name / "cv.sqlite").is_file()
    assert [path.name for path in tmp_path.iterdir()] == [name]
