import pytest

from cv_pipelines.errors import InputError
from cv_pipelines.motion.settings import load_motion_settings
from cv_pipelines.motion.thresholds import Thresholds


@pytest.fixture(autouse=True)
def _fresh() -> None:
    load_motion_settings.cache_clear()


def test_without_variables_the_thresholds_are_the_usual_ones() -> None:
    assert load_motion_settings().thresholds() == Thresholds()
    assert load_motion_settings().invalid_share == 0.2


def test_variables_and_then_what_a_run_says_take_their_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CV_MOTION_PAN_SPEED", "0.5")
    monkeypatch.setenv("CV_MOTION_SHORTEST", "3")
    settings = load_motion_settings()
    assert settings.thresholds() == Thresholds(pan_speed=0.5, shortest=3)
    assert settings.thresholds({"shortest": 7}) == Thresholds(pan_speed=0.5, shortest=7)
    load_motion_settings.cache_clear()


@pytest.mark.parametrize(
    ("name", "value"), [("PAN_SPEED", "0"), ("SHORTEST", "few"), ("INVALID_SHARE", "1.5"), ("CPUS", "-1")]
)
def test_a_variable_that_cannot_be_is_named(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"CV_MOTION_{name}", value)
    with pytest.raises(InputError, match=f"CV_MOTION_{name}: "):
        load_motion_settings()
