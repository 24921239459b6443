"""Archives that are broken, or made to do harm: what is good in them can be read, and nothing is left unsaid."""

import io
import os
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest

from cv_pipelines.errors import CvError, InputError
from cv_pipelines.images.sources.archive import ArchiveSource
from cv_pipelines.images.sources.members import LIMITS, Limits
from cv_pipelines.images.sources.protocol import SourceItem

GOOD = b"good" * 100


def put(tar: tarfile.TarFile, name: str, content: bytes = GOOD, **fields: object) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for field, value in fields.items():
        setattr(info, field, value)
    tar.addfile(info, io.BytesIO(content))


def problems(source: ArchiveSource) -> dict[str, str]:
    return {item.path: item.problem for item in source.items()}


def readable(source: ArchiveSource) -> list[str]:
    """Paths of what has no problem, after each of them was read."""
    good = [item for item in source.items() if not item.problem]
    assert all(source.read(item) == GOOD for item in good)
    return [item.path for item in good]


@pytest.fixture
def hostile(tmp_path: Path) -> Callable[[str], ArchiveSource]:
    """`hostile("zip" or "tar")`: an archive with one good file and with names that lead elsewhere."""
    names = [
        "../up.png",
        "a/../../up.png",
        "/etc/absolute.png",
        "C:/windows.png",
        "a/good.png",
        "..",
        "../.hidden",
    ]

    def make(kind: str) -> ArchiveSource:
        path = tmp_path / f"a.{kind}"
        if kind == "zip":
            with zipfile.ZipFile(path, "w") as archive:
                for name in [*names, "a\\..\\..\\back.png"]:
                    archive.writestr(zipfile.ZipInfo(name), GOOD)
        else:
            with tarfile.open(path, "w") as tar:
                for name in names:
                    put(tar, name)
        return ArchiveSource(path, tmp_path)

    return make


@pytest.mark.parametrize("kind", ["zip", "tar"])
def test_names_that_lead_out_of_the_archive_are_problems(
    hostile: Callable[[str], ArchiveSource], kind: str
) -> None:
    source = hostile(kind)

    found = problems(source)

    leading_out = {path for path, problem in found.items() if "leads out" in problem}
    absolute = {path for path, problem in found.items() if "absolute" in problem}
    assert leading_out >= {"../up.png", "a/../../up.png", "..", "../.hidden"}
    assert absolute == {"/etc/absolute.png", "C:/windows.png"}
    assert readable(source) == ["a/good.png"]
    assert all(item.label is None for item in source.items() if item.problem)


