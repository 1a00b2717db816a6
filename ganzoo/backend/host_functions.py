"""Python functions inside compiled pipelines, with their own errors."""

import contextlib
import sys
import warnings

# Errors of Python functions that run inside tf.data -------------------------------------------

_HOST_ERRORS: list[Exception] = []


def host_function(fn, dtypes):
    """`fn` on NumPy arrays as a step of a `tf.data` pipeline; see `host_errors`."""
    import tensorflow as tf

    def guarded(*arrays):
        try:
            return fn(*arrays)
        except Exception as error:
            _HOST_ERRORS.append(error)
            raise

    return as_written(lambda *tensors: tf.numpy_function(guarded, tensors, dtypes))


def as_written(fn):
    """`fn` for `tf.data`, exempt from AutoGraph: none of its `if` and `for` depends on tensors.

    AutoGraph takes a tenth of a second for each function, at the start of every training.
    """
    import tensorflow as tf

    return tf.autograph.experimental.do_not_convert(fn)


@contextlib.contextmanager
def host_errors():
    """A scope in which an error of a `host_function` is raised as it was, not as TensorFlow's."""
    _HOST_ERRORS.clear()
    try:
        with warnings.catch_warnings():
            # Keras reports the end of data of unknown length as an interruption.
            warnings.filterwarnings("ignore", "Your input ran out of data")
            yield
    except Exception as error:
        tf = sys.modules.get("tensorflow")
        if tf is not None and isinstance(error, tf.errors.OpError):
            # Only the one in this message: abandoned pipelines run on for a while, and fail too.
            for cause in _HOST_ERRORS:
                if f"{type(cause).__name__}: {cause}" in str(error):
                    raise cause from None
        raise
