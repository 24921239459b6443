from pathlib import Path

import pytest

from cv_pipelines.remote.locations import absolute_path, normal_location, scheme_of


@pytest.mark.parametrize(
    ("location", "scheme"),
    [
        ("s3://b/k", "s3"),
        ("HTTPS://a/b", "https"),
        ("/a/b", ""),
        ("a://", "a"),
        ("c:/b", ""),
        ("1.png", ""),
    ],
)
def test_what_stands_before_the_sign_is_the_scheme(location: str, scheme: str) -> None:
    assert scheme_of(location) == scheme


def test_paths_become_absolute_and_addresses_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", "/home/somebody")

    assert normal_location("photos") == f"{tmp_path}/photos"
    assert normal_location("~/film.mp4#rate=1/2") == "/home/somebody/film.mp4#rate=1/2"
    assert normal_location("/data/film.mp4#every=10") == "/data/film.mp4#every=10"
    assert normal_location("s3://bucket/prefix//a") == "s3://bucket/prefix//a"


def test_a_path_has_one_name_from_wherever_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "disk" / "2024").mkdir(parents=True)
    (tmp_path / "films").symlink_to(tmp_path / "disk" / "2024")
    monkeypatch.chdir(tmp_path / "disk")

    assert absolute_path("../films/a.mp4") == tmp_path / "films" / "a.mp4"
    assert absolute_path(f"{tmp_path}/disk/2024/../../none/./a.mp4") == tmp_path / "none" / "a.mp4"
    assert absolute_path(f"{tmp_path}/films/../a.mp4") == tmp_path / "disk" / "a.mp4"  # as the disk has it
    assert absolute_path(f"{tmp_path}/films/a..b.mp4") == tmp_path / "films" / "a..b.mp4"
    assert absolute_path("~nobody-of-this-name/../a.mp4") == tmp_path / "disk" / "a.mp4"
    assert str(absolute_path("../a\0.mp4")) == f"{tmp_path}/disk/../a\0.mp4"
