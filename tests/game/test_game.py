"""The core carries every family that the design names, without special cases: toy games."""

import contextlib

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from ganzoo import backend
from ganzoo import losses
from ganzoo import penalties
from ganzoo.families.gan import GAN
from ganzoo.game import Game
from ganzoo.game import Player
from ganzoo.game import step as training_step


def dense(inputs, outputs, name):
    x = keras.Input((inputs,))
    h = layers.Dense(8, activation="tanh")(x)
    return keras.Model(x, layers.Dense(outputs)(h), name=name)


class Toy(Game):
    """Points of length 3; Adam for everybody."""

    def default_optimizers(self):
        return {name: keras.optimizers.Adam(0.01) for name in self.player_names}

    def prepare(self, data):
        return {"x": ops.cast(data[0], "float32")}

    def batch_spec(self, batch_size):
        return {"x": keras.KerasTensor((batch_size, *self.image_shape), "float32")}

    def noise(self, like, length):
        return keras.random.normal((ops.shape(like)[0], length), seed=self.seed_generator)


def square(x):
    return ops.mean(ops.square(x))


class Autoencoder(Toy):
    """One player, nothing drawn."""

    player_names = ("autoencoder",)

    def build_players(self):
        self.encoder, self.decoder = dense(3, 2, "encoder"), dense(2, 3, "decoder")
        return (Player("autoencoder", (self.encoder, self.decoder), self.loss_of),)

    def loss_of(self, batch, drawn):
        return {"reconstruction": square(self.decoder(self.encoder(batch["x"])) - batch["x"])}, {}


class VAEGAN(Toy):
    """Three players; two of them draw, and the encoder's gradient runs through the decoder."""

    player_names = ("discriminator", "decoder", "encoder")

    def build_players(self):
        self.encoder, self.decoder = dense(3, 4, "encoder"), dense(2, 3, "decoder")
        self.discriminator = dense(3, 1, "discriminator")
        return (
            Player("discriminator", (self.discriminator,), self.d_loss, prefix="d_"),
            Player("decoder", (self.decoder,), self.decoder_loss, draws=True, prefix="decoder_"),
            Player("encoder", (self.encoder,), self.encoder_loss, draws=True, prefix="encoder_"),
        )

    def draw(self, batch):
        mean, log_variance = ops.split(self.encoder(batch["x"]), 2, axis=1)
        z = mean + ops.exp(log_variance / 2) * self.noise(mean, 2)
        return {"mean": mean, "log_variance": log_variance, "x": self.decoder(z)}

    def d_loss(self, batch, drawn):
        real, fake = self.discriminator(batch["x"]), self.discriminator(drawn["x"])
        return {"adversarial": losses.non_saturating.discriminator(real, fake)}, {}

    def decoder_loss(self, batch, drawn):
        adversarial = losses.non_saturating.generator(self.discriminator(drawn["x"]))
        return {"adversarial": adversarial, "reconstruction": square(drawn["x"] - batch["x"])}, {}

    def encoder_loss(self, batch, drawn):
        m, v = drawn["mean"], drawn["log_variance"]
        prior = -0.5 * ops.mean(1 + v - ops.square(m) - ops.exp(v))
        return {"prior": prior, "reconstruction": square(drawn["x"] - batch["x"])}, {}


class Cycle(Toy):
    """Two players that own two networks each; the cycle uses them both again."""

    player_names = ("discriminators", "generators")

    def build_players(self):
        self.there, self.back = dense(3, 3, "there"), dense(3, 3, "back")
        self.judge_a, self.judge_b = dense(3, 1, "judge_a"), dense(3, 1, "judge_b")
        return (
            Player("discriminators", (self.judge_a, self.judge_b), self.d_loss, prefix="d_"),
            Player("generators", (self.there, self.back), self.g_loss, draws=True, prefix="g_"),
        )

    def draw(self, batch):
        a, b = batch["x"], -batch["x"]
        return {"b": self.there(a), "a": self.back(b)}

    def d_loss(self, batch, drawn):
        least_squares = lambda judge, real, fake: square(judge(real) - 1) + square(judge(fake))
        return {
            "a": least_squares(self.judge_a, batch["x"], drawn["a"]),
            "b": least_squares(self.judge_b, -batch["x"], drawn["b"]),
        }, {}

    def g_loss(self, batch, drawn):
        return {
            "adversarial": square(self.judge_a(drawn["a"]) - 1)
            + square(self.judge_b(drawn["b"]) - 1),
            "cycle": square(self.back(drawn["b"]) - batch["x"]),
        }, {}


