"""Saves and loads a game: its arguments, and all state that the next step depends on."""

from typing import Any

import keras
import numpy as np

from ganzoo.game import precision
from ganzoo.game.building import dtype_policy


class Saving(keras.Model):
    """Keras's methods for saving and loading, for games."""

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

    def get_config(self) -> dict[str, Any]:
        # `jit_compile` belongs to how the model was compiled, which is saved next to this.
        return {name: getattr(self, name) for name in self.arguments() if name != "jit_compile"}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Any:
        with dtype_policy("float32"):  # the config has the model's own, whatever is set now
            return cls(**precision.kept(config))

    def get_compile_config(self) -> dict[str, Any]:
        return {
            "optimizer": self.optimizer.get_config()["optimizers"],
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
        """Create the networks if no constructor has: KerasTuner makes models without shapes."""
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
        if self.averages.since:
            store["averaging_since"] = np.int64(self.averages.since)

    def load_own_variables(self, store: Any) -> None:
        own = {k: store[k] for k in store.keys() if k.isdecimal()}
        super().load_own_variables(own)
        since = store["averaging_since"][...] if "averaging_since" in store.keys() else 0
        if int(since) != self.averages.since:
            self.averages.since = int(since)
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
