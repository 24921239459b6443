from pathlib import Path

import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.storage.factory import open_store
from cv_pipelines.storage.local import LocalStore
from cv_pipelines.storage.s3 import S3Store
from tests.servers import S3


@pytest.mark.parametrize("name", ["plain", "with space", "größe", "50%"])
def test_a_file_url_opens_the_folder_that_it_names(tmp_path: Path, name: str) -> None:
    store = open_store((tmp_path / name).as_uri())

    assert isinstance(store, LocalStore)
    assert store.root == tmp_path / name


@pytest.mark.parametrize(
    "url", ["s3://", "s3:///prefix", "s3://bucket?a=b", "/just/a/path", "", "ftp://host/folder"]
)
def test_another_scheme_is_refused_with_the_variable_and_the_form(url: str) -> None:
    with pytest.raises(InputError, match=r"CV_STORE_URL.*file:///absolute/folder or s3://bucket") as caught:
        open_store(url)

    assert caught.value.code == "store_url"


@pytest.mark.parametrize("url", ["file://data/store", "file:data/store", "file://"])
def test_a_file_url_without_an_absolute_folder_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="file:///absolute/folder"):
        open_store(url)


@pytest.mark.parametrize(("path", "prefix"), [("", ""), ("/", ""), ("/a", "a/"), ("/a/b/", "a/b/"), ("//a", "a/")])
def test_an_s3_url_opens_the_bucket_and_prefix_that_it_names(s3: S3, path: str, prefix: str) -> None:
    bucket = s3.new_bucket()

    assert open_store(bucket + path) == S3Store(bucket.removeprefix("s3://"), prefix)


def test_a_bucket_that_is_not_there_is_said_when_the_store_is_opened(s3: S3) -> None:
    with pytest.raises(InputError, match=r"s3://nothing-here/a/.*CV_STORE_URL.*no such bucket") as caught:
        open_store("s3://nothing-here/a")

    assert "\n" not in caught.value.user_message
