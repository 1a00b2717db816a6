"""TensorFlow: a step that updates variables in place."""

import logging

import keras
import tensorflow as tf

from ganzoo.backend.feeding import without_none
from ganzoo.backend.host_functions import as_written
from ganzoo.backend.one_process import apart as apart
from ganzoo.backend.one_process import first as first
from ganzoo.backend.one_process import gathered as gathered
from ganzoo.backend.one_process import join as join
from ganzoo.backend.one_process import leave as leave
from ganzoo.backend.one_process import led as led
from ganzoo.backend.one_process import processes as processes
from ganzoo.backend.one_process import together as together
from ganzoo.backend.tensorflow_convolutions import conv as conv
from ganzoo.backend.tensorflow_convolutions import conv_transpose as conv_transpose
from ganzoo.backend.tensorflow_convolutions import grouped_conv as grouped_conv
from ganzoo.backend.tensorflow_devices import accelerated as accelerated
from ganzoo.backend.tensorflow_devices import accelerator as accelerator
from ganzoo.backend.tensorflow_devices import average as average
from ganzoo.backend.tensorflow_devices import best_precision as best_precision
from ganzoo.backend.tensorflow_devices import devices as devices
from ganzoo.backend.tensorflow_devices import drawn as drawn
from ganzoo.backend.tensorflow_devices import own as own
from ganzoo.backend.tensorflow_devices import replicas as replicas
from ganzoo.backend.tensorflow_devices import spread as spread
from ganzoo.backend.tensorflow_devices import whole as whole
from ganzoo.backend.tensorflow_gradients import input_gradient as input_gradient
from ganzoo.backend.tensorflow_gradients import record as record
from ganzoo.backend.tensorflow_gradients import value_and_grad as value_and_grad
from ganzoo.backend.tensorflow_kernels import depthwise_conv as depthwise_conv
from ganzoo.backend.tensorflow_kernels import resize as resize
from ganzoo.backend.tensorflow_kernels import strided_conv as strided_conv
from ganzoo.backend.tensorflow_kernels import strided_conv_transpose as strided_conv_transpose
from ganzoo.backend.tensorflow_ops import adam as adam
from ganzoo.backend.tensorflow_ops import approach as approach
from ganzoo.backend.tensorflow_ops import batch_norm as batch_norm
from ganzoo.backend.tensorflow_ops import instance_norm as instance_norm
from ganzoo.backend.tensorflow_ops import layer_norm as layer_norm


class _OfNewModels(logging.Filter):
    """Drops warnings that a function is traced again and again.

    Every model has its own step and its own inference function. TensorFlow tells functions apart by
    the line that defines them, so it takes those of five small models for one function.
    """

    def filter(self, record):
        message = record.getMessage()
        ours = "TensorFlowTrainer._make_function" in message or "inference.<locals>" in message
        return not (ours and "triggered tf.function retracing" in message)


tf.get_logger().addFilter(_OfNewModels())


