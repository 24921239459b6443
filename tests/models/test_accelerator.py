import pytest

from cv_pipelines.models.accelerator import is_out_of_memory


class ResourceExhaustedError(Exception):
    """Named as TensorFlow's."""


class OutOfMemoryError(RuntimeError):
    """Named as PyTorch's."""


class XlaRuntimeError(RuntimeError):
    """Named as JAX's, which says most things with one class."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (ResourceExhaustedError("OOM when allocating tensor"), True),
        (OutOfMemoryError("CUDA out of memory"), True),
        (XlaRuntimeError("RESOURCE_EXHAUSTED: Out of memory"), True),
        (XlaRuntimeError("INVALID_ARGUMENT: wrong shape"), False),
        (ValueError("RESOURCE_EXHAUSTED"), False),
        (OSError(28, "No space left on device"), False),
    ],
)
def test_memory_that_does_not_suffice_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) is expected


def test_tensorflow_says_it_under_the_name_that_is_looked_for() -> None:
    import tensorflow as tf

    assert is_out_of_memory(tf.errors.ResourceExhaustedError(None, None, "OOM"))
    assert not is_out_of_memory(tf.errors.InvalidArgumentError(None, None, "shape"))
