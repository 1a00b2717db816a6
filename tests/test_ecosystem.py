"""What users bring along: Keras's own callbacks and settings, KerasTuner, classes of their own."""

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo.game import registry
from ganzoo.models import DCGAN
from ganzoo.models import VanillaGAN

SCORE = "frechet[digits-classifier-v1]"
SMALL = {"channels": 4, "latent_dim": 6, "seed": 0}


@pytest.fixture(scope="module")
def digits():
    return ganzoo.datasets.load("digits")


@pytest.fixture(scope="module")
def evaluator():
    return ganzoo.evaluation.Evaluator("digits", metrics=("frechet",), samples=100, repeats=1)


def small(**config):
    """A model whose players learn at two rates, the discriminator at twice the generator's."""
    return DCGAN(learning_rate=1e-3, discriminator_learning_rate=2e-3, **SMALL, **config)


def fit(model, data, *callbacks, epochs=2):
    return model.fit(data, epochs=epochs, verbose=0, callbacks=[*callbacks])


def test_model_checkpoint_saves_the_best_by_a_score(digits, evaluator, tmp_path):
    scoring = ganzoo.callbacks.Evaluate(evaluator, verbose=0)
    best = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.keras", monitor=SCORE, mode="min", save_best_only=True
    )
    weights = keras.callbacks.ModelCheckpoint(
        tmp_path / "{epoch}.weights.h5", save_weights_only=True
    )
    model = small()
    scores = fit(model, digits, scoring, best, weights, epochs=3).history[SCORE]
    found = keras.saving.load_model(tmp_path / "best.keras")
    assert int(found.step) == (1 + int(np.argmin(scores))) * 23
    again = small(image_shape=(8, 8, 1))
    again.load_weights(tmp_path / "3.weights.h5")
    np.testing.assert_array_equal(again.generate(4, seed=0), model.generate(4, seed=0))


def test_backup_and_restore_ends_with_the_images_of_an_uninterrupted_run(digits, tmp_path):
    class Interrupt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    whole, half, rest = small(), small(), small()
    fit(whole, digits, epochs=4)
    with pytest.raises(KeyboardInterrupt):
        fit(half, digits, keras.callbacks.BackupAndRestore(tmp_path), Interrupt(), epochs=4)
    history = fit(rest, digits, keras.callbacks.BackupAndRestore(tmp_path), epochs=4)
    assert history.epoch == [2, 3]
    np.testing.assert_array_equal(rest.generate(8, seed=0), whole.generate(8, seed=0))


def test_early_stopping_on_a_score_restores_the_best(digits, evaluator):
    scoring = ganzoo.callbacks.Evaluate(evaluator, verbose=0)
    stop = keras.callbacks.EarlyStopping(
        SCORE, mode="min", min_delta=1e9, patience=1, restore_best_weights=True
    )
    model = small()
    assert fit(model, digits, scoring, stop, epochs=9).epoch == [0, 1]
    assert int(model.step) == 23  # of the first epoch, which was the best


def test_a_plateau_lowers_the_rates_of_all_players(digits):
    model = small()
    lower = keras.callbacks.ReduceLROnPlateau("g_loss", mode="min", min_delta=1e9, patience=1)
    fit(model, digits, lower, epochs=3)
    rates = [float(optimizer.learning_rate) for optimizer in model.optimizer.optimizers]
    np.testing.assert_allclose(rates, [2e-5, 1e-5], rtol=1e-5)


def test_a_scheduler_sees_each_players_rate_and_logs_it_by_its_name(digits):
    model = small()
    shrink = keras.callbacks.LearningRateScheduler(lambda epoch, rate: 0.5 * rate)
    logs = fit(model, digits, shrink, epochs=2).history
    np.testing.assert_allclose(logs["learning_rate_discriminator"], [1e-3, 5e-4], rtol=1e-5)
    np.testing.assert_allclose(logs["learning_rate_generator"], [5e-4, 2.5e-4], rtol=1e-5)


def test_a_schedule_of_one_player_leaves_the_other_alone(digits):
    model = small()
    decay = keras.optimizers.schedules.ExponentialDecay(1e-3, decay_steps=23, decay_rate=0.1)
    model.compile({"discriminator": keras.optimizers.Adam(decay), "generator": "adam"})
    fit(model, digits, epochs=1)
    rates = [float(optimizer.learning_rate) for optimizer in model.optimizer.optimizers]
    np.testing.assert_allclose(rates, [1e-4, 1e-3], rtol=1e-5)


