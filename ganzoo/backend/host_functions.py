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
    """`fn` for `tf.data`, which need not translate it: no `if` or `for` of it depends on tensors.

    The translation takes a tenth of a second for each function, at the start of every training.
    """
    import tensorflow as tf

    return tf.autograph.experimental.do_not_convert(fn)


@contextlib.contextmanager
def host_errors():
    """Within, an error raised by a `host_function` comes out as it was, not as TensorFlow's."""
    _HOST_ERRORS.clear()
    try:
        with warnings.catch_warnings():
            # Keras calls every end of data whose length it did not know an interruption.
            warnings.filterwarnings("ignore", "Your input ran out of data")
            yield
    except Exception as error:
        tf = sys.modules.get("tensorflow")
        if tf is not None and isinstance(error, tf.errors.OpError):
            # That one among them: pipelines left behind go on for a while, and fail too.
            for cause in _HOST_ERRORS:
                if f"{type(cause).__name__}: {cause}" in str(error):
                    raise cause from None
        raise
