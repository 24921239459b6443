"""What a source holds, from its listing alone."""

from collections import Counter
from dataclasses import dataclass, field

from cv_pipelines.images.sources.archive import ArchiveSource
from cv_pipelines.images.sources.folder import FolderSource
from cv_pipelines.images.sources.protocol import ImageSource, SourceItem
from cv_pipelines.images.sources.s3 import S3Source
from cv_pipelines.images.sources.table import CsvSource
from cv_pipelines.images.sources.video import VideoSource
from cv_pipelines.progress import Progress, silent

_KINDS: dict[type, str] = {
    FolderSource: "folder",
    CsvSource: "table",
    ArchiveSource: "archive",
    S3Source: "S3 prefix",
    VideoSource: "video",
}
_MOST_PROBLEMS = 1000
_TELL_EVERY = 1000


@dataclass
class Probe:
    """What a source holds.

    Attributes:
        kind: of source, in a word.
        facts: what it says of itself.
        files: how many.
        bytes: of those whose size is known.
        classes: files by class.
        splits: files by split.
        unlabelled: usable files without a class.
        unusable: files that cannot be read.
        problems: why, by path, of the first thousand of them.
    """

    kind: str
    facts: dict[str, str]
    files: int = 0
    bytes: int = 0
    classes: Counter[str] = field(default_factory=Counter)
    splits: Counter[str] = field(default_factory=Counter)
    unlabelled: int = 0
    unusable: int = 0
    problems: dict[str, str] = field(default_factory=dict)

    def add(self, item: SourceItem) -> None:
        """Count a file."""
        self.files += 1
        self.bytes += item.size or 0
        if item.problem:
            self.unusable += 1
            if len(self.problems) < _MOST_PROBLEMS:
                self.problems[item.path] = item.problem
            return
        if item.label is None:
            self.unlabelled += 1
        else:
            self.classes[item.label] += 1
        if item.split:
            self.splits[item.split] += 1


def probe_source(source: ImageSource, progress: Progress = silent) -> Probe:
    """Count a source's files by class and split without reading one.

    Raises:
        InputError: it is not there or cannot be listed.
    """
    probe = Probe(_KINDS[type(source)], source.facts() if isinstance(source, VideoSource) else {})
    for item in source.items():
        probe.add(item)
        if probe.files % _TELL_EVERY == 0:
            progress("listing files", probe.files)
    return probe