class Coupled(Toy):
    """Two generators and two discriminators that share layers."""

    player_names = ("discriminators", "generators")

    def build_players(self):
        trunk, judge = layers.Dense(8, activation="tanh"), layers.Dense(1)
        z, x = keras.Input((2,)), keras.Input((3,))
        make = lambda name: keras.Model(z, layers.Dense(3)(trunk(z)), name=name)
        rate = lambda name: keras.Model(x, judge(layers.Dense(8)(x)), name=name)
        self.g1, self.g2 = make("g1"), make("g2")
        self.d1, self.d2 = rate("d1"), rate("d2")
        return (
            Player("discriminators", (self.d1, self.d2), self.d_loss, prefix="d_"),
            Player("generators", (self.g1, self.g2), self.g_loss, draws=True, prefix="g_"),
        )

    def draw(self, batch):
        z = self.noise(batch["x"], 2)
        return {"x1": self.g1(z), "x2": self.g2(z)}

    def d_loss(self, batch, drawn):
        gan = losses.non_saturating.discriminator
        return {
            "1": gan(self.d1(batch["x"]), self.d1(drawn["x1"])),
            "2": gan(self.d2(-batch["x"]), self.d2(drawn["x2"])),
        }, {}

    def g_loss(self, batch, drawn):
        gan = losses.non_saturating.generator
        return {"1": gan(self.d1(drawn["x1"])), "2": gan(self.d2(drawn["x2"]))}, {}


class Points(GAN):
    """A two-player GAN of points."""

    accepts_points = True

    def build_generator(self):
        return dense(self.latent_dim, self.image_shape[0], "generator")

    def build_discriminator(self):
        return dense(self.image_shape[0], 1, "discriminator")


class Critic(Points):
    """Several critic turns and a gradient penalty."""

    def __init__(self, *, latent_dim=2, discriminator_steps=3, **kwargs):
        super().__init__(latent_dim=latent_dim, discriminator_steps=discriminator_steps, **kwargs)

    def discriminator_terms(self, batch, drawn, real, fake):
        slope = penalties.gradient_penalty(
            lambda x: self.discriminate(x, batch),
            batch["examples"],
            drawn["fake"],
            seed=self.seed_generator,
        )
        return {"gradient_penalty": 10.0 * slope}


FAMILIES = [Autoencoder, VAEGAN, Cycle, Coupled, Critic]


def data(rng, n=96):
    return rng.uniform(-0.9, 0.9, (n, 3)).astype("float32")


def values(variables):
    return [np.array(v.numpy()) for v in variables]


def play_once(model, x):
    """The moves of one turn, eagerly: yields (player, weights before, weights after)."""
    batch = model.prepare((ops.convert_to_tensor(x),))
    drawing = [v for p in model.players if p.draws for v in p.variables]
    drawn, pullback = backend.record(lambda: model.draw(batch), drawing, model.variables)
    for player in model.players:
        before = {v.path: np.array(v.numpy()) for v in model.trainable_variables}
        training_step.move(model, player, batch, drawn, pullback if player.draws else None)
        yield player, before, {v.path: np.array(v.numpy()) for v in model.trainable_variables}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_each_player_moves_all_of_its_weights_and_nobody_elses(family, rng):
    model = family(image_shape=(3,), seed=0)
    for player, before, after in play_once(model, data(rng)):
        moved = {path for path in before if (before[path] != after[path]).any()}
        assert moved == {v.path for v in player.variables}


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_every_family_fits_and_logs(family, rng):
    model = family(image_shape=(3,), seed=0)
    history = model.fit(data(rng), batch_size=8, epochs=2, verbose=0).history
    assert int(model.step) == 2 * (96 // 8 // model.turns)
    assert {f"{p.prefix}loss" for p in model.players} <= set(history)
    assert np.isfinite(list(history.values())).all()


def test_a_lone_player_learns(rng):
    model = Autoencoder(image_shape=(3,), seed=0)
    history = model.fit(data(rng), batch_size=8, epochs=20, verbose=0)
    assert history.history["loss"][-1] < 0.5 * history.history["loss"][0]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda f: f.__name__)
