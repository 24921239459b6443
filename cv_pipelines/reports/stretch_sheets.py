"""Static stretches as pictures: of one video, and of several side by side.

Their input is thumbnails that are already decoded: nothing here opens a video.
"""

import io
import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from PIL import Image, ImageDraw, ImageFont

from cv_pipelines.images.contact_sheet import MAX_BYTES, small_jpeg
from cv_pipelines.images.decode import Pixels

Tile = tuple[Pixels | None, str]
"""RGB uint8, shape (height, width, 3), or None where it could not be read; and the caption."""

_GAP = 8
_WIDTHS = (240, 200, 168, 140, 118, 98, 82, 68)
"""Of thumbnails: the widest is taken with which the sheet looks well and is small enough."""
_QUALITIES = (80, 60, 45)
_PIXELS_A_BYTE = 25
"""More than a JPEG of these qualities ever holds: larger sheets are not tried."""
_FONT = 11
_LINE = 14
_NAME = 148
_LETTER = 5.6
NEVER_RESTS = "the camera never rests"
_INK, _FAINT, _EMPTY = "#1b1b1b", "#8a8f98", "#f0f1f3"


@dataclass(frozen=True)
class _Box:
    """The room of a thumbnail; its caption has one line."""

    width: int
    height: int

    @property
    def step(self) -> tuple[int, int]:
        return self.width + _GAP, self.height + _LINE + _GAP


def static_sheet(tiles: Sequence[Tile], title: str = "", max_bytes: int = MAX_BYTES) -> bytes:
    """The static stretches of one video in the order of time, or that there are none; a JPEG without metadata.

    Args:
        tiles: a thumbnail and a caption for each (see `stretch_caption`).
        title: of the whole: the video.
        max_bytes: of the JPEG; more for a file that is kept elsewhere than in the event log.
    """

    def drawn(box: _Box) -> Image.Image:
        columns = max(1, min(len(tiles), round(_columns(len(tiles), box))))
        sheet, draw = _blank(columns, max(1, -(-len(tiles) // columns)), box, 0)
        _write(draw, (_GAP, 4), title, sheet.width - 2 * _GAP, 1, _INK)
        if not tiles:
            _write(draw, (_GAP, _top(0, box)), NEVER_RESTS, box.width, 2, _FAINT)
        for place, tile in enumerate(tiles):
            row, column = divmod(place, columns)
            _put(sheet, draw, tile, box, (_GAP + column * box.step[0], _top(row, box)))
        return sheet

    return _fitted(drawn, tiles, max_bytes)


def proof_sheet(rows: Sequence[tuple[str, Sequence[Tile]]], title: str = "", max_bytes: int = MAX_BYTES) -> bytes:
    """The static stretches of several videos side by side: each video a row, its n-th stretch in column n.

    A video with fewer stretches than another has empty places at its end; of one without any that is said.

    Args:
        rows: name and tiles of each video.
        title: of the whole.
        max_bytes: of the JPEG.
    """
    columns = max((len(tiles) for _, tiles in rows), default=0)

    def drawn(box: _Box) -> Image.Image:
        sheet, draw = _blank(max(columns, 1), len(rows), box, _NAME)
        _write(draw, (_GAP, 4), title, sheet.width - 2 * _GAP, 1, _INK)
        for row, (name, found) in enumerate(rows):
            top = _top(row, box)
            _write(draw, (_GAP, top), name, _NAME - _GAP, box.step[1] // _LINE, _INK)
            if not found:
                _write(draw, (_GAP + _NAME, top), NEVER_RESTS, box.width + _GAP, 2, _FAINT)
            for column in range(columns if found else 0):
                at = (_GAP + _NAME + column * box.step[0], top)
                if column < len(found):
                    _put(sheet, draw, found[column], box, at)
                else:
                    draw.rectangle((*at, at[0] + box.width - 1, at[1] + box.height - 1), fill=_EMPTY)
        return sheet

    return _fitted(drawn, [tile for _, row in rows for tile in row], max_bytes)


def stretch_caption(start: Fraction | float, end: Fraction | float) -> str:
    """When a stretch begins, and how long it is: `12:05, 43 s`."""
    return f"{clock(start)}, {float(end - start):.0f} s"


def clock(seconds: Fraction | float) -> str:
    """A time as people read it: `0:05`, `12:05`, `1:02:03`; whole seconds, rounded down."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _fitted(drawn: Callable[[_Box], Image.Image], tiles: Sequence[Tile], max_bytes: int) -> bytes:
    """The sheet with the largest thumbnails that is small enough: text stays as large as it is.

    Where not even the smallest are, the whole sheet is made smaller.
    """
    first = next((pixels for pixels, _ in tiles if pixels is not None), None)
    shape = 9 / 16 if first is None else min(1.5, max(0.4, first.shape[0] / first.shape[1]))
    most = max_bytes * _PIXELS_A_BYTE
    for width in [width for width in _WIDTHS if width**2 * shape * len(tiles) < most] or _WIDTHS[-1:]:
        sheet = drawn(_Box(width, round(width * shape)))
        for quality in _QUALITIES:
            buffer = io.BytesIO()
            sheet.save(buffer, "JPEG", quality=quality, optimize=True)
            if buffer.tell() <= max_bytes:
                return buffer.getvalue()
    return small_jpeg(sheet, max_bytes)


def _columns(count: int, box: _Box) -> float:
    """So many that the sheet is about half as wide again as it is high."""
    return float((1.5 * count * box.step[1] / box.step[0]) ** 0.5)


def _blank(columns: int, rows: int, box: _Box, left: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    size = (_GAP + left + columns * box.step[0], _top(rows, box))
    sheet = Image.new("RGB", size, "white")
    return sheet, ImageDraw.Draw(sheet)


def _top(row: int, box: _Box) -> int:
    return 2 * _GAP + _LINE + row * box.step[1]


def _put(sheet: Image.Image, draw: ImageDraw.ImageDraw, tile: Tile, box: _Box, at: tuple[int, int]) -> None:
    """A thumbnail in the middle of its box, or a cross, and the caption below."""
    (pixels, caption), (left, top) = tile, at
    right, bottom = left + box.width - 1, top + box.height - 1
    draw.rectangle((left, top, right, bottom), fill=_EMPTY)
    if pixels is None:
        draw.line((left, top, right, bottom), fill=_FAINT)
        draw.line((left, bottom, right, top), fill=_FAINT)
    else:
        image = Image.fromarray(pixels)
        scale = min(box.width / image.width, box.height / image.height)
        size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
        small = image.resize(size, Image.Resampling.LANCZOS)
        sheet.paste(small, (left + (box.width - size[0]) // 2, top + (box.height - size[1]) // 2))
    _write(draw, (left, bottom + 3), caption, box.width + _GAP, 1, _INK)


def _write(draw: ImageDraw.ImageDraw, at: tuple[int, int], text: str, width: int, lines: int, colour: str) -> None:
    """Text in so many lines; what does not fit is left out."""
    seen = "".join(sign if sign.isprintable() else "\ufffd" for sign in text)
    broken = textwrap.wrap(seen, max(4, int(width / _LETTER)), max_lines=lines, placeholder=" …")
    draw.multiline_text(at, "\n".join(broken), fill=colour, font=ImageFont.load_default(_FONT), spacing=3)
