from pathlib import Path

import pytest

from cv_pipelines.remote.locations import normal_location, scheme_of


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
