"""`update="one_stage"`: one backward pass serves both players, where that is exact."""

import keras
import numpy as np
import pytest
from keras import ops

import ganzoo
from ganzoo import backend
from ganzoo import losses
from ganzoo import penalties
from ganzoo.game import step
from tests.game.test_game import Critic
from tests.game.test_game import Points

WASSERSTEIN = losses.Objective(
    lambda real, fake: ops.mean(fake) - ops.mean(real), lambda fake: -ops.mean(fake)
)
LEAST_SQUARES = losses.Objective(
    lambda real, fake: (ops.mean(ops.square(real - 1)) + ops.mean(ops.square(fake))) / 2,
    lambda fake: ops.mean(ops.square(fake - 1)) / 2,
    boundary=0.5,
)
HINGE = losses.Objective(
    lambda real, fake: ops.mean(ops.relu(1 - real)) + ops.mean(ops.relu(1 + fake)),
    lambda fake: -ops.mean(fake),
)
DRIFTING = losses.Objective(  # the discriminator's loss has a drift of its own
    lambda real, fake: losses.non_saturating.discriminator(real, fake) + ops.mean(fake**2),
    losses.non_saturating.generator,
)


def _points(cls=Points, **config):
    return cls(**{"image_shape": (3,), "latent_dim": 2, "update": "one_stage", "seed": 0, **config})


class Normalised(Points):
    """Batch normalisation in the discriminator, which couples the examples."""

    def build_discriminator(self):
        x = keras.Input((3,))
        h = ops.tanh(keras.layers.BatchNormalization()(keras.layers.Dense(4)(x)))
        return keras.Model(x, keras.layers.Dense(1)(h))


class Drifting(Points):
    """A term that holds the logits on both sides near zero."""

    def discriminator_terms(self, batch, drawn, real, fake):
        logits = ops.concatenate([real["logits"], fake["logits"]])
        return {"drift": 30.0 * ops.mean(ops.square(logits))}


class LeCam(Normalised):
    """Tseng et al. 2021, with anchors that stay; batch normalisation."""

    def discriminator_terms(self, batch, drawn, real, fake):
        near = lambda logits, anchor: ops.mean(ops.square(ops.relu(logits - anchor)))
        return {"lecam": 20 * (near(real["logits"], -0.4) + near(-fake["logits"], -0.4))}


class SometimesDrifting(Points):
    """The same in every second step, the first one included."""

    def discriminator_terms(self, batch, drawn, real, fake):
        return {"drift": self.lazily(2, lambda: 9.0 * ops.mean(ops.square(fake["logits"])))}


class Featured(Points):
    """A term on what the discriminator has beside its logits."""

    def build_discriminator(self):
        x = keras.Input((3,))
        h = keras.layers.Dense(4, activation="tanh")(x)
        return keras.Model(x, {"logits": keras.layers.Dense(1)(h), "features": h})

    def discriminator_terms(self, batch, drawn, real, fake):
        distance = ops.mean(real["features"], axis=0) - ops.mean(fake["features"], axis=0)
        return {"apart": -5.0 * ops.sum(ops.square(distance))}


class Sloped(Points):
    """Slopes at generated pictures, from the very pass that gives the logits."""

    def look(self, images, batch):
        return penalties.with_squared_slopes(lambda x: super(Sloped, self).look(x, batch), images)

    def discriminator_terms(self, batch, drawn, real, fake):
        return {"r2": 40.0 * ops.mean(fake["squared_slopes"])}


class Penalised(Points):
    """Slopes at real and at generated pictures, each in a pass of its own, and regularizers."""

    def build_discriminator(self):
        x = keras.Input((3,))
        options = {"kernel_regularizer": "l2", "activity_regularizer": "l2"}
        h = keras.layers.Dense(4, activation="tanh", **options)(x)
        return keras.Model(x, keras.layers.Dense(1)(h))

    def discriminator_terms(self, batch, drawn, real, fake):
        judge = lambda x: self.discriminate(x, batch)
        images = {"r1": batch["examples"], "r2": drawn["fake"]}
        return {k: 7 * ops.mean(penalties.squared_slopes(judge, x)) for k, x in images.items()}