def test_links_and_devices_in_a_tar_file_are_problems(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        put(tar, "good.png")
        for name, kind in [("symbolic", tarfile.SYMTYPE), ("hard", tarfile.LNKTYPE), ("pipe", tarfile.FIFOTYPE)]:
            put(tar, f"{name}.png", b"", type=kind, linkname="/etc/passwd")
        put(tar, "device.png", b"", type=tarfile.CHRTYPE, devmajor=1, devminor=5)
    source = ArchiveSource(tmp_path / "a.tar", tmp_path)

    found = problems(source)

    assert [path for path, problem in found.items() if "not a regular file" in problem] == [
        "device.png",
        "hard.png",
        "pipe.png",
        "symbolic.png",
    ]
    assert readable(source) == ["good.png"]


def test_links_in_a_zip_file_are_problems(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
        archive.writestr("good.png", GOOD)
    source = ArchiveSource(tmp_path / "a.zip", tmp_path)

    assert "not a regular file" in problems(source)["link.png"]
    assert readable(source) == ["good.png"]


def test_a_sparse_file_in_a_tar_file_is_a_problem(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        put(tar, "good.png")
        put(tar, "sparse.png", b"", type=tarfile.REGTYPE, pax_headers={"GNU.sparse.size": str(10**12)})
    source = ArchiveSource(tmp_path / "a.tar", tmp_path)

    assert readable(source) == ["good.png"]
    assert problems(source)["sparse.png"]


def test_a_member_that_unpacks_to_a_thousand_times_its_size_is_a_problem(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("bomb.png", bytes(3_000_000))
        archive.writestr("good.png", GOOD)
    source = ArchiveSource(tmp_path / "a.zip", tmp_path, Limits(harmless_bytes=1_000_000))

    found = problems(source)

    assert found["bomb.png"].endswith("times its size: a bomb")
    assert readable(source) == ["good.png"]


def test_an_archive_that_is_one_large_bomb_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            archive.writestr(f"{number}.png", bytes(100_000))
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as tar:
        put(tar, "bomb.png", bytes(5_000_000))
    limits = Limits(harmless_bytes=1_000_000)

    for name in ("a.zip", "a.tgz"):
        with pytest.raises(InputError, match="made to do harm") as caught:
            list(ArchiveSource(tmp_path / name, tmp_path / "scratch", limits).items())
        assert caught.value.code == "archive_bomb"
    assert list((tmp_path / "scratch").iterdir()) == []


def test_what_would_not_fit_unpacked_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("1.png", bytes(100_000))
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as tar:
        put(tar, "1.png", os.urandom(100_000))

    for name in ("a.zip", "a.tgz"):
        with pytest.raises(InputError, match="made to do harm"):
            list(ArchiveSource(tmp_path / name, tmp_path / "scratch", Limits(total_bytes=50_000)).items())


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz"])
def test_too_many_members_are_refused_before_they_are_looked_at(tmp_path: Path, name: str) -> None:
    if name == "a.zip":
        with zipfile.ZipFile(tmp_path / name, "w") as archive:
            for number in range(101):
                archive.writestr(f"{number}.png", b"")
    else:
        with tarfile.open(tmp_path / name, "w:gz" if name == "a.tgz" else "w") as tar:
            for number in range(101):
                put(tar, f"{number}.png", b"")

    def items(most: int) -> list[SourceItem]:
        return list(ArchiveSource(tmp_path / name, tmp_path / "scratch", Limits(members=most)).items())

    assert len(items(101)) == 101
    with pytest.raises(InputError, match=r"more than 100 members\. Unpack it") as caught:
        items(100)
    assert caught.value.code == "archive_members"


def test_a_directory_that_is_larger_than_it_says_costs_no_memory(tmp_path: Path) -> None:
    """The number of members in a .zip file is what its maker wrote there."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for number in range(1000):
            archive.writestr(f"{number}.png", b"")
    data = bytearray((tmp_path / "a.zip").read_bytes())
    struct.pack_into("<2H", data, len(data) - 14, 1, 1)
    (tmp_path / "a.zip").write_bytes(data)

    with pytest.raises(InputError, match="more than 100 members"):
        list(ArchiveSource(tmp_path / "a.zip", tmp_path, Limits(members=100)).items())


def test_a_header_that_wants_all_memory_ends_the_archive(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        put(tar, "good.png")
        put(tar, "long name", b"x" * 3_000_000, type=tarfile.GNUTYPE_LONGNAME)
        put(tar, "behind.png")
    source = ArchiveSource(tmp_path / "a.tar", tmp_path)

    assert readable(source) == ["good.png"]
    assert "damaged" in problems(source)["(the rest of the archive)"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_of_members_with_the_same_name_the_last_one_is_used_and_each_is_told(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for content in (b"first", b"second", GOOD):
            put(tar, "a/1.png", content, mtime=len(content))
        put(tar, "./a//1.png", GOOD, mtime=4)
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for content in (b"first", b"second", b"third", GOOD):
            archive.writestr("a/1.png", content)

    for name in ("a.tar", "a.zip"):
        source = ArchiveSource(tmp_path / name, tmp_path)
        found = problems(source)
        assert list(found) == ["a/1.png", *(f"a/1.png (earlier copy {number})" for number in (1, 2, 3))]
        assert ["more than once" in problem for problem in found.values()] == [False, True, True, True]
        assert readable(source) == ["a/1.png"]


def encrypted_zip() -> bytes:
    """A .zip file with a flag that says encrypted, on the second of two members."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("good.png", GOOD)
        archive.writestr("secret.png", GOOD)
    data = bytearray(buffer.getvalue())
    data[data.rindex(b"PK\x03\x04") + 6] |= 1
    data[data.rindex(b"PK\x01\x02") + 8] |= 1
    return bytes(data)


def test_encrypted_members_are_problems(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(encrypted_zip())
    source = ArchiveSource(tmp_path / "a.zip", tmp_path)

    assert problems(source)["secret.png"].startswith("encrypted: unpack the archive with its password")
    assert readable(source) == ["good.png"]


def test_a_member_whose_bytes_were_damaged_cannot_be_read_and_its_neighbours_can(tmp_path: Path) -> None:
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA, zipfile.ZIP_BZIP2):
        path = tmp_path / f"{method}.zip"
        with zipfile.ZipFile(path, "w", method) as archive:
            archive.writestr("broken.png", os.urandom(1000))
            archive.writestr("good.png", GOOD)
        data = bytearray(path.read_bytes())
        data[200:300] = bytes(100)
        path.write_bytes(data)
        source = ArchiveSource(path, tmp_path)
        broken, good = source.items()

        with pytest.raises(OSError, match="damaged in the archive"):
            source.read(broken)
        assert source.read(good) == GOOD


def test_a_way_of_packing_that_nobody_knows_is_told(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("odd.png", GOOD)
    data = bytearray((tmp_path / "a.zip").read_bytes())
    struct.pack_into("<H", data, 8, 97)
    struct.pack_into("<H", data, data.rindex(b"PK\x01\x02") + 10, 97)
    (tmp_path / "a.zip").write_bytes(data)
    source = ArchiveSource(tmp_path / "a.zip", tmp_path)
    (item,) = source.items()

    with pytest.raises(OSError, match="damaged in the archive: That compression method is not supported"):
        source.read(item)


@pytest.mark.parametrize(
    ("name", "kind"), [("a.tar", "w"), ("a.tgz", "w:gz"), ("a.tar.bz2", "w:bz2"), ("a.tar.xz", "w:xz")]
)
def test_of_a_tar_file_that_is_cut_off_what_is_there_can_be_read(
    tmp_path: Path, name: str, kind: Literal["w", "w:gz", "w:bz2", "w:xz"]
) -> None:
    with tarfile.open(tmp_path / name, kind) as tar:
        put(tar, "1.png", mtime=1)
        put(tar, "2.png", os.urandom(3_000_000), mtime=2)
        put(tar, "3.png", mtime=3)
    os.truncate(tmp_path / name, (tmp_path / name).stat().st_size * 3 // 4)
    source = ArchiveSource(tmp_path / name, tmp_path / "scratch")

    for _ in range(2):  # unpacked, and found unpacked
        found = problems(source)
        assert "damaged or cut off" in found["(the rest of the archive)"]
        assert found["2.png"] == "cut off: the archive ends in the middle of it"
        assert "3.png" not in found
        assert readable(source) == ["1.png"]


def test_damage_in_the_middle_of_a_tar_file_does_not_pass_for_its_end(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for number in range(3):
            put(tar, f"{number}.png", mtime=number)
    data = bytearray((tmp_path / "a.tar").read_bytes())
    data[1024:1536] = b"\xff" * 512
    (tmp_path / "a.tar").write_bytes(data)
    source = ArchiveSource(tmp_path / "a.tar", tmp_path)

    assert list(problems(source)) == ["(the rest of the archive)", "0.png"]
    assert readable(source) == ["0.png"]


def test_a_sum_that_does_not_fit_shows_that_a_compressed_tar_file_is_damaged(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as tar:
        put(tar, "1.png")
    data = bytearray((tmp_path / "a.tgz").read_bytes())
    data[-8] ^= 0xFF
    (tmp_path / "a.tgz").write_bytes(data)

    assert "damaged" in problems(ArchiveSource(tmp_path / "a.tgz", tmp_path))["(the rest of the archive)"]


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tgz", "a.tar.bz2", "a.tar.xz"])
@pytest.mark.parametrize(
    "content", [b"", b"no archive at all" * 1000, b"\x1f\x8b\x08", b"PK\x03\x04" + bytes(100)]
)
def test_what_is_no_archive_is_refused_in_one_line(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InputError, match="Pack or copy it again") as caught:
        list(ArchiveSource(tmp_path / name, tmp_path / "scratch").items())

    assert caught.value.code == "bad_archive"
    assert "\n" not in caught.value.user_message


@pytest.mark.parametrize("kind", ["zip", "tar", "tgz"])
def test_whatever_a_byte_is_changed_into_nothing_escapes(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"a.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for number in range(3):
                archive.writestr(f"a/{number}.png", GOOD)
    else:
        with tarfile.open(path, "w:gz" if kind == "tgz" else "w", format=tarfile.PAX_FORMAT) as tar:
            for number in range(3):
                put(tar, f"ä/{number}.png", mtime=number + 0.5)
    whole = path.read_bytes()
    for place in range(0, len(whole), max(1, len(whole) // 400)):
        data = bytearray(whole)
        data[place] ^= 0xA5
        path.write_bytes(data)
        source = ArchiveSource(path, tmp_path / "scratch", LIMITS)
        try:
            items = list(source.items())
        except CvError:
            continue
        for item in items:
            if not item.problem:
                try:
                    source.read(item)
                except OSError:
                    continue
