"""Turn-taking, written once: a game is players who move in order, each minimising its own loss."""

import collections
import contextlib
import functools
import inspect
import math
import operator
import random as python_random
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import Literal

import keras
import numpy as np
from keras import ops

from ganzoo import backend
from ganzoo import types
from ganzoo import validation
from ganzoo.game import data as data_of_games
from ganzoo.game.fitting import Bar
from ganzoo.game.fitting import OnNaN
from ganzoo.game.fitting import Stages
from ganzoo.game.fitting import as_pair
from ganzoo.game.inference import Inference
from ganzoo.game.logs import Means
from ganzoo.game.logs import Untracked
from ganzoo.game.logs import in_float32
from ganzoo.game.logs import log_items
from ganzoo.game.numbering import number_layers
from ganzoo.game.numbering import numbering_layers
from ganzoo.game.player import Player
from ganzoo.game.player_optimizers import PlayerOptimizers
from ganzoo.modalities import Images
from ganzoo.modalities import Modality
from ganzoo.modalities import Points
from ganzoo.networks import operations

ABILITIES = ("generate", "encode", "reconstruct", "translate")
"""What models may be asked for. No model can do all of it."""

PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")


class Game(backend.Trainer, keras.Model):
    """A model whose players take turns. Subclasses say who plays; they never write a step.

    A subclass provides `build_players` and, where players look at common material, `draw`. It
    lists in `averaged` the networks of which an exponential moving average is kept.

    One training step reads as many batches as its busiest player moves. In each turn the common
    material is drawn once; a player with `steps=k` moves in the last k turns, so that all finish
    together; players move in the order in which they are listed, each facing those who already
    moved.

    Args:
        image_shape: `(height, width, channels)` of the data; None: taken from the data at the
            first `fit`.
        ema_decay: decay of the averaged networks per training step, in [0, 1), or None for none.
            Early in training a smaller one is used, (1 + step) / (10 + step); early after
            `ganzoo.get` has loaded trained weights, (1 + step) / (30 + step) with the steps since
            then: the average follows within a thirtieth of them.
        precision: `"float32"`, `"mixed_float16"`, `"mixed_bfloat16"`, or `"auto"`: the mixed one
            that `keras.mixed_precision` was set to, or else the best that the device computes in
            (float32 on a CPU).
        jit_compile: compile the step with XLA: True, False or `"auto"` (Keras decides).
        seed: whole number that fixes initial weights and all randomness of training, or None.
        name: name of the model.
    """

    player_names: tuple[str, ...] = ()
    averaged: tuple[str, ...] = ()
    modalities: tuple[Modality, ...] = (Images(), Points())
    """Kinds of data that it takes."""
    paired: bool | None = None
    """Whether its data are examples of two domains, `(images, targets)`, and if so, whether the two
    belong together. None: its data are examples of one kind, perhaps with labels."""
    num_classes: int | None = None
    """Classes of a conditional model."""
    lacks: dict[str, str] = {}
    """Why the model has not one of `ABILITIES` which users expect of it, `{ability: reason}`."""

    def __init__(
        self,
        *,
        image_shape: types.Shape | None = None,
        ema_decay: float | None = None,
        precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = "auto",
        jit_compile: bool | Literal["auto"] = "auto",
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        _check_floatx()
        validation.one_of("precision", precision, PRECISIONS)
        validation.one_of("jit_compile", jit_compile, (True, False, "auto"))
        if ema_decay is not None:
            validation.real("ema_decay", ema_decay, least=0.0, below=1.0)
        if seed is not None:
            validation.integer("seed", seed, least=0)
        wanted = keras.config.dtype_policy().name
        if precision == "auto" and wanted in PRECISIONS[2:]:
            precision = wanted  # somebody has set it for all models; it is saved with this one
        policy = backend.best_precision() if precision == "auto" else precision
        super().__init__(name=name, dtype=policy)
        names: dict[str, int] = collections.defaultdict(int)
        self._numbering = functools.partial(numbering_layers, names)
        number_layers(names)  # until the last constructor has run
        self.image_shape: Any = None  # then a tuple, once it is known
        self.modality: Any = None  # likewise
        self.ema_decay = ema_decay
        self.precision = precision
        self.seed = seed
        self.players: tuple[Player, ...] = ()
        self._trackers = Untracked()
        self.inference = Inference(self)
        with self._seeded():
            self.seed_generator = keras.random.SeedGenerator()
        self.current_stage = None
        self._averaging_since = 0
        self._has_warned = False  # of the range of data, in this `fit`
        self.step = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="step"
        )
        self._wanted: dict[str, Any] = {"image_shape": image_shape, "jit_compile": jit_compile}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Compile and, if the image shape is given, build once the last constructor has run."""
        super().__init_subclass__(**kwargs)
        if vars(cls).get("accepts_points"):  # as `modalities` was said before there were others
            cls.modalities = (Images(), Points())
        # A class without one of its own passes on to whichever is next for the object at hand.
        constructor = vars(cls).get("__init__", lambda self, **k: super(cls, self).__init__(**k))

        @functools.wraps(cls.__init__)
        def construct(self, **kwargs):
            if type(self).__init__ is not construct:
                constructor(self, **kwargs)
                return
            with numbering_layers():
                constructor(self, **kwargs)
                self.compile(jit_compile=self._wanted["jit_compile"])
                if self._wanted["image_shape"] is not None:
                    self.setup(self._wanted["image_shape"])

        cls.__init__ = construct  # type: ignore[method-assign]

    def __getattr__(self, name: str) -> Any:
        if name not in ABILITIES:
            # Which raises as usual; on PyTorch it finds networks.
            inherited: Any = getattr(super(), "__getattr__", super().__getattribute__)
            return inherited(name)
        from ganzoo.game import registry  # which is made of games

        reason = f": {self.lacks[name]}" if name in self.lacks else ""
        able = [known for known, cls in registry.registered().items() if hasattr(cls, name)]
        raise AttributeError(
            f"{type(self).__name__} has no `{name}`{reason}. Models that have it: "
            f"{', '.join(sorted(able))}."
        )

    # What a subclass says ------------------------------------------------------------------

    def build_players(self) -> tuple[Player, ...]:
        """Create the networks for `self.image_shape` and return the players, in moving order."""
        raise NotImplementedError

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """A dict from player name to optimizer."""
        raise NotImplementedError

    def check_image_shape(self, shape: types.Shape) -> None:
        """Raise a `ValueError` if the networks cannot be built for this shape."""
        self.modality_of(shape)
        self.check_shape(shape)

    def check_shape(self, shape: types.Shape) -> None:
        """Raise a `ValueError` if the model's arguments do not fit examples of this shape."""

    @property
    def label_range(self) -> range | None:
        """The labels that its data may have, a `range`; None: it looks at none."""
        return None if self.num_classes is None else range(self.num_classes)

    def prepare(self, data: Any) -> types.Tensors:
        """From what the data set yields to the batch that losses see, inside the step."""
        return data_of_games.prepare(self, data)

    def batch_spec(self, batch_size: int) -> dict[str, keras.KerasTensor]:
        """Shapes and dtypes (`keras.KerasTensor`s) of what `prepare` returns."""
        return data_of_games.batch_spec(self, batch_size)

    def stage(self, step: int) -> Any:
        """Which part of its course a game that changes as it goes on is in after so many steps.

        A plain value, kept in `current_stage` and read while the step is traced, which is compiled
        anew for each.
        """
        del step

    def draw(self, batch: types.Tensors) -> types.Tensors:
        """What all players look at in this turn: a dict of tensors, drawn once."""
        del batch
        return {}

    # For its losses ---------------------------------------------------------------------------

    _judging = False  # whether losses are traced to be judged, by `judge`

    def lazily(
        self, every: int, value: Callable[[], types.Tensor], shape: types.Shape = ()
    ) -> types.Tensor:
        """`every` times what `value()` returns, in one training step of so many; zeros in the
        others, in which it costs nothing. On average that is the value itself.

        Args:
            every: steps from one to the next. Where a loss is judged, not trained on, the value
                itself is returned.
            value: function that returns a tensor. It neither draws random numbers nor changes
                variables: both belong outside.
            shape: of the tensor.

        Returns:
            A float32 tensor.
        """
        if every == 1 or self._judging:
            return ops.cast(value(), "float32")
        due = ops.convert_to_tensor(self.step) % every == 0
        return ops.cond(
            due,
            lambda: float(every) * ops.cast(value(), "float32"),
            lambda: ops.zeros(shape, "float32"),
        )

    # Building -------------------------------------------------------------------------------

    @property
    def built(self) -> bool:
        """Whether there are networks. Keras sets this where it copies or loads a model, also one
        that has never seen data."""
        return getattr(self, "_has_networks", False)

    @built.setter
    def built(self, value: bool) -> None:
        del value

    @contextlib.contextmanager
    def _seeded(self):
        """Layers made inside draw their seeds from `self.seed`; Python's generator is restored."""
        if self.seed is None:
            yield
            return
        state = python_random.getstate()
        python_random.seed(int(self.seed))
        try:
            yield
        finally:
            python_random.setstate(state)

    def must_be_built(self) -> None:
        """Raise a `ValueError` unless there are networks."""
        if not self.built:
            raise ValueError(
                f"This {type(self).__name__} has no networks yet, because it does not know the "
                "shape of its pictures. Call `fit` first, load weights, or make it with "
                "`image_shape=(height, width, channels)`."
            )

    def modality_of(self, shape: types.Shape) -> Modality:
        """The kind of data, of those that the model takes, which examples of this shape are.

        Raises:
            ValueError: they are of none.
        """
        fitting = [kind for kind in self.modalities if kind.rank == len(shape)]
        return (fitting or self.modalities)[0].of(tuple(shape))

    def setup(self, image_shape: Sequence[int]) -> None:
        """Create the networks for pictures of this shape; once built, check that it is the same."""
        image_shape = tuple(int(n) for n in image_shape)
        if self.built:
            if image_shape != self.image_shape:
                raise ValueError(
                    f"This model was built for pictures of shape {self.image_shape}; the data has "
                    f"{image_shape}. Resize the data (`ganzoo.datasets.load(…, image_size=…)`) or "
                    "make a new model."
                )
            return
        self.check_image_shape(image_shape)
        self.image_shape = image_shape
        self.modality = self.modality_of(image_shape)
        self._build()

    def _build(self):
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.dtype_policy)
        self._enter(int(self.step.numpy()))
        try:
            with (
                self.everywhere(),
                self._seeded(),
                self._numbering(),
                backend.channels_last(),
            ):
                self.players = tuple(self.build_players())
                if self.ema_decay is not None:
                    for name in self.averaged:
                        network = getattr(self, name)
                        average = keras.models.clone_model(network)
                        average.set_weights(network.get_weights())
                        average.trainable = False
                        setattr(self, f"ema_{name}", average)
        finally:
            keras.config.set_dtype_policy(policy)
        self._has_networks = True
        if self.compiled:
            self._build_optimizers()

    @property
    def turns(self) -> int:
        """Batches that one training step reads."""
        return max(player.steps for player in self.players)

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
                or one optimizer (or its name) of which every player gets a copy.
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
            # Each player's loss has its own scale: Keras would scale only a single one.
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

    def _choose_steps_per_execution(self, examples, *lengths):
        """About a quarter of a second of steps at once, so that Keras's work between is small.

        Their number divides each of `lengths`, in which Keras would not stop in between.
        """
        if self._wanted["steps_per_execution"] != "auto":
            return
        networks = {id(n): n for player in self.players for n in player.networks}.values()
        try:
            forward = sum(sum(operations(network)) for network in networks)
        except ValueError:  # then callbacks are called after each step
            forward = math.inf
        # Forward and back, and most networks twice.
        most = min(self.at_once, 1 + 0.25 * backend.speed() / max(6 * examples * forward, 1))
        length = math.gcd(*(n for n in lengths if n))
        self._set_steps_per_execution(
            max(n for n in range(1, int(most) + 1) if length % n == 0)
            if not self.run_eagerly
            else 1
        )

    def _set_steps_per_execution(self, steps):
        if steps != self.steps_per_execution:
            self.steps_per_execution = steps
            self.train_function = self.test_function = self.predict_function = None

    # The step -------------------------------------------------------------------------------

    def _split(self, data):
        if self.turns == 1:
            return [data]
        parts = keras.tree.map_structure(lambda x: ops.split(x, self.turns), data)
        return [
            keras.tree.map_structure_up_to(data, operator.itemgetter(turn), parts)
            for turn in range(self.turns)
        ]

    def play(self, data: Any) -> types.Tensors:
        """One training step on `turns` batches, one after the other along the first axis."""
        logs = []
        for turn, part in enumerate(self._split(data)):
            batch = self.prepare(part)
            movers = [p for p in self.players if turn >= self.turns - p.steps]
            drawing = {id(v): v for p in movers if p.draws for v in p.variables}
            if drawing:
                drawn, pullback = backend.record(
                    functools.partial(self.draw, batch), list(drawing.values()), self.variables
                )
            else:
                drawn, pullback = self.draw(batch), None
            by_name: dict[str | None, Player] = {player.name: player for player in movers}
            while by_name:
                player = by_name.pop(next(iter(by_name)))
                partner = by_name.pop(player.partner, None)
                if partner is None:
                    logs += self._move(player, batch, drawn, pullback if player.draws else None)
                else:
                    logs += self._move_together(player, partner, batch, drawn, pullback)
        self._average()
        self.step.assign_add(1)
        return self.track(logs)

    def _move(self, player, batch, drawn, pullback):
        """One player's move: its gradient, directly and through what was drawn, applied."""
        optimizer = self.optimizer[player.name]
        variables = player.variables
        scale = optimizer.scale_loss(ops.ones(()))

        def loss(drawn=drawn):
            terms, signals = self._terms_of(player, batch, drawn)
            return sum(terms.values()) * scale, (terms, signals)

        (_, (terms, signals)), gradients, cotangents = backend.value_and_grad(
            loss, variables, drawn if pullback else None, self.variables
        )
        if pullback:
            through = pullback(cotangents, variables)
            gradients = [_sum(g, t) for g, t in zip(gradients, through)]
        self._apply(player, gradients)
        return log_items(player, terms, signals)

    def _apply(self, player, gradients):
        variables = player.variables
        idle = [v.path for v, g in zip(variables, gradients) if g is None]
        if player.growing:
            # Adam leaves alone what has never had a gradient.
            gradients = [
                ops.zeros_like(v.value) if g is None else g for v, g in zip(variables, gradients)
            ]
        elif idle:
            raise ValueError(
                f"The loss of player {player.name!r} does not depend on {', '.join(idle)}. Leave "
                "these networks out of the player, or set `draws=True` if they run in `draw`."
            )
        optimizer = self.optimizer[player.name]
        made = optimizer.iterations + 1
        backend.apply(optimizer, gradients, variables)
        if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
            # Which counts no step that overflows: a schedule would fall behind the other players'.
            optimizer.iterations.assign(made)

    def _move_together(self, player, partner, batch, drawn, pullback):
        """Two players' moves from one backward pass; both face the other as it was before."""
        optimizers = [self.optimizer[p.name] for p in (player, partner)]
        scale, partner_scale = (o.scale_loss(ops.ones(())) for o in optimizers)

        def loss(drawn):
            (terms, further, signals), answer, factor = player.joint(batch, drawn)
            terms = self._whole(player, terms)
            return sum(terms.values()) * scale, (terms, further, signals, answer, factor)

        def others(found):
            terms, further, *rest = found
            more = in_float32(further())
            return sum(more.values()) * scale, ({**terms, **more}, None, *rest)

        (_, (terms, _, signals, answer, factor)), gradients, cotangents = backend.value_and_grad(
            loss, player.variables, drawn, self.variables, others if player.further() else None
        )
        factor = ops.cast(factor, "float32") * (partner_scale / scale)
        through = pullback([_times(c, factor) for c in cotangents], partner.variables)
        self._apply(player, gradients)
        self._apply(partner, through)
        return log_items(player, terms, signals) + log_items(partner, *answer)

    def _terms_of(self, player, batch, drawn):
        terms, signals = player.loss(batch, drawn)
        return self._whole(player, terms), signals

    def _whole(self, player, terms):
        """A player's terms in float32, with those of its regularizers."""
        regularizers = [v.regularizer(v) for v in player.variables if v.regularizer is not None]
        if regularizers:
            terms = {**terms, "regularization": sum(regularizers)}
        return in_float32(terms)

    def _average(self):
        """Move the averaged networks towards the live ones.

        Batch statistics too: those of the live network belong to its weights of this moment, and
        the means of a first layer are linear in its weights.
        """
        if self.ema_decay is None:
            return
        step = ops.cast(self.step - self._averaging_since, "float32")
        # What is new differs more from what was loaded than early weights do from each other.
        reach = 30.0 if self._averaging_since else 10.0
        decay = ops.minimum(self.ema_decay, (1.0 + step) / (reach + step))
        for name in self.averaged:
            live, average = getattr(self, name), getattr(self, f"ema_{name}")
            for a, v in zip(average.weights, live.weights):
                backend.approach(a, v, 1.0 - decay)

    def restart_averages(self) -> None:
        """Begin the averages of networks anew, from what they are now.

        Early in training an average follows the live network closely, later only over as many
        steps as `ema_decay` says. Who goes on from trained weights with other data is early again:
        `ganzoo.get(…, weights=…)` calls this.
        """
        self._averaging_since = int(self.step.numpy())
        self.train_function = None

    def in_use(self, name: str) -> keras.Model:
        """The network of this name that is used outside training: the averaged one where there is
        one."""
        averaged = self.ema_decay is not None and name in self.averaged
        return getattr(self, f"ema_{name}" if averaged else name)

    def judge(self, data: Any) -> list[tuple[str, types.Tensor]]:
        """The players' losses on one batch, with no move made."""
        self._judging = True
        try:
            return self._looks(self.prepare(data))
        finally:
            self._judging = False

    def _looks(self, batch):
        drawn = self.draw(batch)
        logs = []
        for player in self.players:
            logs += log_items(player, *self._terms_of(player, batch, drawn))
        return logs

    def track(self, logs: Iterable[tuple[str, types.Tensor]]) -> types.Tensors:
        """Add scalars to the running means and return those."""
        means = self._trackers["means"]
        means.update_state(logs)
        return means.result()

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return list(self._trackers.values())

    def not_finite(self) -> dict[str, int]:
        """Of each log that is not finite: its name, and the step of this epoch, from 1, in which it
        ceased to be."""
        means = self._trackers.get("means")
        if means is None:
            return {}
        steps, finite = map(ops.convert_to_numpy, (means.steps, means.finite))
        return {
            name: int(n) // self.counting + 1 for name, n in zip(means.names, finite) if n < steps
        }

    def _make_trackers(self):
        """Make the metrics of what is logged, which must be there before the step is compiled."""
        if self.built and not self._trackers:
            with self.everywhere():
                self._trackers["means"] = Means()

    def _enter(self, step):
        """Enter the stage that this step belongs to; say whether it is another one."""
        stage = self.stage(step)
        changed = stage != self.current_stage
        if changed:
            self.current_stage = stage
            self.train_function = self.test_function = None
        return changed

    def make_train_function(self, force: bool = False) -> Any:
        self._enter(int(self.step.numpy()))
        self._make_trackers()
        return super().make_train_function(force=force)

    def make_test_function(self, force: bool = False) -> Any:
        self._enter(int(self.step.numpy()))
        self._make_trackers()
        return super().make_test_function(force=force)

    # Fitting --------------------------------------------------------------------------------

    def check_specs(self, specs: types.Specs) -> None:
        """Raise a `ValueError` unless this `(shape, dtype)` per component can be trained on."""
        data_of_games.check_specs(self, specs)

    def check_values(self, arrays: Sequence[Any]) -> None:
        """Raise a `ValueError` unless one batch, a NumPy array per component, is in range."""
        data_of_games.check_values(self, arrays)

    def _accept(self, specs, turns=None):
        """Check the shapes of data, build for them, and say how many batches a step reads."""
        self.check_specs(specs)
        self.setup(specs[0][0])
        return turns or self.turns

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

        Returns:
            A `keras.callbacks.History`.

        Raises:
            ValueError: the data does not fit the model; the message says what to change.
        """
        validation.integer("epochs", epochs)
        if batch_size is not None:
            validation.integer("batch_size", batch_size)
        if steps_per_epoch is not None:
            validation.integer("steps_per_epoch", steps_per_epoch)
        _check_floatx()
        self._has_warned = False
        with backend.host_errors():
            feed = backend.feed(
                x,
                y,
                accept=self._accept,
                check=self.check_values,
                batch_size=batch_size,
                shuffle=shuffle,
                seed=self.seed or 0,
                repeat=steps_per_epoch is not None,
                paired=self.paired,
                endless=None if steps_per_epoch else "steps_per_epoch",
            )
            self._choose_steps_per_execution(feed.size, steps_per_epoch, validation_steps)
            if validation_data is not None:
                validation_data = self._still(
                    *as_pair(validation_data),
                    validation_batch_size or batch_size,
                    endless=None if validation_steps else "validation_steps",
                )
            self.examples_per_step = feed.size
            data = self._spread(feed.data, feed.size, self.turns)
            callbacks = [
                OnNaN() if isinstance(c, keras.callbacks.TerminateOnNaN) else c
                for c in callbacks or []
            ]
            # Keras tells callbacks of the end only where it ends well.
            with contextlib.ExitStack() as closing:
                for callback in callbacks:
                    if hasattr(callback, "close"):
                        closing.callback(callback.close)
                    if hasattr(callback, "see"):  # it wants to know the data, as the doctor does
                        callback.see(feed.data)
                bar = keras.callbacks.ProgbarLogger
                own = any(isinstance(callback, bar) for callback in callbacks)
                if verbose and not own and keras.backend.backend() == "tensorflow":
                    callbacks.append(Bar())  # last, so that it shows what others put into the logs
                return super().fit(
                    data,
                    epochs=epochs,
                    verbose=verbose,
                    callbacks=[feed.pin(), Stages(), *callbacks],
                    validation_data=validation_data,
                    shuffle=False,  # the feed has shuffled
                    initial_epoch=initial_epoch,
                    steps_per_epoch=steps_per_epoch,
                    validation_steps=validation_steps,
                    validation_freq=validation_freq,
                )

    def _still(self, x, y, batch_size, endless):
        """Data for looking at without moving: every turn is one batch, in its own order.

        `endless`: see `backend.feed`.
        """
        arrays = y is not None or hasattr(x, "shape")
        feed = backend.feed(
            x,
            y,
            accept=functools.partial(self._accept, turns=1),
            check=self.check_values,
            batch_size=batch_size if arrays else None,
            paired=self.paired,
            endless=endless,
        )
        return self._spread(feed.data, feed.size)

    def _spread(self, data, size, turns=1):
        """Data of steps that read `size` examples in so many turns, spread over the devices."""
        size, devices = size // turns, self.devices
        if size % devices:
            raise ValueError(
                f"Batches of {size} cannot be spread over {devices} devices: take batches of "
                f"{math.ceil(size / devices) * devices}."
            )
        return self.deal(data, turns)

    def evaluate(
        self, x: Any = None, y: Any = None, batch_size: int | None = None, **kwargs: Any
    ) -> Any:
        """The players' losses on held-out data, with no move made. Arguments as in `fit`."""
        if kwargs.get("_use_cached_eval_dataset"):  # `fit` has prepared it
            return super().evaluate(x, y, batch_size=batch_size, **kwargs)
        if self._wanted["steps_per_execution"] == "auto":
            self._set_steps_per_execution(1)
        _check_floatx()
        endless = None if kwargs.get("steps") else "steps"
        with backend.host_errors():
            return super().evaluate(self._still(x, y, batch_size, endless), **kwargs)

    # Keras's other methods --------------------------------------------------------------------

    def train_on_batch(
        self,
        x: Any,
        y: Any = None,
        sample_weight: Any = None,
        class_weight: Any = None,
        return_dict: bool = False,
    ) -> Any:
        """One training step, for loops of one's own. `fit` is quicker, and resumes exactly.

        Args:
            x: array of images; of as many batches as the busiest player moves, one after the
                other: `model.turns` of them.
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
        """A batch as Keras's methods for one take it, checked; there are networks for it."""
        if any(weight is not None for weight in weights):
            raise ValueError(f"`{method}` of a game knows no weights: leave them out.")
        _check_floatx()
        self._set_steps_per_execution(1)
        self.reset_metrics()
        accept = functools.partial(self._accept, turns=turns)
        return backend.one_batch(x, y, accept, self.check_values)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        self.must_be_built()  # Keras would lock a model without networks for good
        return super().__call__(*args, **kwargs)

    def build(self, input_shape: Any = None) -> None:
        """Create the networks for batches of this shape, `(batch, height, width, channels)`."""
        if input_shape is not None:
            self.setup(tuple(input_shape)[1:])
        self.must_be_built()

    def _lock_state(self):
        """Keras would let nothing be added after `build`; what is logged is known later."""

    def predict(self, *args: Any, **kwargs: Any) -> Any:
        """Keras's `predict`: of latents, or what the model's `call` takes, float samples."""
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

    def save(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """Write everything to a `.keras` file; see Keras's `Model.save`."""
        if str(filepath).lower().endswith((".h5", ".hdf5")):
            raise ValueError(
                "A model is saved as a `.keras` file, which alone holds optimizers, averages and "
                f"random states. Received: {str(filepath)!r}. For weights alone: "
                "`model.save_weights('name.weights.h5')`; for other programs: "
                "`ganzoo.export.write`."
            )
        super().save(filepath, *args, **kwargs)

    # Saving ---------------------------------------------------------------------------------

    @classmethod
    def arguments(cls) -> dict[str, Any]:
        """The constructor's arguments and their defaults, inherited ones included."""
        found = {}
        for base in reversed(cls.__mro__):
            if issubclass(base, Game):
                parameters = inspect.signature(base.__init__).parameters.values()
                found.update({p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY})
        return found

    def get_config(self) -> dict[str, Any]:
        # `jit_compile` belongs to how the model was compiled, which is saved beside this.
        return {name: getattr(self, name) for name in self.arguments() if name != "jit_compile"}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        policy = keras.config.dtype_policy()
        keras.config.set_dtype_policy("float32")  # what was saved is as it was, whatever is set now
        try:
            return cls(**config)
        finally:
            keras.config.set_dtype_policy(policy)

    def get_compile_config(self) -> dict[str, Any]:
        return {
            "optimizer": self.optimizer.get_config()["optimizers"],
            **self._compile_arguments(),
        }

    def _compile_arguments(self):
        return {
            "jit_compile": self._wanted["jit_compile"],
            "steps_per_execution": self._wanted["steps_per_execution"],
            "run_eagerly": self.run_eagerly,
        }

    def compile_from_config(self, config: dict[str, Any]) -> None:
        config = dict(config)
        optimizer = {
            name: keras.saving.deserialize_keras_object(o)
            for name, o in config.pop("optimizer").items()
        }
        self.compile(optimizer=optimizer, **config)

    def get_build_config(self) -> dict[str, Any]:
        return {"image_shape": self.image_shape}

    def build_from_config(self, config: dict[str, Any]) -> None:
        """Create the networks, where no constructor has: KerasTuner makes a model anew."""
        if config["image_shape"] is not None:
            self.setup(config["image_shape"])

    def _random_states(self):
        return [g.state for layer in self._flatten_layers() for g in layer._seed_generators]

    def save_own_variables(self, store: Any) -> None:
        _keep_notes_on_saving()
        super().save_own_variables(store)
        # Keras saves weights but not the states of random generators.
        for i, state in enumerate(self._random_states()):
            store[f"random_{i}"] = state.numpy()
        if self._averaging_since:
            store["averaging_since"] = np.int64(self._averaging_since)

    def load_own_variables(self, store: Any) -> None:
        own = {k: store[k] for k in store.keys() if k.isdecimal()}
        super().load_own_variables(own)
        since = store["averaging_since"][...] if "averaging_since" in store.keys() else 0
        if int(since) != self._averaging_since:
            self._averaging_since = int(since)
            if self.train_function is not None:  # also where a callback of `fit` loads weights
                self.make_train_function(force=True)
        for i, state in enumerate(self._random_states()):
            state.assign(store[f"random_{i}"][...])


def _keep_notes_on_saving():
    """Have Keras find what it has noted about its classes.

    Keras 3.15 notes it under one name and looks under another. So each save makes new optimizers,
    of whose variables TensorFlow keeps 35 KB for ever: a megabyte a minute of training.
    """
    try:
        from keras.src.backend.common import global_state
    except ImportError:  # another Keras may keep its notes elsewhere, and training needs none
        return
    for kind in ("Functional", "Layer", "Loss", "Metric", "Operation", "Optimizer", "Sequential"):
        noted = global_state.get_global_attribute(f"saving_attr_skipset_{kind}")
        if noted is not None:
            global_state.set_global_attribute(f"saving_attr_skiplist_{kind}", noted)


def _check_floatx():
    """Raise a `ValueError` where Keras makes numbers of another kind than games compute with."""
    if keras.config.floatx() != "float32":
        raise ValueError(
            f"Keras's `floatx` is {keras.config.floatx()!r} (by `keras.config.set_floatx` or "
            "keras.json). ganzoo computes in float32 or in mixed precision: call "
            "`keras.config.set_floatx('float32')`, and choose with `precision=`."
        )


def _times(cotangent, factor):
    """A gradient times one number, or times one number per example."""
    if cotangent is None:
        return None
    shape = (-1,) + (1,) * (len(cotangent.shape) - 1) if len(factor.shape) else ()
    return cotangent * ops.cast(ops.reshape(factor, shape), cotangent.dtype)


def _sum(a, b):
    if a is None or b is None:
        return b if a is None else a
    return a + b