class Brightened(Points):
    """What the discriminator sees is changed on the way, and so is its word."""

    def look(self, images, batch):
        return {"logits": 2.0 * super().look(ops.tanh(images) + 0.1, batch)["logits"] - 0.3}

    def real(self, batch):
        return 0.5 * batch["examples"]

    def discriminator_terms(self, batch, drawn, real, fake):
        return {"balance": ops.square(ops.mean(real["logits"]) + 3 * ops.mean(fake["logits"]))}


TINY = {"channels": 4, "latent_dim": 6, "seed": 0, "update": "one_stage"}
MODELS = {
    "symmetric, batch normalisation": lambda: ganzoo.get(
        "dcgan", objective="minimax", image_shape=(8, 8, 1), **TINY
    ),
    "rescaled, layer normalisation": lambda: ganzoo.get(
        "dcgan", discriminator_normalization="layer", image_shape=(8, 8, 1), **TINY
    ),
    "rescaled, dropout": lambda: ganzoo.get(
        "vanilla",
        generator_units=(8,),
        discriminator_units=(6,),
        image_shape=(8, 8, 1),
        update="one_stage",
        seed=0,
    ),
    "rescaled, labels": lambda: Labelled(
        num_classes=3, image_shape=(3,), latent_dim=2, update="one_stage", seed=0
    ),
    "least squares": lambda: Points(
        objective=LEAST_SQUARES, image_shape=(3,), latent_dim=2, update="one_stage", seed=0
    ),
    "Wasserstein, gradient penalty": lambda: Critic(
        objective=WASSERSTEIN, image_shape=(3,), update="one_stage", seed=0
    ),
    "symmetric, a drift of all logits": lambda: _points(Drifting, objective="minimax"),
    "rescaled, a drift of all logits": lambda: _points(Drifting),
    "least squares, a drift of all logits": lambda: _points(Drifting, objective="least_squares"),
    "an objective with a drift": lambda: _points(objective=DRIFTING),
    "both drifts": lambda: _points(Drifting, objective=DRIFTING),
    "coupled, LeCam": lambda: _points(LeCam, objective="minimax"),
    "coupled, LeCam, Wasserstein": lambda: _points(LeCam, objective="wasserstein"),
    "lazy": lambda: _points(SometimesDrifting),
    "features": lambda: _points(Featured, objective="least_squares"),
    "slopes of the same pass": lambda: _points(Sloped),
    "symmetric, slopes of the same pass": lambda: _points(Sloped, objective="minimax"),
    "slopes of other passes, regularizers": lambda: _points(Penalised),
    "changed on the way": lambda: _points(Brightened),
}


class Labelled(Points):
    """Networks that are told the class."""

    def _told(self, length, out):
        x, labels = keras.Input((length,)), keras.Input((), dtype="int32")
        told = keras.layers.Concatenate()([x, keras.layers.Embedding(3, 2)(labels)])
        return keras.Model([x, labels], keras.layers.Dense(out)(told))

    def build_generator(self):
        return self._told(self.latent_dim, 3)

    def build_discriminator(self):
        return self._told(3, 1)


def batch_for(model, rng, n=8):
    images = rng.uniform(-1, 1, (n, *model.image_shape)).astype("float32")
    labels = (np.arange(n) % 3).astype("int32")
    return model.prepare((images, labels) if model.num_classes else (images,))


def gradients_of(monkeypatch, model, batch):
    """`{player: gradients}` that one move of both applies, and the logs."""
    applied, variables = {}, model.generator.trainable_variables
    names = {id(model.optimizer[name]): name for name in model.player_names}
    keep = lambda optimizer, gradients, _: applied.update({names[id(optimizer)]: gradients})
    monkeypatch.setattr("ganzoo.game.step.backend.apply", keep)
    drawn, pullback = backend.record(lambda: model.draw(batch), variables, model.variables)
    logs = step.move_together(model, *model.players, batch, drawn, pullback)
    return applied, dict(logs)


