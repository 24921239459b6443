"""What the Keras backend can compute on."""

import keras


def has_gpu() -> bool:
    """Say whether the backend sees a GPU."""
    match keras.backend.backend():
        case "tensorflow":
            import tensorflow as tf

            return bool(tf.config.list_physical_devices("GPU"))
        case "jax":
            import jax

            return any(device.platform == "gpu" for device in jax.devices())
        case "torch":
            import torch

            return bool(torch.cuda.is_available())
        case _:
            return False


def is_out_of_memory(error: BaseException) -> bool:
    """Recognise the backends' ways to say that memory did not suffice."""
    name = type(error).__name__
    return (
        isinstance(error, MemoryError)
        or name in ("ResourceExhaustedError", "OutOfMemoryError")
        or (name in ("XlaRuntimeError", "JaxRuntimeError") and "RESOURCE_EXHAUSTED" in str(error))
    )
