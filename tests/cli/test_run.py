"""`cv-pipelines run`: what it is run with."""

from collections.abc import Mapping
from typing import Any

import pytest
from dagster import validate_run_config

from cv_pipelines.active_learning.parameters import QueueParameters
from cv_pipelines.active_learning.queue import make_queue
from cv_pipelines.catalog import Catalog
from cv_pipelines.cli import run as command
from tests.active_learning.shapes import make_shapes


@pytest.fixture
def configs(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> list[Mapping[str, Any]]:
    """What runs were to be run with, one after another; none is run."""
    seen: list[Mapping[str, Any]] = []
    monkeypatch.setattr(command, "open_catalog", lambda: catalog)
    monkeypatch.setattr(command, "run_job", lambda job, dataset, config, quiet: seen.append(config) or {})
    return seen


def test_what_was_set_about_the_newest_queue_stands_for_the_next(
    catalog: Catalog, configs: list[Mapping[str, Any]]
) -> None:
    from cv_pipelines.definitions import defs

    shapes = make_shapes(catalog)
    command.run_loop("shapes", {})
    command.run_loop("shapes", {"epochs": 2})
    wanted = QueueParameters(strategies={"entropy": 1.0}, size=7, per_day=20)
    catalog.publish("label_queue", "shapes", make_queue(catalog, "shapes", shapes.manifest, wanted).reference)
    command.run_loop("shapes", {"epochs": 2})

    nothing, training, both = (config["ops"] for config in configs)
    assert nothing == {}
    assert training == {"trained_model": {"config": {"epochs": 2}}}
    assert both == training | {"label_queue": {"config": wanted.model_dump()}}
    assert all(validate_run_config(defs.resolve_job_def("loop"), dict(config)) for config in configs)
