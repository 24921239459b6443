"""The names of YOLO's classes: `data.yaml`, or `classes.txt` as labelImg writes it."""

from pathlib import Path
from typing import Any

from cv_pipelines.annotations.exchange import Exchange
from cv_pipelines.annotations.formats.values import class_name
from cv_pipelines.annotations.label_set import LabelSet
from cv_pipelines.annotations.report import ItemError
from cv_pipelines.errors import InputError

_MOST = 4 << 20


def read_names(source: Path, exchange: Exchange) -> list[str]:
    """The names in their order, declared; empty where no file says them.

    Raises:
        InputError: `bad_names`: a file with names cannot be understood.
    """
    found = next((path for name in ("*.yaml", "*.yml") for path in sorted(source.glob(name))), None)
    texts = [path for path in (source / "classes.txt", source / "labels" / "classes.txt") if path.is_file()]
    try:
        if found is not None:
            names = _of_yaml(found)
        elif texts:
            lines = _text(texts[0]).splitlines()
            names = [class_name(line) for line in lines if line.strip()]
        else:
            return []
    except ItemError as error:
        raise InputError("bad_names", f"'{found or texts[0]}': {error.message}.") from error
    for name in names:
        if not exchange.classes.declare(name):
            raise InputError("bad_names", f"'{found or texts[0]}' names the class '{name[:60]}' twice.")
    return names


def write_names(target: Path, classes: LabelSet) -> None:
    """Write `data.yaml`."""
    import yaml

    content = {"path": ".", "train": "images", "val": "images", "names": dict(enumerate(classes.names))}
    text = yaml.safe_dump(content, allow_unicode=True, sort_keys=False, width=1 << 20)
    (target / "data.yaml").write_text(text, encoding="utf-8")


def _of_yaml(path: Path) -> list[str]:
    import yaml

    try:
        content: Any = yaml.safe_load(_text(path))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        mark = getattr(error, "problem_mark", None)
        line = f" line {mark.line + 1}" if mark else ""
        raise InputError("bad_names", f"'{path}'{line} is not YAML.", str(error)) from error
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict):
        if sorted(names, key=str) != sorted(range(len(names)), key=str):
            raise ItemError("bad_names", "the numbers of 'names' are not 0, 1, 2 …")
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list):
        raise ItemError("bad_names", "it has no list 'names'")
    return [class_name(name) for name in names]


def _text(path: Path) -> str:
    if path.stat().st_size > _MOST:
        raise InputError("bad_names", f"'{path}' is larger than {_MOST >> 20} MiB.")
    return path.read_text(encoding="utf-8-sig", errors="replace")
