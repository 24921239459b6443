"""The map of the design: who may import whom, what an import may cost, how long a file may be."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cv_pipelines.settings import ROOT

# each layer may import from its own line only within one package, and from every line above it
LAYERS = [
    [
        "cv_pipelines.errors",
        "cv_pipelines.progress",
        "cv_pipelines.hashing",
        "cv_pipelines.failpoints",
        "cv_pipelines.garbage",
    ],
    ["cv_pipelines.settings", "cv_pipelines.workers", "cv_pipelines.background"],
    ["cv_pipelines.storage", "cv_pipelines.database", "cv_pipelines.broker"],
    ["cv_pipelines.remote"],
    ["cv_pipelines.videos"],
    ["cv_pipelines.catalog"],
    ["cv_pipelines.versions"],
    ["cv_pipelines.images"],
    ["cv_pipelines.motion"],
    ["cv_pipelines.annotations"],
    ["cv_pipelines.retention"],
    ["cv_pipelines.detections"],
    ["cv_pipelines.models"],
    ["cv_pipelines.active_learning"],
    ["cv_pipelines.reports"],
    ["cv_pipelines.tasks"],
    ["cv_pipelines.execution"],
    ["cv_pipelines.quality", "resources"],
    ["cv_pipelines.partitions"],
    ["cv_pipelines.orchestration"],
    ["assets"],
    ["cv_pipelines.jobs"],
    ["cv_pipelines.schedules"],
    ["sensors"],
    ["cv_pipelines.definitions"],
    ["cv_pipelines.web"],
    ["cv_pipelines.cli", "cv_pipelines.notebook"],
]
WITHOUT_DAGSTER = [package for layer in LAYERS[:16] for package in layer]
HEAVY = ["tensorflow", "keras", "great_expectations", "pandas", "sklearn", "docker", "matplotlib", "fastapi"]


def sources() -> Iterator[Path]:
    for package in ("cv_pipelines", "assets", "resources", "sensors"):
        yield from (ROOT / package).rglob("*.py")


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts)


def imports_of(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layer_of(module: str) -> tuple[int, str] | None:
    for number, layer in enumerate(LAYERS):
        for package in layer:
            if module == package or module.startswith(f"{package}."):
                return number, package
    return None


def test_imports_point_from_right_to_left_on_the_map() -> None:
    wrong = []
    for path in sources():
        if path.name == "__init__.py":
            continue
        own = layer_of(module_of(path))
        assert own is not None, f"{path} is on no layer"
        for name in imports_of(path):
            other = layer_of(name)
            if other and (other[0] > own[0] or (other[0] == own[0] and other[1] != own[1])):
                wrong.append(f"{module_of(path)} imports {name}")
    assert wrong == []


def test_domains_know_nothing_of_dagster() -> None:
    knowing = [
        module_of(path)
        for path in sources()
        if any(module_of(path).startswith(package) for package in WITHOUT_DAGSTER)
        and any(name.split(".")[0] == "dagster" for name in imports_of(path))
    ]
    assert knowing == []


def test_packages_are_empty_and_tests_are_none() -> None:
    assert [path for path in sources() if path.name == "__init__.py" and path.read_text()] == []
    assert list((ROOT / "tests").rglob("__init__.py")) == []


def test_the_place_where_everything_meets_stays_short() -> None:
    assert len((ROOT / "cv_pipelines/definitions.py").read_text().splitlines()) < 80
    long = {str(path): n for path in sources() if (n := len(path.read_text().splitlines())) > 300}
    assert long == {}


@pytest.mark.parametrize("module", ["cv_pipelines.definitions", "cv_pipelines.cli.main"])
def test_loading_costs_none_of_the_heavy_libraries(module: str, tmp_path: Path) -> None:
    code = f"import sys, {module}; print([name for name in {HEAVY} if name in sys.modules])"
    environment = {"CV_STATE": str(tmp_path), "PATH": "/usr/bin:/bin", "DAGSTER_HOME": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert done.stdout.strip() == "[]"
    assert done.stderr == ""
