"""Detections as the tools of Pascal VOC write them: a text file for each class.

    comp4_det_test_car.txt:    000004 0.702732 89 112 516 466

A line is an image, a score, and the edges left, top, right, bottom: the first pixel is number 1, and both edges
belong to the box (see annotations/formats/voc_xml.py), whole numbers or not. The class is in the name of the file,
which may also be `car.txt`. Source: development kit of the VOC2012 challenge, section 8.2.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from cv_pipelines.annotations.formats.files import files_below
from cv_pipelines.annotations.formats.values import number, shown
from cv_pipelines.annotations.report import ItemError, Report
from cv_pipelines.detections.detection import Detection, detection
from cv_pipelines.detections.names import Names
from cv_pipelines.progress import Progress, silent

_ORIGIN = 1
_CLASS = re.compile(r"(?:comp\d+_det_[^_]+_)?(?P<name>.+)")
_LONGEST = 4096
_EVERY = 1 << 15


def read(source: Path, names: Names, report: Report, progress: Progress = silent) -> Iterator[Detection]:
    """Yield the detections of a file, or of all text files of a folder, one at a time.

    Args:
        source: the file or folder.
        names: of images and classes.
        report: takes what is wrong with single lines, and files of unknown classes.
        progress: is told of detections.

    Raises:
        InputError: `no_labels`: the folder has no text files.
    """
    done = 0
    for path, name in files_below(source, ".txt"):
        try:
            label = names.label(_class_of(path))
        except ItemError as error:
            report.problem(error.code, name, error.message)
            continue
        for place, line in _lines(path):
            if not done % _EVERY:
                progress("detections", done)
            done += 1
            try:
                found = _detection(line, label, names)
            except ItemError as error:
                report.problem(error.code, f"{name}:{place}", error.message)
            else:
                yield found


def _class_of(path: Path) -> str:
    match = _CLASS.fullmatch(path.stem)
    return match["name"] if match else path.stem


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    """Lines with something in them, numbered from 1; what is too long to be one comes in pieces."""
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        place, ended = 0, True
        while line := file.readline(_LONGEST):
            place += ended
            ended = line.endswith("\n")
            if line.strip():
                yield place, line


def _detection(line: str, label: str, names: Names) -> Detection:
    cells = line.rsplit(maxsplit=5)
    if len(cells) != 6:
        raise ItemError("bad_line", f"{shown(line.strip())} is not: image score left top right bottom")
    image, score, *edges = cells
    left, top, right, bottom = (number(edge) for edge in edges)
    box = (left - _ORIGIN, top - _ORIGIN, right - left + 1, bottom - top + 1)
    return detection(names.image(image.strip()), label, box, score)