def test_gradient_through_what_was_drawn_is_the_whole_gradient(family, rng):
    """The recorded forward pass gives what a fresh one, inside the loss, would give."""
    model = family(image_shape=(3,), seed=0)
    batch = model.prepare((ops.convert_to_tensor(data(rng)),))
    state = model.seed_generator.state.numpy()
    for player in (p for p in model.players if p.draws):
        model.seed_generator.state.assign(state)
        drawn, pullback = backend.record(
            lambda: model.draw(batch), player.variables, model.variables
        )
        loss = lambda drawn, player=player: (sum(player.loss(batch, drawn)[0].values()), None)
        _, direct, cotangents = backend.value_and_grad(
            loss, player.variables, drawn, model.variables
        )
        through = pullback(cotangents, player.variables)
        model.seed_generator.state.assign(state)
        _, whole, _ = backend.value_and_grad(
            lambda loss=loss: loss(model.draw(batch)), player.variables, None, model.variables
        )
        for d, t, w in zip(direct, through, whole):
            total = sum(np.asarray(g) for g in (d, t) if g is not None)
            np.testing.assert_allclose(total, np.asarray(w), rtol=1e-4, atol=1e-6)


def test_a_shared_layer_belongs_once_to_its_player():
    model = Coupled(image_shape=(3,))
    # A shared trunk (kernel and bias) and two heads: six, not eight.
    assert len(model.players[1].variables) == 6
    assert len(model.optimizer["generators"]._trainable_variables) == 6


def test_one_draw_serves_both_players_turns(rng, monkeypatch):
    calls = []
    original = GAN._call
    counted = lambda self, network, *a: calls.append(network.name) or original(self, network, *a)
    monkeypatch.setattr(GAN, "_call", counted)
    model = Points(image_shape=(3,), latent_dim=2, discriminator_steps=3, seed=0)
    model._make_trackers()
    with keras.StatelessScope() if keras.backend.backend() == "jax" else contextlib.nullcontext():
        model.play(ops.convert_to_tensor(data(rng, 24)))
    # Three turns of the discriminator on three draws; the generator's turn adds no forward pass
    # of its own, only the discriminator's judgement of the last draw.
    assert calls.count("generator") == 3
    assert calls.count("discriminator") == 3 * 2 + 1


def test_each_turn_sees_a_fresh_batch_of_the_size_chosen():
    model = Points(image_shape=(1,), latent_dim=2, discriminator_steps=3)
    seen = []
    original = model.prepare
    model.prepare = lambda part: seen.append(np.asarray(part)[:, 0]) or original(part)
    with keras.StatelessScope():
        numbers = ops.reshape(ops.arange(12, dtype="float32") / 12, (12, 1))
        for part in training_step.split(numbers, model.turns):
            model.prepare(part)
    assert [len(s) for s in seen] == [4, 4, 4]
    np.testing.assert_allclose(np.concatenate(seen), np.arange(12) / 12, rtol=1e-6)


