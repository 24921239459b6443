"""`cv-pipelines model show`: what a person sees of a model."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cv_pipelines.catalog import Catalog
from cv_pipelines.cli.main import main
from cv_pipelines.images.datasets import add_dataset
from cv_pipelines.models.parameters import TrainingParameters
from cv_pipelines.models.registry import register
from cv_pipelines.settings import load_settings
from cv_pipelines.storage.bundles import put_bundle

Show = Callable[..., str]
HOG = {"architecture": "hog", "epoch": 30, "val_loss": 0.065, "val_accuracy": 0.989}
NETWORK = {"architecture": "small_cnn", "epoch": 7, "val_loss": 0.031, "val_accuracy": 0.996}


@pytest.fixture
def show(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    """`show(tried=...)`: what is printed of a model with such a card."""
    monkeypatch.setenv("CV_DATABASE_URL", catalog.database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CV_STORE_URL", (tmp_path / "catalog" / "store").as_uri())
    load_settings.cache_clear()
    add_dataset(catalog.database, "digits", "/nowhere")

    def run(**more: Sequence[Mapping[str, Any]]) -> str:
        card: dict[str, Any] = {"architecture": "small_cnn", "image_size": 16, "batch_size": 64}
        card |= {"images_per_second": None, "parameters": TrainingParameters().model_dump(), **more}
        made = put_bundle(catalog.store, "trained_model", "3657c5", card, {})
        register(catalog.database, "digits", made)
        done = CliRunner().invoke(main, ["model", "show", made.version])
        assert done.exit_code == 0, done.output
        return done.output

    yield run
    load_settings.cache_clear()


def test_of_several_architectures_it_is_said_what_each_has_reached(show: Show) -> None:
    lines = [line.split() for line in show(tried=[HOG, NETWORK]).splitlines()]
    assert ["hog", "0.065", "0.989", "30"] in lines
    assert ["small_cnn", "0.031", "0.996", "7"] in lines


@pytest.mark.parametrize("more", [{}, {"tried": [NETWORK]}], ids=["a model of before", "one was named"])
def test_where_there_was_no_choice_nothing_is_said_of_it(show: Show, more: dict[str, Any]) -> None:
    assert "Tried" not in show(**more)
