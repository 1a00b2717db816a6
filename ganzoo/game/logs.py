"""What a training step logs."""

import keras
from keras import ops


class Means(keras.metrics.Metric):
    """Running means of everything that a game logs, and how long each was finite. They are one
    metric, because that is less work than one for each.

    The names become known when the first step is traced. Each is logged at least once in a step,
    and equally often in all steps.
    """

    most = 256
    """The largest number of names. There is room for them from the beginning, because variables
    must exist before a step is traced."""

    def __init__(self):
        super().__init__(name="means")
        self.names = ()
        shape = (self.most,)
        self.totals = self.add_variable(shape, "zeros", name="totals")
        self.steps = self.add_variable((), "zeros", "int32", name="steps")
        self.finite = self.add_variable(shape, "zeros", "int32", name="finite")

    def update_state(self, logs):
        logs = list(logs)
        self.names = self.names or sorted({name for name, _ in logs})
        if len(self.names) > self.most:
            raise ValueError(
                f"A game logs at most {self.most} numbers, this one {len(self.names)}."
            )
        by_name = {name: [] for name in self.names}
        for name, value in logs:
            by_name[name].append(value)
        # Not `sum`: TensorFlow merges chains of additions, in an order that differs.
        each = [x[0] if len(x) == 1 else ops.mean(ops.stack(x)) for x in by_name.values()]
        values = ops.stack([ops.cast(x, "float32") for x in each])
        self.totals.assign_add(ops.pad(values, [(0, self.most - len(self.names))]))
        self.steps.assign_add(1)
        # A total that became NaN or infinite stays so for the rest of the epoch.
        self.finite.assign_add(ops.cast(ops.isfinite(self.totals), "int32"))

    def result(self):
        means = self.totals / ops.cast(ops.maximum(self.steps, 1), "float32")
        return dict(zip(self.names, ops.unstack(means[: len(self.names)])))

    def not_finite(self, devices):
        """Each log that became NaN or infinite, with the step (from 1) at which it first did.

        `devices`: how many count steps, each for itself.
        """
        steps, finite = map(ops.convert_to_numpy, (self.steps, self.finite))
        return {name: int(n) // devices + 1 for name, n in zip(self.names, finite) if n < steps}


class Untracked(dict):
    """A dict that Keras does not track: its values are not part of a model."""


def log_items(player, terms, signals):
    """`(name, value)` pairs: the total, its terms where there are several, the signals."""
    # Not `sum`: TensorFlow merges chains of additions, in an order that differs from run to run.
    total = ops.sum(ops.stack(list(terms.values()))) if len(terms) > 1 else sum(terms.values())
    items = [(f"{player.prefix}loss", total)]
    if len(terms) > 1:
        items += [(player.prefix + name, value) for name, value in terms.items()]
    return items + [(player.prefix + name, value) for name, value in signals.items()]


def in_float32(terms):
    """The same terms in float32, whatever precision their networks compute in."""
    return {name: ops.cast(value, "float32") for name, value in terms.items()}