def test_the_average_follows_its_formula(rng):
    model = Points(image_shape=(3,), latent_dim=2, ema_decay=0.5, seed=0)
    x = data(rng, 8)
    average = values(model.ema_generator.weights)
    for step in range(3):
        model.fit(x, batch_size=8, epochs=1, verbose=0)
        decay = min(0.5, (1 + step) / (10 + step))
        live = values(model.generator.weights)
        average = [decay * a + (1 - decay) * v for a, v in zip(average, live)]
        for expected, got in zip(average, model.ema_generator.weights):
            np.testing.assert_allclose(got.numpy(), expected, rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize("size, turns", [(8, 1), (16, 1), (8, 2)])
def test_an_average_by_images_forgets_half_in_so_many(rng, size, turns):
    options = {"ema_images": 64, "discriminator_steps": turns, "seed": 0}
    model = Points(image_shape=(3,), latent_dim=2, ema_decay=0.1, **options)
    x = data(rng, size * turns)
    model.step.assign(1000)  # the early training is over
    average = values(model.ema_generator.weights)
    model.fit(x, batch_size=size, epochs=1, verbose=0)
    decay = 0.5 ** (size * turns / 64)
    live = values(model.generator.weights)
    for a, v, got in zip(average, live, model.ema_generator.weights):
        np.testing.assert_allclose(got.numpy(), decay * a + (1 - decay) * v, rtol=1e-5, atol=1e-7)


def test_an_average_by_images_begins_as_one_by_steps(rng):
    x, averages = data(rng, 8), []
    for options in ({"ema_decay": 0.999}, {"ema_decay": None, "ema_images": 1e6}):
        model = Points(image_shape=(3,), latent_dim=2, seed=0, **options)
        model.fit(x, batch_size=8, epochs=3, verbose=0)
        averages.append(values(model.ema_generator.weights))
    for one, other in zip(*averages):
        np.testing.assert_array_equal(one, other)


def test_a_player_whose_loss_ignores_a_network_is_named(rng):
    class Forgetful(Autoencoder):
        def loss_of(self, batch, drawn):
            return {"size": square(self.encoder(batch["x"]))}, {}

    model = Forgetful(image_shape=(3,))
    if keras.backend.backend() == "tensorflow":
        with pytest.raises(ValueError, match="player 'autoencoder' does not depend on"):
            model.fit(data(rng), batch_size=8, verbose=0)
    else:  # JAX cannot tell a zero gradient from none: the weights stay
        before = values(model.decoder.weights)
        model.fit(data(rng), batch_size=8, verbose=0)
        assert all((a == b).all() for a, b in zip(before, values(model.decoder.weights)))


def test_regularizers_of_a_users_layers_count(rng):
    class Regularized(Autoencoder):
        def build_players(self):
            players = super().build_players()
            self.encoder.layers[1].kernel.regularizer = keras.regularizers.L2(0.1)
            return players

    model = Regularized(image_shape=(3,), seed=0)
    kernel = model.encoder.layers[1].kernel.numpy()
    history = model.fit(data(rng, 8), batch_size=8, verbose=0).history
    np.testing.assert_allclose(history["regularization"][0], 0.1 * (kernel**2).sum(), rtol=1e-5)


def test_learning_rates_keep_their_ratio_and_reach_both_players(rng):
    model = Points(
        image_shape=(3,), latent_dim=2, learning_rate=0.1, discriminator_learning_rate=0.4
    )
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    model.fit(data(rng), batch_size=8, verbose=0, callbacks=[schedule])
    rates = [float(model.optimizer[n].learning_rate) for n in ("discriminator", "generator")]
    np.testing.assert_allclose(rates, [0.2, 0.05], rtol=1e-6)


def test_optimizers_can_be_chosen():
    model = Points(image_shape=(3,), latent_dim=2)
    model.compile({"discriminator": keras.optimizers.SGD(0.1), "generator": "adam"})
    kinds = [type(model.optimizer[n]).__name__ for n in model.player_names]
    assert kinds == ["SGD", "Adam"]
    model.compile("rmsprop")
    assert model.optimizer["generator"] is not model.optimizer["discriminator"]
    with pytest.raises(ValueError, match="must name each player"):
        model.compile({"generator": "adam"})
    with pytest.raises(TypeError, match="only holds optimizers"):
        model.optimizer.apply([])


def test_an_overflow_in_float16_leaves_the_players_schedules_in_step(rng):
    """One player's first steps overflow and are skipped: its learning rate falls all the same."""
    model = Points(image_shape=(3,), latent_dim=2, precision="mixed_float16", seed=0)
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 1, 0.5)
    scales = {"discriminator": 1e38, "generator": 1.0}
    optimizers = {
        name: keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(schedule), initial_scale=x)
        for name, x in scales.items()
    }
    model.compile(optimizers)
    before = values(model.discriminator.trainable_variables)
    model.fit(data(rng), batch_size=8, epochs=1, steps_per_epoch=4, verbose=0)
    for kept, weight in zip(before, values(model.discriminator.trainable_variables)):
        np.testing.assert_array_equal(kept, weight)  # all were skipped
    for name in scales:
        assert int(model.optimizer[name].iterations) == 4
        # 0.1 halved four times
        assert float(model.optimizer[name].learning_rate) == pytest.approx(0.1 / 16)


