"""What tests of labels share: images that are only sizes, annotations made at random, and reading back."""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from hypothesis import strategies as st

from cv_pipelines.annotations.annotation import Annotation, Box, outlined
from cv_pipelines.annotations.convert import whole
from cv_pipelines.annotations.exchange import Exchange, passed
from cv_pipelines.annotations.formats.format import Format

CLASSES = (
    st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12).map(str.strip).filter(bool)
)
_PART = st.text("ab0é=&<'-", min_size=1, max_size=6)
_OUTSIDE = 0.3


class Sizes:
    """Images of which nothing but the size is known."""

    def __init__(self, sizes: Mapping[str, tuple[int, int]]) -> None:
        self.sizes = dict(sizes)

    def names(self) -> Iterator[str]:
        return iter(self.sizes)

    def size(self, name: str) -> tuple[int, int] | None:
        return self.sizes.get(name)

    def copy(self, name: str, target: Path) -> bool:
        return False


def sizes_of(annotations: Iterable[Annotation]) -> Sizes:
    return Sizes({one.image: (one.width or 1, one.height or 1) for one in annotations})


@st.composite
def boxes(draw: st.DrawFn, width: int, height: int, outlines: bool) -> Box:
    def place(most: int) -> float:
        return draw(st.floats(-_OUTSIDE * most, (1 + _OUTSIDE) * most, allow_subnormal=False))

    label = draw(CLASSES)
    if outlines and draw(st.booleans()):
        points = [(place(width), place(height)) for _ in range(draw(st.integers(3, 6)))]
        return outlined(label, (tuple(points),))
    (left, right), (top, bottom) = sorted([place(width), place(width)]), sorted([place(height), place(height)])
    return Box(label, left, top, right - left, bottom - top)


@st.composite
def annotations(draw: st.DrawFn, outlines: bool = True) -> list[Annotation]:
    """Images with unlike names, also without suffix; some in folders, some without boxes."""
    found = {}
    for _ in range(draw(st.integers(1, 4))):
        stem = "/".join(draw(st.lists(_PART, min_size=1, max_size=2)))
        width, height = draw(st.integers(1, 5000)), draw(st.integers(1, 5000))
        image = stem + draw(st.sampled_from([".jpg", ".png", ".JPEG"]))
        some = draw(st.lists(boxes(width, height, outlines), max_size=3))
        found[stem] = Annotation(image, width, height, (), tuple(some))
    return list(found.values())


def write(labels: Iterable[Annotation], target: Path, form: Format, exchange: Exchange) -> None:
    with whole(target, form.folder) as draft:
        form.write(passed(labels, exchange), draft.path, exchange)
        draft.keep = True


def read(source: Path, form: Format, exchange: Exchange) -> dict[str, Annotation]:
    return {one.image: one for one in passed(form.read(source, exchange), exchange)}


def edges(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom
