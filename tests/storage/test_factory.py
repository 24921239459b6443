from pathlib import Path

import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.storage.factory import open_store
from cv_pipelines.storage.local import LocalStore


@pytest.mark.parametrize("name", ["plain", "with space", "größe", "50%"])
def test_a_file_url_opens_the_folder_that_it_names(tmp_path: Path, name: str) -> None:
    store = open_store((tmp_path / name).as_uri())

    assert isinstance(store, LocalStore)
    assert store.root == tmp_path / name


@pytest.mark.parametrize("url", ["s3://bucket/prefix", "/just/a/path", "", "ftp://host/folder"])
def test_another_scheme_is_refused_with_the_variable_and_the_form(url: str) -> None:
    with pytest.raises(InputError, match=r"CV_STORE_URL.*file:///absolute/folder") as caught:
        open_store(url)

    assert caught.value.code == "store_url"


@pytest.mark.parametrize("url", ["file://data/store", "file:data/store", "file://"])
def test_a_file_url_without_an_absolute_folder_is_refused(url: str) -> None:
    with pytest.raises(InputError, match="file:///absolute/folder"):
        open_store(url)
