"""Several videos side by side, in the UI."""

import base64
import io
from pathlib import Path

from dagster import TableMetadataValue
from PIL import Image

from tests.assets.motion_runs import Archive, failure, materialized


def test_videos_that_have_pictures_are_set_side_by_side(archive: Archive, clip: Path, tmp_path: Path) -> None:
    first = archive.add(clip)
    other = tmp_path / "other.mp4"
    other.write_bytes(clip.read_bytes())
    second = archive.add(other)
    assert archive.run(first).success

    def proved(**config: object) -> tuple[list[str], tuple[int, int]]:
        run = archive.prove(**config)
        assert run.success
        told = materialized(run)["static_proof"].metadata
        encoded = str(told["preview"].value).partition("base64,")[2].removesuffix(")")
        data = base64.b64decode(encoded)
        assert len(data) <= 40 * 1024
        table = told["videos"]
        assert isinstance(table, TableMetadataValue)
        rows = [str(record.data["video"]) for record in table.records]
        return rows, Image.open(io.BytesIO(data)).size

    one, small = proved()
    assert one == [first], "the other one has no pictures yet"

    assert archive.run(second).success
    both, large = proved()
    assert sorted(both) == sorted([first, second])
    assert large[1] > small[1]
    assert proved(videos=[second, first])[0] == [second, first]
    assert proved(pattern="other*")[0] == [second]
    assert len(proved(most=1)[0]) == 1


def test_what_cannot_be_shown_is_told(archive: Archive, clip: Path) -> None:
    assert "has pictures yet" in failure(archive.prove(), "static_proof")
    key = archive.add(clip)
    assert key in failure(archive.prove(videos=[key]), "static_proof")
    assert "no video 'nothing~000000000000'" in failure(
        archive.prove(videos=["nothing~000000000000"]), "static_proof"
    )