class Trainer:
    """Gives Keras's TensorFlow `fit` its step: `play` to train, `judge` to evaluate.

    A model made in the scope of a `tf.distribute.MirroredStrategy` trains on all of its devices:
    each has a replica of all variables, which stay equal because equal values are assigned to them,
    and plays the step with its own part of each batch. See `drawn`, `average`, `whole`, `apply`.
    """

    def __init__(self, *args, **kwargs):
        strategy = tf.distribute.get_strategy()
        supported = (tf.distribute.MirroredStrategy, tf.distribute.OneDeviceStrategy)
        if tf.distribute.has_strategy() and not isinstance(strategy, supported):
            name = type(strategy).__name__
            name = {"CollectiveAllReduceStrategy": "MultiWorkerMirroredStrategy"}.get(name, name)
            raise ValueError(
                f"ganzoo does not train under {name}: `fit` of Keras 3 does not "
                "work with TensorFlow's strategies for several machines, and the others are "
                "untried. Use `tf.distribute.MirroredStrategy` for the GPUs of one machine, or JAX "
                "with `keras.distribution` for several (docs/several-devices.md)."
            )
        super().__init__(*args, **kwargs)

    def compile(self, *args, **kwargs):
        if self.devices > 1:
            if kwargs["jit_compile"] is True:
                raise ValueError(
                    "On TensorFlow XLA does not compile a step of several replicas: leave "
                    "`jit_compile` at 'auto', or use JAX."
                )
            if kwargs["steps_per_execution"] > 1:
                raise ValueError(
                    "On TensorFlow several replicas make one step at a time: leave "
                    "`steps_per_execution` at 'auto', or use JAX."
                )
            for one in kwargs["optimizer"].optimizers:
                if one._distribution_strategy is not self.distribute_strategy:
                    raise ValueError(
                        "Optimizers must be made where the model was: make them, and call "
                        "`compile`, in the strategy's scope (`with strategy.scope():`)."
                    )
        super().compile(*args, **kwargs)

    @property
    def devices(self):
        """Number of devices that share each batch."""
        return self.distribute_strategy.num_replicas_in_sync

    @property
    def counting(self):
        """Number of devices that count steps, each by itself."""
        return self.devices

    @property
    def at_once(self):
        """Most steps that Keras may run at once: one with several replicas, because TensorFlow
        fails at a loop of such steps."""
        return 1 if self.devices > 1 else 32

    def everywhere(self):
        """A scope in which variables are created on every device that trains."""
        return self.distribute_strategy.scope()

    def deal(self, data, turns):
        """The data of `fit`, arranged so that every replica gets its part of each turn's batch."""
        options = tf.data.Options()
        off = tf.data.experimental.AutoShardPolicy.OFF
        options.experimental_distribute.auto_shard_policy = off
        if self.devices > 1 and turns > 1:
            # TensorFlow gives each replica consecutive examples.
            def dealt(x):
                parts = tf.reshape(x, (turns, self.devices, -1, *x.shape[1:]))
                return tf.reshape(tf.transpose(parts, (1, 0, *range(2, len(parts.shape)))), x.shape)

            data = data.map(as_written(lambda *batch: tuple(map(dealt, batch))))
        return data.with_options(options) if self.devices > 1 else data

    def train_step(self, data):
        # At the end of data of unknown length Keras runs the step once more. It fails for lack of
        # data, but only after operations that do not wait for data have run: counters, random
        # state, averages. So everything waits.
        data = without_none(data)
        with tf.control_dependencies(tf.nest.flatten(data)):
            return self.play(data)

    def test_step(self, data):
        # Losses are computed as in training, but nothing may change: a stateless scope swallows
        # every assignment (batch statistics, random state) except the metrics'.
        with keras.StatelessScope():
            logs = self.judge(without_none(data))
        return self.track(logs)


def apply(optimizer, gradients, variables):
    """One step of `optimizer`; `variables` must be those it was built with."""
    if replicas() > 1:
        # Once, before the gradients are checked, clipped or accumulated over steps: Keras would
        # add up those of the replicas only later.
        gradients = tf.distribute.get_replica_context().all_reduce("MEAN", gradients)
        for one in (optimizer, getattr(optimizer, "inner_optimizer", optimizer)):
            one._all_reduce_sum_gradients = lambda pairs: pairs
    optimizer.apply(gradients, variables)


def inference(network, jit_compile, finish):
    """A compiled `(*inputs) -> finish(network(inputs))`, on NumPy arrays."""

    @tf.function(jit_compile=jit_compile, autograph=False, reduce_retracing=False)
    def run(*inputs):
        return finish(network(inputs if len(inputs) > 1 else inputs[0], training=False))

    return lambda *inputs: tf.nest.map_structure(
        lambda x: x.numpy(), run(*map(tf.convert_to_tensor, inputs))
    )


def compiled(fn):
    """`fn` of tensors, compiled at its first call."""
    return tf.function(fn, autograph=False)


def trace(fn, *specs):
    """Shapes and dtypes of what `fn` returns for tensors of these specs; nothing is computed."""

    @tf.function(autograph=False)
    def traced(*args):
        with keras.StatelessScope():
            return fn(*args)

    specs = keras.tree.map_structure(lambda s: tf.TensorSpec(s.shape, s.dtype), specs)
    return traced.get_concrete_function(*specs).structured_outputs


def keep_compiled(folder):
    """Do nothing: TensorFlow has no cache of compiled steps that is worth it."""
    del folder
