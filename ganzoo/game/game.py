"""Games: what a subclass provides, and what you may call."""

import collections
import functools
import inspect
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import Literal

import keras
from keras import ops

from ganzoo import backend
from ganzoo import types
from ganzoo import validation
from ganzoo.game import data as data_of_games
from ganzoo.game import precision as precisions
from ganzoo.game import step as training_step
from ganzoo.game.averages import Averages
from ganzoo.game.building import building
from ganzoo.game.building import check_floatx
from ganzoo.game.building import seeded
from ganzoo.game.inference import Inference
from ganzoo.game.keras_methods import KerasMethods
from ganzoo.game.logs import Untracked
from ganzoo.game.numbering import number_layers
from ganzoo.game.numbering import numbering_layers
from ganzoo.game.player import Player
from ganzoo.game.saving import Saving
from ganzoo.modalities import Images
from ganzoo.modalities import Modality
from ganzoo.modalities import Points

ABILITIES = ("generate", "encode", "reconstruct", "translate", "upscale")
"""Methods that models may have. No model has all of them."""

PRECISIONS = ("auto", "float32", "mixed_float16", "mixed_bfloat16")


class Game(Saving, KerasMethods):
    """A model whose players take turns. Subclasses say who plays; they never write a step.

    A subclass provides `build_players`, `default_optimizers` and, where players look at common
    material, `draw`. It lists in `averaged` the networks of which an exponential moving average is
    kept.

    One training step reads as many batches as its busiest player moves. In each turn the common
    material is drawn once; a player with `steps=k` moves in the last k turns, so that all finish
    together; players move in the order in which they are listed, each facing those who already
    moved.

    A game is used as any Keras model: `fit`, `evaluate`, `train_on_batch`, `save` and the others
    are in `ganzoo.game.keras_methods` and `ganzoo.game.saving`.

    Args:
        image_shape: `(height, width, channels)` of the data; None: taken from the data at the
            first `fit`.
        ema_decay: decay of the averaged networks per training step, in [0, 1), or None for none.
            Early in training a smaller one is used, (1 + step) / (10 + step); early after
            `ganzoo.get` has loaded trained weights, (1 + step) / (30 + step) with the steps since
            then: the average follows within a thirtieth of them.
        ema_images: half-life of the averaged networks in images, in place of `ema_decay`: the decay
            per step is 0.5 ** (images of the step / `ema_images`), so that it means the same for
            every batch size. Early in training a smaller one is used, as above. None: `ema_decay`.
        flip: mirror each real image with probability one half, which doubles small data whose
            mirror images are as plausible: faces, not text. The two images of paired data are
            mirrored together. `ganzoo.datasets.mirrored` tells whether it is safe for a data set;
            `ganzoo train --set flip=auto` asks it.
        precision: `"float32"`, `"mixed_float16"`, `"mixed_bfloat16"`, or `"auto"`: the mixed one
            that `keras.mixed_precision` was set to, otherwise the one that the device trains best
            in: on a processor with a unit for bfloat16, bfloat16 if a measurement, taken once,
            finds it at least 1.2 times as fast as float32. The choice is saved with the model.
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
    untrained: tuple[str, ...] = ()
    """Networks that have initial weights although others were loaded: the file had none of them."""
    lacks: dict[str, str] = {}
    """Why the model lacks some of `ABILITIES` that users expect of it, `{ability: reason}`."""

    def __init__(
        self,
        *,
        image_shape: types.Shape | None = None,
        ema_decay: float | None = None,
        ema_images: float | None = None,
        flip: bool = False,
        precision: Literal["auto", "float32", "mixed_float16", "mixed_bfloat16"] = "auto",
        jit_compile: bool | Literal["auto"] = "auto",
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        check_floatx()
        validation.one_of("precision", precision, PRECISIONS)
        validation.one_of("jit_compile", jit_compile, (True, False, "auto"))
        if ema_decay is not None:
            validation.real("ema_decay", ema_decay, least=0.0, below=1.0)
        validation.optional(validation.real, "ema_images", ema_images, above=0)
        data_of_games.check_flip(flip)
        if seed is not None:
            validation.integer("seed", seed, least=0)
        wanted = keras.config.dtype_policy().name
        if precision == "auto" and wanted in PRECISIONS[2:]:
            precision = wanted  # set for all models; it is saved with this one
        if precision == "auto":
            # It is saved with this one, and so stays.
            precision = backend.led(lambda: precisions.best().policy)
        else:
            precisions.warn_if_imitated(precision)
        super().__init__(name=name, dtype=precision)
        names: dict[str, int] = collections.defaultdict(int)
        self._numbering = functools.partial(numbering_layers, names)
        number_layers(names)  # until the last constructor has run
        self.image_shape: Any = None  # a tuple, once it is known
        self.modality: Any = None  # likewise
        self.ema_decay = ema_decay
        self.ema_images = ema_images
        self.flip = bool(flip)
        self.schedule: Any = None  # a `Schedule`, if the game has one
        self.precision = precision
        self.seed = seed
        self.players: tuple[Player, ...] = ()
        self._trackers = Untracked()
        self.inference = Inference(self)
        self.averages = Averages(self)
        with seeded(seed):
            self.seed_generator = keras.random.SeedGenerator()
        self.current_stage = None
        self._has_warned = False  # of the range of the data, in this `fit`
        self.step = self.add_weight(
            shape=(), dtype="int32", initializer="zeros", trainable=False, name="step"
        )
        self._wanted: dict[str, Any] = {"image_shape": image_shape, "jit_compile": jit_compile}

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Compile and, if the image shape is given, build once the last constructor has run."""
        super().__init_subclass__(**kwargs)
        if vars(cls).get("accepts_points"):  # the former name, from before there were others
            cls.modalities = (Images(), Points())
        # A class without a constructor passes on to whichever is next in the object's own order.
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
            # This raises as usual; on PyTorch it finds networks.
            inherited: Any = getattr(super(), "__getattr__", super().__getattribute__)
            return inherited(name)
        from ganzoo.game import registry  # it imports this file

        reason = f": {self.lacks[name]}" if name in self.lacks else ""
        able = [known for known, cls in registry.registered().items() if hasattr(cls, name)]
        raise AttributeError(
            f"{type(self).__name__} has no `{name}`{reason}. Models that have it: "
            f"{', '.join(sorted(able))}."
        )

    # What a subclass provides ---------------------------------------------------------------------

    def build_players(self) -> tuple[Player, ...]:
        """Create the networks for `self.image_shape` and return the players, in moving order."""
        raise NotImplementedError

    def default_optimizers(self) -> dict[str, keras.optimizers.Optimizer]:
        """A dict from player name to optimizer."""
        raise NotImplementedError

    def check_image_shape(self, shape: types.Shape) -> None:
        """Raise a `ValueError` if the networks cannot be built for this shape."""
        data_of_games.check_flip(self.flip, self.modality_of(shape))
        self.check_shape(shape)

    def check_shape(self, shape: types.Shape) -> None:
        """Raise a `ValueError` if the model's arguments do not fit examples of this shape."""

    @property
    def label_range(self) -> range | None:
        """The labels that its data may have, a `range`; None: it takes none."""
        return None if self.num_classes is None else range(self.num_classes)

    def prepare(self, data: Any) -> types.Tensors:
        """The batch that losses see, from what the data set yields, inside the step."""
        return data_of_games.prepare(self, data)

    def derive(self, batch: types.Tensors) -> types.Tensors:
        """What losses see in addition to the batch, or in place of its parts: a dict."""
        del batch
        return {}

    def load_for_training(self) -> None:
        """Load what losses need, and what cannot be loaded while the step is traced."""

    def batch_spec(self, batch_size: int) -> dict[str, keras.KerasTensor]:
        """Shapes and dtypes (`keras.KerasTensor`s) of what `prepare` returns."""
        return data_of_games.batch_spec(self, batch_size)

    def stage(self, step: int) -> Any:
        """The training stage at `step`, for games that change as they train, such as ProGAN.

        A plain value, kept in `current_stage` and read while the step is traced: the step is
        compiled once for each stage.
        """
        del step

    def draw(self, batch: types.Tensors) -> types.Tensors:
        """What all players look at in this turn: a dict of tensors, drawn once."""
        del batch
        return {}

    @classmethod
    def arguments(cls) -> dict[str, Any]:
        """The constructor's arguments and their defaults, inherited ones included."""
        arguments = {}
        for base in reversed(cls.__mro__):
            if issubclass(base, Game):
                parameters = inspect.signature(base.__init__).parameters.values()
                keywords = (p for p in parameters if p.kind is p.KEYWORD_ONLY)
                arguments.update({p.name: p.default for p in keywords})
        return arguments

    # What its losses may call ---------------------------------------------------------------------

    _judging = False  # whether losses are traced to be judged, by `judge`

    def lazily(
        self, every: int, value: Callable[[], types.Tensor], shape: types.Shape = ()
    ) -> types.Tensor:
        """Lazy regularisation: `every * value()` every `every` steps; in between zeros, at no cost.

        On average that is `value()`.

        Args:
            every: steps from one to the next. When a loss is judged, not trained on, the value
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

    # Building -------------------------------------------------------------------------------------

    def must_be_built(self) -> None:
        """Raise a `ValueError` unless there are networks."""
        if not self.built:
            raise ValueError(
                f"This {type(self).__name__} has no networks yet, because it does not know the "
                f"shape of its {self.modalities[0].name}. Call `fit` first, load weights, or make "
                f"it with `image_shape=({self.modalities[0].axes})`."
            )

    def modality_of(self, shape: types.Shape) -> Modality:
        """The kind of data, among those that the model takes, with examples of this shape.

        Raises:
            ValueError: no such kind has examples of this shape.
        """
        fitting = [kind for kind in self.modalities if kind.rank == len(shape)]
        return (fitting or self.modalities)[0].of(tuple(shape))

    def adapted(self, data: Any) -> tuple[Modality, ...]:
        """The kinds of data that the model takes, with what a data set tells beyond their shape,
        such as the sample rate of sound.

        Raises:
            ValueError: it contradicts what the model knows.
        """
        description = getattr(data, "description", None) or {}
        return tuple(kind.adapt(description) for kind in self.modalities)

    def adapt(self, data: Any) -> None:
        """Keep what `adapted` returns."""
        adapted = self.adapted(data)
        if adapted != self.modalities:
            self.modalities = adapted
        if self.modality is not None:
            self.modality = self.modality_of(self.image_shape)

    def setup(self, image_shape: Sequence[int]) -> None:
        """Create the networks for images of this shape; once built, check that it is the same."""
        image_shape = tuple(int(n) for n in image_shape)
        if self.built:
            if image_shape != self.image_shape:
                raise ValueError(
                    f"This model was built for images of shape {self.image_shape}; the data has "
                    f"{image_shape}. Resize the data (`ganzoo.datasets.load(…, image_size=…)`) or "
                    "make a new model."
                )
            return
        self.check_image_shape(image_shape)
        self.image_shape = image_shape
        self.modality = self.modality_of(image_shape)
        self._enter(int(self.step.numpy()))
        with building(self):
            self.players = tuple(self.build_players())
            self.averages.create()
        self._has_networks = True
        if self.compiled:
            self._build_optimizers()

    def _enter(self, step):
        """Enter the stage that this step belongs to; return whether it is another one."""
        stage = self.stage(step)
        changed = stage != self.current_stage
        if changed:
            self.current_stage = stage
            self.train_function = self.test_function = None
        return changed

    # Training -------------------------------------------------------------------------------------

    @property
    def turns(self) -> int:
        """Batches that one training step reads."""
        return max(player.steps for player in self.players)

    def check_specs(self, specs: types.Specs) -> None:
        """Raise a `ValueError` unless this `(shape, dtype)` per component can be trained on."""
        data_of_games.check_specs(self, specs)

    def check_values(self, arrays: Sequence[Any]) -> None:
        """Raise a `ValueError` unless one batch, a NumPy array per component, is in range."""
        data_of_games.check_values(self, arrays)

    def play(self, data: Any) -> types.Tensors:
        """One training step on `turns` batches, one after the other along the first axis."""
        return training_step.play(self, data)

    def judge(self, data: Any) -> list[tuple[str, types.Tensor]]:
        """The players' losses on one batch, with no move made."""
        self._judging = True
        try:
            return training_step.judge(self, data)
        finally:
            self._judging = False

    def track(self, logs: Iterable[tuple[str, types.Tensor]]) -> types.Tensors:
        """Add scalars to the running means and return those."""
        means = self._trackers["means"]
        means.update_state(logs)
        return means.result()

    def not_finite(self) -> dict[str, int]:
        """Each log that became NaN or infinite, with the step of this epoch (from 1) at which it
        first did."""
        means = self._trackers.get("means")
        return {} if means is None else means.not_finite(self.counting)

    # Averaged networks ----------------------------------------------------------------------------

    def in_use(self, name: str) -> keras.Model:
        """The network of this name that is used outside training: its average if it has one."""
        return self.averages.in_use(name)

    def restart_averages(self) -> None:
        """Begin the averages of the networks again, from their values now.

        Early in training an average follows the live network closely, later only over as many
        steps as `ema_decay` or images as `ema_images` says. Training that continues from trained
        weights with other data is early again: `ganzoo.get(…, weights=…)` calls this.
        """
        self.averages.restart()
