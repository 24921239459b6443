"""Many images on one small picture, for people who would rather look than read."""

import io
import math
import textwrap
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFont

from cv_pipelines.images.decode import Pixels, decode_image
from cv_pipelines.images.stored import StoredImages

MAX_BYTES = 40 * 1024
"""Previews live in the event log, so they stay small."""
TILES = 60
_TILE = 72
_GAP = 3
_CAPTIONED = (150, 158)
_CAPTIONED_COLUMNS = 6


def contact_sheet(pixels: Sequence[Pixels]) -> bytes:
    """A grid of images as a JPEG of at most MAX_BYTES, without any metadata."""
    columns = max(1, min(len(pixels), math.ceil(math.sqrt(len(pixels) * 2.4))))
    rows = math.ceil(len(pixels) / columns) or 1
    step = _TILE + _GAP
    sheet = Image.new("RGB", (columns * step + _GAP, rows * step + _GAP), "white")
    for place, picture in enumerate(pixels):
        row, column = divmod(place, columns)
        tile = _tile(picture)
        centre = ((_TILE - tile.width) // 2, (_TILE - tile.height) // 2)
        sheet.paste(tile, (_GAP + column * step + centre[0], _GAP + row * step + centre[1]))
    return small_jpeg(sheet)


def sheet_of(images: StoredImages, image_ids: Sequence[str], tiles: int = TILES) -> bytes:
    """A contact sheet of at most `tiles` images, taken evenly from all of them."""
    step = max(1, len(image_ids) / tiles)
    chosen = [image_ids[int(place * step)] for place in range(min(tiles, len(image_ids)))]
    return contact_sheet([decode_image(images.read(image), at_least=_TILE) for image in chosen])


def captioned_sheet(tiles: Sequence[tuple[Pixels | None, str]]) -> bytes:
    """Like `contact_sheet`, larger, with words below each picture; a cross where there is none."""
    columns = max(1, min(len(tiles), _CAPTIONED_COLUMNS))
    width, height = _CAPTIONED
    sheet = Image.new("RGB", (columns * width + _GAP, (math.ceil(len(tiles) / columns) or 1) * height), "white")
    draw, font = ImageDraw.Draw(sheet), ImageFont.load_default(11)
    for place, (pixels, caption) in enumerate(tiles):
        row, column = divmod(place, columns)
        left, top = _GAP + column * width, _GAP + row * height
        if pixels is not None:
            sheet.paste(_tile(pixels), (left, top))
        else:
            draw.rectangle((left, top, left + _TILE, top + _TILE), outline="silver")
            draw.line((left, top, left + _TILE, top + _TILE), fill="silver")
        text = "\n".join(textwrap.wrap(caption, 21, max_lines=5, placeholder=" …"))
        draw.multiline_text((left, top + _TILE + _GAP), text, fill="black", font=font)
    return small_jpeg(sheet)


def _tile(pixels: Pixels) -> Image.Image:
    """Fit into a tile; tiny images grow by whole pixels, so that they stay sharp."""
    image = Image.fromarray(pixels)
    scale = _TILE / max(image.size)
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.NEAREST if scale > 2 else Image.Resampling.LANCZOS)


def small_jpeg(sheet: Image.Image, max_bytes: int = MAX_BYTES) -> bytes:
    """A JPEG of the best quality that stays within so many bytes; a sheet that never does is made smaller."""
    for quality in (85, 70, 55, 40, 25):
        buffer = io.BytesIO()
        sheet.save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= max_bytes:
            return buffer.getvalue()
    return small_jpeg(sheet.resize((max(1, sheet.width // 2), max(1, sheet.height // 2))), max_bytes)
