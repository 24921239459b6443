import pickle

import pytest

from cv_pipelines.errors import (
    CvError,
    InfrastructureError,
    InputError,
    InternalError,
    ResourceError,
    SubmissionError,
)


@pytest.mark.parametrize(
    ("kind", "source"),
    [
        (InputError, "input"),
        (SubmissionError, "submission"),
        (ResourceError, "resource"),
        (InfrastructureError, "infrastructure"),
        (InternalError, "internal"),
        (CvError, "internal"),
    ],
)
def test_an_error_says_who_has_to_act_and_crosses_processes_whole(kind: type[CvError], source: str) -> None:
    error = pickle.loads(pickle.dumps(kind("some_code", "What to do.", "only for the log")))  # noqa: S301 - ours

    assert type(error) is kind
    assert error.source == source
    assert (error.code, error.user_message, error.detail) == ("some_code", "What to do.", "only for the log")


def test_the_text_of_an_error_is_what_a_stranger_may_read() -> None:
    assert str(InputError("code", "Give a folder.", "/secret/path")) == "Give a folder."
