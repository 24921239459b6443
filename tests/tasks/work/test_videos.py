"""A task names a video by its key or its address, where an operator lets it."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from cv_pipelines.catalog import Catalog
from cv_pipelines.errors import InputError
from cv_pipelines.tasks.work.videos import enter_video
from cv_pipelines.videos.archive import count_archive, find_video_of_archive, register_videos, video_key
from cv_pipelines.videos.listing import ListedVideo
from tests.servers import on_both_databases


@pytest.fixture
def database(catalog: Catalog) -> Engine:
    return catalog.database


@pytest.fixture
def films(tmp_path: Path) -> Path:
    (tmp_path / "films").mkdir()
    (tmp_path / "films" / "a 1.mp4").write_text("a film")
    return tmp_path / "films"


@on_both_databases
@pytest.mark.parametrize("address", ["s3://bucket/a.mp4", "https://host/a.mp4?token=1"])
def test_a_video_on_a_server_is_entered_once(database: Engine, address: str) -> None:
    keys = {enter_video(database, address, ()) for _ in range(2)}

    assert keys == {video_key(address)}
    assert find_video_of_archive(database, address).address == address


def test_a_file_is_entered_where_its_folder_is_open(database: Engine, films: Path) -> None:
    path = films / "a 1.mp4"

    assert enter_video(database, path.as_uri(), (str(films),)) == video_key(str(path))
    assert enter_video(database, video_key(str(path)), ()) == video_key(str(path))
    assert count_archive(database) == 1


@pytest.mark.parametrize("name", ["a 1.mp4", "none.mp4"])
def test_a_file_elsewhere_is_refused_in_words_that_tell_nothing(database: Engine, films: Path, name: str) -> None:
    with pytest.raises(InputError, match="CV_FILE_ALLOW") as caught:
        enter_video(database, (films / name).as_uri(), (str(films / "open"),))

    assert caught.value.code == "forbidden_file"
    assert str(films) not in caught.value.user_message
    assert count_archive(database) == 0


def test_a_link_leads_nowhere_else(database: Engine, films: Path, tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open" / "link.mp4").symlink_to(films / "a 1.mp4")
    (tmp_path / "open" / "inside.mp4").symlink_to(tmp_path / "open" / "b.mp4")
    folders = (str(tmp_path / "open"),)

    with pytest.raises(InputError, match="CV_FILE_ALLOW"):
        enter_video(database, (tmp_path / "open" / "link.mp4").as_uri(), folders)
    key = enter_video(database, (tmp_path / "open" / "inside.mp4").as_uri(), folders)

    assert find_video_of_archive(database, key).address == str(tmp_path / "open" / "b.mp4")


def test_what_an_operator_has_taken_in_may_be_named(database: Engine, films: Path) -> None:
    path = str(films / "a 1.mp4")
    list(register_videos(database, [ListedVideo(path, path)]))

    assert enter_video(database, (films / "a 1.mp4").as_uri(), ()) == video_key(path)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        (video_key("/films/nobody.mp4"), "no_video"),
        ("https://user:secret@host/a.mp4", "bad_address"),
        ("file://elsewhere/a.mp4", "bad_address"),
        ("file:///films/a%00.mp4", "bad_address"),
    ],
)
def test_what_names_no_video_is_told(database: Engine, name: str, code: str) -> None:
    with pytest.raises(InputError) as caught:
        enter_video(database, name, ("/",))

    assert caught.value.code == code
    assert count_archive(database) == 0