@pytest.mark.parametrize("players", ["discriminator", "generator"])
def test_float16_scales_each_players_loss(players, rng):
    """With plain gradient descent, a step under float16 is the step under float32."""
    moves, x = {}, data(rng, 8)
    for precision in ("float32", "mixed_float16"):
        model = Points(image_shape=(3,), latent_dim=2, precision=precision, seed=0)
        sgd = keras.optimizers.SGD
        model.compile({"discriminator": sgd(0.1), "generator": sgd(0.1)})
        variables = next(p for p in model.players if p.name == players).variables
        before = values(variables)
        model.fit(x, batch_size=8, epochs=1, verbose=0)
        scale = getattr(model.optimizer[players], "dynamic_scale", None)
        assert (scale is not None) == (precision == "mixed_float16")
        moves[precision] = [a - b for a, b in zip(values(variables), before)]
    for full, half in zip(moves["float32"], moves["mixed_float16"]):
        # float16 has 11 bits: 1e-2 of the largest move covers the sums over the batch.
        np.testing.assert_allclose(half, full, atol=1e-2 * max(np.abs(full).max(), 1e-3))


def test_a_data_set_that_ends_unannounced_costs_no_phantom_step(rng):
    """Keras runs the step once more at such an end; nothing may move in it."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("tf.data under TensorFlow only")
    import tensorflow as tf

    x = data(rng, 40)
    unknown = tf.data.Dataset.from_tensor_slices(x).batch(8).filter(lambda x: True)
    states = []
    for ds in (x, unknown):
        model = Points(image_shape=(3,), latent_dim=2, ema_decay=0.9, seed=0)
        model.fit(ds, verbose=0, shuffle=False, **({"batch_size": 8} if ds is x else {}))
        states.append([int(model.step), *values(model.variables)])
    assert states[0][0] == states[1][0] == 5
    for a, b in zip(*states):
        np.testing.assert_array_equal(a, b)


# Several steps at once --------------------------------------------------------------------------


def test_an_epoch_has_the_steps_that_were_asked_for(rng):
    model = Points(image_shape=(3,), latent_dim=2, seed=0)
    x = data(rng)
    model.fit(x, batch_size=8, steps_per_epoch=10, epochs=2, verbose=0)
    assert model.steps_per_execution == 10  # all of them: a step is short
    assert int(model.step) == 20
    model.fit(x, batch_size=8, steps_per_epoch=7, validation_data=x, validation_steps=3, verbose=0)
    assert model.steps_per_execution == 1
    assert int(model.step) == 27
    model.fit(x, batch_size=8, verbose=0)
    assert model.steps_per_execution > 12
    assert int(model.step) == 39


def test_all_of_the_validation_data_is_looked_at(rng):
    model = Points(image_shape=(3,), latent_dim=2, seed=0)
    x = data(rng)
    for _ in range(2):
        found = model.fit(x, batch_size=8, validation_data=x, verbose=0).history["val_d_loss"]
        # Nothing has moved since; the same latents are drawn for each batch.
        again = model.evaluate(x, batch_size=8, verbose=0, return_dict=True)
        assert found[0] == pytest.approx(again["d_loss"], rel=1e-5)
        first = model.evaluate(x[:8], batch_size=8, verbose=0, return_dict=True)
        assert found[0] != pytest.approx(first["d_loss"], rel=1e-5)


class Subclassed(keras.Model):
    """A network that is no graph of layers."""

    def __init__(self, length):
        super().__init__()
        self.length = length
        self.dense = keras.layers.Dense(length)

    def call(self, x, training=False):
        return self.dense(x)


def test_networks_of_any_kind(rng):
    class Own(Points):
        def build_generator(self):
            network = Subclassed(3)
            network(ops.zeros((1, self.latent_dim)))
            return network

    model = Own(latent_dim=2, seed=0)
    model.fit(data(rng), batch_size=8, verbose=0)
    assert int(model.step) == 12
    assert model.generate(2).shape == (2, 3)