def test_a_mixed_policy_set_for_all_models_is_that_of_ours():
    keras.mixed_precision.set_dtype_policy("mixed_bfloat16")
    try:
        model, plain = small(image_shape=(8, 8, 1)), small(precision="float32")
    finally:
        keras.mixed_precision.set_dtype_policy("float32")
    assert model.dtype_policy.name == "mixed_bfloat16" and plain.dtype_policy.name == "float32"
    assert model.generator.layers[2].compute_dtype == "bfloat16"
    assert small().dtype_policy.name == "float32"


@pytest.mark.parametrize(
    "before, after", [("float32", "mixed_float16"), ("mixed_float16", "float32")]
)
def test_a_saved_model_keeps_its_policy_whatever_is_set_now(digits, tmp_path, before, after):
    def under(policy, make):
        keras.mixed_precision.set_dtype_policy(policy)
        try:
            return make()
        finally:
            keras.mixed_precision.set_dtype_policy("float32")

    model = under(before, small)
    fit(model, digits, epochs=1)
    model.save(tmp_path / "model.keras")
    again = under(after, lambda: keras.saving.load_model(tmp_path / "model.keras"))
    assert again.dtype_policy.name == model.dtype_policy.name == before
    np.testing.assert_array_equal(again.generate(4, seed=0), model.generate(4, seed=0))
    assert fit(again, digits, epochs=1).history == fit(model, digits, epochs=1).history


def test_the_progress_bar_ends_at_the_last_step(digits, capsys):
    model = small()
    model.compile(steps_per_execution=10)
    model.fit(digits, epochs=1, verbose=1)  # 23 steps
    said = capsys.readouterr().out
    assert "23/23" in said and "30/23" not in said


def test_a_progress_bar_of_ones_own_is_the_only_one(digits, capsys):
    class Silent(keras.callbacks.ProgbarLogger):
        def set_params(self, params):
            super().set_params({**params, "verbose": 0})

    small().fit(digits, epochs=1, verbose=1, callbacks=[Silent()])
    assert capsys.readouterr().out == ""


def test_a_subclass_of_a_model_is_saved_and_loaded(digits, tmp_path, monkeypatch):
    monkeypatch.setattr(registry, "_MODELS", registry.registered())

    @ganzoo.register
    class Gentle(DCGAN):
        def __init__(self, *, weight=0.1, **kwargs):
            super().__init__(**kwargs)
            self.weight = weight

        def discriminator_terms(self, batch, drawn, real, fake):
            return {"drift": self.weight * keras.ops.mean(keras.ops.square(real["logits"]))}

    model = ganzoo.get("gentle", weight=0.2, **SMALL)
    assert "d_drift" in fit(model, digits, epochs=1).history
    model.save(tmp_path / "gentle.keras")
    again = keras.saving.load_model(tmp_path / "gentle.keras")
    assert type(again) is Gentle and again.weight == 0.2
    np.testing.assert_array_equal(again.generate(4, seed=0), model.generate(4, seed=0))


@pytest.mark.slow
def test_keras_tuner_tries_settings_and_gives_back_the_best(digits, evaluator, tmp_path):
    keras_tuner = pytest.importorskip("keras_tuner")

    def build(hp):
        return VanillaGAN(
            generator_units=(hp.Choice("units", [8, 16]),),
            discriminator_units=(8,),
            learning_rate=hp.Float("learning_rate", 1e-4, 1e-2, sampling="log"),
            seed=0,
        )

    tuner = keras_tuner.RandomSearch(
        build,
        objective=keras_tuner.Objective(SCORE, "min"),
        max_trials=2,
        seed=0,
        directory=tmp_path,
    )
    scoring = ganzoo.callbacks.Evaluate(evaluator, verbose=0)
    tuner.search(digits, epochs=1, verbose=0, callbacks=[scoring])
    trials = tuner.oracle.get_best_trials(2)
    assert trials[0].score <= trials[1].score
    assert trials[0].hyperparameters.values != trials[1].hyperparameters.values
    # It knew its pictures' shape only when it was trained.
    (best,) = tuner.get_best_models()
    assert best.learning_rate == trials[0].hyperparameters.values["learning_rate"]
    assert evaluator.judge(best)[SCORE].value == pytest.approx(trials[0].score, rel=1e-3)