@pytest.mark.parametrize("name", MODELS)
def test_both_gradients_are_those_of_a_pass_for_each(name, rng, monkeypatch):
    model = MODELS[name]()
    # Away from the start, where all logits are nearly equal and any factor would do.
    for v in model.discriminator.trainable_variables:
        v.assign(v + 0.3 * rng.standard_normal(v.shape).astype("float32"))
    batch = batch_for(model, rng)
    generators = [g.state for layer in model._flatten_layers() for g in layer._seed_generators]
    state = [np.array(s.numpy()) for s in generators]
    applied, logs = gradients_of(monkeypatch, model, batch)
    for player in model.players:

        def loss(player=player):
            for s, value in zip(generators, state):  # the random numbers that both had
                s.assign(value)
            drawn = model.draw(batch)
            if player.draws:  # dropout is drawn for the real ones first
                model.look(batch["examples"], batch)
            return sum(step.losses_of(player, batch, drawn)[0].values()), None

        (value, _), wanted, _ = backend.value_and_grad(
            loss, player.variables, None, model.variables
        )
        assert float(logs[f"{player.prefix}loss"]) == pytest.approx(float(value), rel=1e-5)
        scale = max(float(ops.max(ops.abs(w))) for w in wanted)
        assert scale > 1e-4
        for got, want in zip(applied[player.name], wanted):
            # Sums of float32 in another order.
            np.testing.assert_allclose(
                ops.convert_to_numpy(got), ops.convert_to_numpy(want), atol=2e-5 * scale
            )


def test_the_discriminators_first_move_is_that_of_alternating_training(rng):
    images = rng.integers(0, 256, (16, 8, 8, 1), "uint8")
    weights = {}
    for update in ("alternating", "one_stage"):
        config = {**TINY, "update": update, "discriminator_normalization": "layer"}
        model = ganzoo.get("dcgan", **config)
        history = model.fit(images, batch_size=16, epochs=1, shuffle=False, verbose=0).history
        weights[update] = [
            [np.array(w.numpy()) for w in network.trainable_weights]
            for network in (model.discriminator, model.generator)
        ]
        assert sorted(history) == sorted(
            ["d_loss", "d_real", "d_fake", "d_accuracy_real", "d_accuracy_fake", "g_loss"]
        )
    for one, other in zip(weights["alternating"][0], weights["one_stage"][0]):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert any((a != b).any() for a, b in zip(weights["alternating"][1], weights["one_stage"][1]))


@pytest.mark.parametrize(
    ("family", "objective"),
    [
        (Drifting, "non_saturating"),
        (LeCam, "minimax"),
        (SometimesDrifting, "wasserstein"),
        (Sloped, "least_squares"),
    ],
)
def test_the_generators_move_is_that_of_alternating_training_at_a_standstill(
    family, objective, rng
):
    """With a discriminator that does not learn, the generator faces the same one in both games,
    and of whatever else that one minimises it must not hear."""
    images, moves = rng.uniform(-1, 1, (8, 3)).astype("float32"), {}
    for update in ("alternating", "one_stage"):
        model = _points(family, objective=objective, update=update, ema_decay=None)
        rates = {"discriminator": 0.0, "generator": 1.0}
        model.compile({k: keras.optimizers.SGD(v) for k, v in rates.items()}, jit_compile=False)
        before = [np.array(v.numpy()) for v in model.generator.trainable_variables]
        model.fit(images, batch_size=8, verbose=0)
        after = [np.array(v.numpy()) for v in model.generator.trainable_variables]
        moves[update] = np.concatenate([(b - a).ravel() for a, b in zip(before, after)])
    scale = np.abs(moves["alternating"]).max()
    assert scale > 1e-3
    np.testing.assert_allclose(moves["one_stage"], moves["alternating"], atol=1e-4 * scale)


def test_while_the_discriminator_rests_the_generator_moves(rng):
    model = _points()
    model.resting = True
    values = lambda network: [ops.convert_to_numpy(v.value) for v in network.trainable_variables]
    before = values(model.discriminator), values(model.generator)
    model.fit(rng.uniform(-1, 1, (4, 3)).astype("float32"), batch_size=4, verbose=0)
    assert all((a == b).all() for a, b in zip(before[0], values(model.discriminator)))
    assert all((a != b).any() for a, b in zip(before[1], values(model.generator)))


