"""Keras's methods, where a game differs from a model with one loss."""

import functools
from collections.abc import Sequence
from typing import Any
from typing import Literal

import keras

from ganzoo import backend
from ganzoo import validation
from ganzoo.game import fitting
from ganzoo.game import time_budget
from ganzoo.game.building import check_floatx
from ganzoo.game.logs import Means
from ganzoo.game.player_optimizers import PlayerOptimizers


class KerasMethods(backend.Trainer, keras.Model):
    """A Keras model that compiles, fits, evaluates and predicts as games do.

    `Game` has the rest: `setup`, `play`, `judge` and what they work on.
    """

    # Building and compiling -----------------------------------------------------------------------

    @property
    def built(self) -> bool:
        """Whether there are networks. Keras sets this when it copies or loads a model, even one
        that has never seen data."""
        return getattr(self, "_has_networks", False)

    @built.setter
    def built(self, value: bool) -> None:
        del value

    def build(self, input_shape: Any = None) -> None:
        """Create the networks for batches of this shape, `(batch, height, width, channels)`."""
        if input_shape is not None:
            self.setup(tuple(input_shape)[1:])
        self.must_be_built()

    def _lock_state(self):
        """Keras would forbid additions after `build`, but trackers are added later."""

    def compile(
        self,
        optimizer: str | keras.optimizers.Optimizer | dict[str, Any] | None = None,
        *,
        jit_compile: bool | Literal["auto"] = "auto",
        steps_per_execution: int | Literal["auto"] = "auto",
        run_eagerly: bool = False,
    ) -> None:
        """Choose optimizers. Models from `ganzoo.get` are compiled already.

        Args:
            optimizer: None (the model's own defaults), or a dict from player name to optimizer,
                or one optimizer (or its name), of which every player gets a copy.
            jit_compile: compile the step with XLA: True, False or `"auto"`.
            steps_per_execution: training steps that run between two looks at callbacks; `"auto"`:
                one where a step takes long, up to 32 where Python would take longer than the step.
            run_eagerly: run the step as plain Python, for debugging.
        """
        if optimizer is None:
            optimizer = self.default_optimizers()
        elif not isinstance(optimizer, dict):
            one = keras.optimizers.get(optimizer)
            optimizer = {name: one.from_config(one.get_config()) for name in self.player_names}
        if sorted(optimizer) != sorted(self.player_names):
            raise ValueError(
                f"`optimizer` must name each player, {list(self.player_names)}. "
                f"Received: {sorted(optimizer)}."
            )
        optimizers = {name: keras.optimizers.get(optimizer[name]) for name in self.player_names}
        if self.dtype_policy.name == "mixed_float16":
            # Each player's loss has a scale of its own: Keras would scale only one.
            wrapper = keras.optimizers.LossScaleOptimizer
            optimizers = {
                name: o if isinstance(o, wrapper) else wrapper(o) for name, o in optimizers.items()
            }
        if steps_per_execution != "auto":
            validation.integer("steps_per_execution", steps_per_execution)
        self._wanted["jit_compile"] = jit_compile
        self._wanted["steps_per_execution"] = steps_per_execution
        super().compile(
            optimizer=PlayerOptimizers(optimizers),
            auto_scale_loss=False,
            jit_compile=jit_compile,
            steps_per_execution=1 if steps_per_execution == "auto" else steps_per_execution,
            run_eagerly=run_eagerly,
        )
        if self.built:
            self._build_optimizers()

    def _build_optimizers(self):
        with self.everywhere():
            self.optimizer.build_for(self.players)

    def _set_steps_per_execution(self, steps):
        if steps != self.steps_per_execution:
            self.steps_per_execution = steps
            self.train_function = self.test_function = self.predict_function = None

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._trackers.values())

    def _make_trackers(self):
        """Make the metrics of what is logged: they must be there before the step is compiled."""
        if self.built and not self._trackers:
            with self.everywhere():
                self._trackers["means"] = Means()

    def make_train_function(self, force: bool = False, step: int | None = None) -> Any:
        """Keras's own; for the stage at `step`, because in `fit` JAX has the variables' values."""
        self._enter(int(self.step.numpy()) if step is None else step)
        self._make_trackers()
        return super().make_train_function(force=force)

    def make_test_function(self, force: bool = False) -> Any:
        self._enter(int(self.step.numpy()))
        self._make_trackers()
        return super().make_test_function(force=force)

    # Training and judging -------------------------------------------------------------------------

    def fit(
        self,
        x: Any = None,
        y: Any = None,
        batch_size: int | None = None,
        epochs: int = 1,
        verbose: Any = "auto",
        callbacks: Sequence[keras.callbacks.Callback] | None = None,
        validation_data: Any = None,
        shuffle: bool = True,
        initial_epoch: int = 0,
        steps_per_epoch: int | None = None,
        validation_steps: int | None = None,
        validation_batch_size: int | None = None,
        validation_freq: Any = 1,
        minutes: float | None = None,
    ) -> keras.callbacks.History:
        """Train. Keras's own `fit`: progress bar, callbacks, history.

        One step of the progress bar is one training step of the game: as many batches as its
        busiest player moves. A last batch that is smaller than the others is left out.

        Args:
            x: `tf.data.Dataset` or `keras.utils.PyDataset` of batches, or an array. Batches are
                `images` or `(images, labels)`: images `(batch, height, width, channels)`,
                `uint8` in 0..255 or float in [-1, 1]; labels `(batch,)`, whole numbers.
            y: labels, where `x` is an array.
            batch_size: examples in a batch, where `x` is an array. Defaults to 64.
            shuffle: visit an array in another order each epoch, derived from the model's seed
                and the epoch's number.
            validation_data: as `x`, or `(images, labels)`; the losses on it are logged as
                `val_…`, with no move made.
            epochs, verbose, callbacks, initial_epoch, steps_per_epoch: as in Keras.
            validation_steps, validation_batch_size, validation_freq: as in Keras.
            minutes: wall time to train for, above 0, in place of `epochs`; an epoch is then a share
                of it. See `ganzoo.callbacks.TimeBudget`.

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: the data does not fit the model; the message says what to change.
        """
        validation.integer("epochs", epochs)
        validation.optional(validation.integer, "batch_size", batch_size)
        validation.optional(validation.integer, "steps_per_epoch", steps_per_epoch)
        check_floatx()
        self._has_warned = False
        budget = fitting.budget_of(minutes, callbacks, epochs, steps_per_epoch)
        with backend.host_errors():
            feed = fitting.training_feed(self, x, y, batch_size, shuffle, steps_per_epoch, budget)
            if self._wanted["steps_per_execution"] == "auto":
                lengths = steps_per_epoch, validation_steps
                self._set_steps_per_execution(fitting.steps_at_once(self, feed.size, *lengths))
            if validation_data is not None:
                validation_data = fitting.held_out(
                    self,
                    *fitting.as_pair(validation_data),
                    validation_batch_size or batch_size,
                    endless=None if validation_steps else "validation_steps",
                )
            self.examples_per_step = feed.size
            data = fitting.dealt(self, feed.data, feed.size, self.turns)
            if budget is not None:
                epochs, steps_per_epoch = budget.begin(initial_epoch), time_budget.ENDLESS
                data = fitting.without_epochs(data, feed.first)
            with fitting.callbacks_for(feed, callbacks, verbose, budget) as every:
                return super().fit(
                    data,
                    epochs=epochs,
                    verbose=verbose,
                    callbacks=every,
                    validation_data=validation_data,
                    shuffle=False,  # the feed has shuffled
                    initial_epoch=initial_epoch,
                    steps_per_epoch=steps_per_epoch,
                    validation_steps=validation_steps,
                    validation_freq=validation_freq,
                )

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> Any:
        """The players' losses on held-out data, with no move made. Arguments as in `fit`."""
        if kwargs.get("_use_cached_eval_dataset"):  # `fit` has prepared it
            return super().evaluate(x, y, batch_size=batch_size, **kwargs)
        if self._wanted["steps_per_execution"] == "auto":
            self._set_steps_per_execution(1)
        check_floatx()
        endless = None if kwargs.get("steps") else "steps"
        with backend.host_errors():
            data = fitting.held_out(self, x, y, batch_size, endless)
            return super().evaluate(data, **kwargs)

    # One batch ------------------------------------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One training step, for loops of your own. `fit` is quicker, and resumes exactly.

        Args:
            x: array of images: as many batches as the busiest player moves, `model.turns`, one
                after the other.
            y: labels, `(len(x),)` whole numbers, where the model takes any.
            sample_weight, class_weight: unknown to games; must be None.
            return_dict: return a dict from name to number, in place of a list in the order of
                these names.

        Returns:
            What this step logs.

        Raises:
            ValueError: the data does not fit the model; the message says what to change.

        Example:

        >>> import ganzoo
        >>> import numpy as np
        >>> model = ganzoo.get("vanilla", seed=0)
        >>> images = np.zeros((32, 8, 8, 1), "uint8")
        >>> sorted(model.train_on_batch(images, return_dict=True))[:3]
        ['d_accuracy_fake', 'd_accuracy_real', 'd_fake']
        """
        x, y = self._one_batch("train_on_batch", x, y, (sample_weight, class_weight))
        return super().train_on_batch(x, y, return_dict=return_dict)

    def test_on_batch(
        self, x: Any, y: Any = None, sample_weight: Any = None, return_dict: bool = False
    ) -> Any:
        """The players' losses on one batch, with no move made; see `train_on_batch`."""
        x, y = self._one_batch("test_on_batch", x, y, (sample_weight, None), turns=1)
        return super().test_on_batch(x, y, return_dict=return_dict)

    def _one_batch(self, method, x, y, weights, turns=None):
        """One batch, checked, as Keras's methods take it; the networks for it are built."""
        if any(weight is not None for weight in weights):
            raise ValueError(f"`{method}` of a game knows no weights: leave them out.")
        check_floatx()
        self._set_steps_per_execution(1)
        self.reset_metrics()
        accept = functools.partial(fitting.accept, self, x, turns=turns)
        return backend.one_batch(x, y, accept, self.check_values)

    # Calling --------------------------------------------------------------------------------------

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.must_be_built()  # Keras would lock a model without networks for good
        return super().__call__(*args, **kwargs)

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Keras's `predict`: from latents, or what the model's `call` takes, to float samples."""
        self.must_be_built()
        return super().predict(*args, **kwargs)

    def predict_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Keras's `predict_on_batch`; see `predict`."""
        self.must_be_built()
        return super().predict_on_batch(*args, **kwargs)

    def call(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} is a game of several networks, and cannot be called itself. "
            "Call one of its networks, or what the model is for, such as `model.encode(images)`."
        )

    def export(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError(
            f"{type(self).__name__} is several networks, of which Keras cannot know which one is "
            "meant. `ganzoo.export.write(model, 'model.onnx')` exports what is used of it, as "
            "ONNX, LiteRT, SavedModel or safetensors; `model.generator.export(path)` one network."
        )