def test_several_discriminator_steps(rng):
    """The first ones are the discriminator's alone."""
    model = MODELS["Wasserstein, gradient penalty"]()
    model.fit(rng.uniform(-1, 1, (48, 3)).astype("float32"), batch_size=8, verbose=0)
    counts = {name: int(o.iterations) for name, o in model.optimizer.items()}
    assert counts == {"discriminator": 6, "generator": 2}


def test_each_optimizer_has_its_own_loss_scale(rng, monkeypatch):
    config = {**TINY, "image_shape": (8, 8, 1), "objective": "minimax"}
    model = ganzoo.get("dcgan", precision="mixed_float16", **config)
    batch = batch_for(model, rng)
    seed = model.seed_generator.state
    start = np.array(seed.numpy())
    norms = []
    for scale in (2.0**10, 2.0**13):
        seed.assign(start)
        model.optimizer["generator"].dynamic_scale.assign(scale)
        applied, _ = gradients_of(monkeypatch, model, batch)
        norms.append(
            [np.linalg.norm(ops.convert_to_numpy(g)) / scale for g in applied["generator"]]
        )
    # Half precision has eleven bits; a scale that got lost would make a factor of eight.
    np.testing.assert_allclose(norms[0], norms[1], rtol=0.02)


class Regularized(Points):
    def build_generator(self):
        x = keras.Input((self.latent_dim,))
        return keras.Model(x, keras.layers.Dense(3, kernel_regularizer="l2")(x))


class Patches(Points):
    def build_discriminator(self):
        x = keras.Input((3,))
        return keras.Model(x, keras.layers.Dense(2)(x))


class Silent(Points):
    """Its last layer is zero at first, so that at first it couples nothing."""

    def build_discriminator(self):
        x = keras.Input((3,))
        h = keras.layers.BatchNormalization()(keras.layers.Dense(4)(x))
        return keras.Model(x, keras.layers.Dense(1, kernel_initializer="zeros")(h))


class Tied(Points):
    """A layer of the generator's is the discriminator's too."""

    def build_generator(self):
        self.common = keras.layers.Dense(3, activation="tanh")
        x = keras.Input((self.latent_dim,))
        return keras.Model(x, self.common(keras.layers.Dense(3)(x)))

    def build_discriminator(self):
        x = keras.Input((3,))
        return keras.Model(x, keras.layers.Dense(1)(self.common(x)))


class TwoFaced(Normalised):
    """Of one example at a time it speaks otherwise than of a batch, which is what counts."""

    def discriminate(self, images, batch):
        return ops.mean(images, axis=1, keepdims=True)


class Replacing(Points):
    def discriminator_terms(self, batch, drawn, real, fake):
        return {"adversarial": ops.mean(fake["logits"]) - ops.mean(real["logits"])}


class Matching(Points):
    def generator_loss(self, batch, drawn):
        return super().generator_loss(batch, drawn)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ganzoo.get("dcgan", image_shape=(8, 8, 1), **TINY), "couples the examples"),
        (lambda: _points(objective=HINGE), "slope is zero where the generator's is not"),
        (lambda: _points(Matching), "losses of its own"),
        (lambda: _points(Regularized), "regularizers"),
        (lambda: _points(Patches), "couples the examples"),
        (lambda: _points(Silent), "couples the examples"),
        (lambda: _points(precision="mixed_float16"), "vanishes in float16"),
        (lambda: _points(Tied, objective="minimax"), "weights in common"),
        (lambda: _points(TwoFaced), "couples the examples"),
        (lambda: _points(update="two_stage"), "Unknown value of `update`"),
    ],
)
def test_where_it_would_not_be_exact_it_is_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_a_term_in_the_place_of_the_objective_is_refused(rng):
    with pytest.raises(ValueError, match="which would replace the objective"):
        _points(Replacing).fit(rng.uniform(-1, 1, (8, 3)), batch_size=8, verbose=0)


def test_several_outputs_are_fine_where_the_objective_is_symmetric():
    assert _points(Patches, objective="minimax").built


def test_it_is_saved(tmp_path):
    model = MODELS["rescaled, layer normalisation"]()
    model.save(tmp_path / "m.keras")
    again = keras.saving.load_model(tmp_path / "m.keras")
    assert again.update == "one_stage" and again.players[0].partner == "generator"
