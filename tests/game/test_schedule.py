"""Constants that change during a training: their course, what they move, and resuming."""

import keras
import numpy as np
import pytest
from keras import ops

import ganzoo
from ganzoo.game import optimizers

TINY = {"channels": (8, 4), "group_width": 4, "latent_dim": 6, "seed": 0, "jit_compile": False}


def make(**options):
    return ganzoo.get("r3gan", **{"image_shape": (8, 8, 1), **TINY, **options})


def pictures(n=32):
    return np.random.default_rng(0).integers(0, 256, (n, 8, 8, 1)).astype("uint8")


def course(images, whole):
    return (1 - np.cos(np.pi * min(images / (0.6 * whole), 1))) / 2


def test_the_course_is_half_a_cosine_over_the_first_part():
    model = make(schedule_images=200)
    optimizers_ = [model.optimizer[name] for name in model.player_names]
    for epoch in range(5):
        model.fit(pictures(), batch_size=16, epochs=1, verbose=0)
        wanted = course(32 * epoch + 16, 200)  # at the beginning of the last step
        got = [float(x) for x in (model.schedule.course, *(o.course for o in optimizers_))]
        assert got == pytest.approx([wanted] * 3, abs=1e-6)
    assert got == pytest.approx([1.0] * 3, abs=1e-6)  # 144 of 120 images


class Batches(keras.utils.PyDataset):
    """Two batches, whose size a compiled step does not know."""

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return pictures(16)


def test_batches_of_unknown_size_are_counted():
    model, other = (make(schedule_images=200, ema_images=1000.0) for _ in range(2))
    model.fit(Batches(), verbose=0)
    other.fit(np.concatenate([pictures(16)] * 2), batch_size=16, shuffle=False, verbose=0)
    for each in (model, other):
        assert float(each.schedule.course) == pytest.approx(course(16, 200), abs=1e-6)
    for ours, theirs in zip(model.ema_generator.weights, other.ema_generator.weights):
        np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_gamma_falls_to_a_tenth():
    x, r1 = pictures(), []
    for place in (0.0, 0.5, 1.0):
        model = make(schedule_images=200, gamma=2.0)
        model.schedule.course.assign(place)
        r1.append(model.evaluate(x, batch_size=32, verbose=0, return_dict=True)["d_r1"])
    assert np.array(r1) / r1[0] == pytest.approx([1, 0.55, 0.1], rel=1e-4)


def adam_by_hand(gradients, places, rate, epsilon):
    """Adam with its rate and beta_2 where they are at each place."""
    w = m = v = 0.0
    for t, (g, c) in enumerate(zip(gradients, places), 1):
        beta = 0.9 + 0.09 * c
        m, v = 0.5 * m + 0.5 * g, beta * v + (1 - beta) * g * g
        right = m / (1 - 0.5**t), v / (1 - beta**t)
        w -= rate * (1 - 0.75 * c) * right[0] / (np.sqrt(right[1]) + epsilon)
    return w


def test_the_optimizer_is_adam_with_changing_constants():
    optimizer = optimizers.AnnealedAdam(0.1, beta_1=0.5, beta_2=0.99, epsilon=1e-7)
    w = keras.Variable([0.0])
    gradients, places = [1.0, -0.5, 0.25, 2.0, 1.0], [0.0, 0.1, 0.4, 0.8, 1.0]
    optimizer.build([w])
    for g, place in zip(gradients, places):
        optimizer.course.assign(place)
        optimizer.apply([ops.array([g])], [w])
    assert float(w[0]) == pytest.approx(adam_by_hand(gradients, places, 0.1, 1e-7), rel=1e-4)
    assert float(optimizer.learning_rate) == pytest.approx(0.1)
    other = optimizers.AnnealedAdam.from_config(optimizer.get_config())
    assert other.get_config() == optimizer.get_config()
    assert other.get_config()["beta_2"] == 0.99 and other.get_config()["last_rate"] == 0.25


def test_at_the_beginning_it_moves_as_adam_with_the_first_constants():
    gradient = ops.array(np.random.default_rng(0).normal(size=3).astype("float32"))
    made = optimizers.AnnealedAdam(0.1, beta_2=0.99), optimizers.Adam(0.1, beta_2=0.9)
    results = []
    for optimizer in made:
        w = keras.Variable([0.0, 1.0, 2.0])
        for _ in range(3):
            optimizer.apply([gradient], [w])
        results.append(ops.convert_to_numpy(w))
    np.testing.assert_allclose(*results, rtol=1e-6)


@pytest.mark.parametrize(
    "precision", ["float32", pytest.param("mixed_float16", marks=pytest.mark.slow)]
)
def test_a_saved_model_goes_on_exactly(tmp_path, precision):
    model = make(schedule_images=150, precision=precision)
    model.fit(pictures(), batch_size=16, verbose=0)
    model.save(tmp_path / "model.keras")
    other = keras.saving.load_model(tmp_path / "model.keras")
    assert float(other.schedule.course) == float(model.schedule.course) > 0
    for each in (model, other):
        each.fit(pictures(), batch_size=16, epochs=2, verbose=0)
    ours, theirs = (
        [*each.get_weights(), *(v.numpy() for v in each.optimizer.variables)]
        for each in (model, other)
    )
    for a, b in zip(ours, theirs):
        np.testing.assert_array_equal(a, b)


def test_a_training_from_weights_begins_its_schedule_again(tmp_path):
    model = make()
    model.fit(pictures(), batch_size=16, epochs=3, verbose=0)
    model.save(tmp_path / "model.keras")
    other = ganzoo.get("r3gan", weights=tmp_path / "model.keras", schedule_images=200)
    other.fit(pictures(), batch_size=16, verbose=0)
    assert float(other.schedule.course) == pytest.approx(course(16, 200), abs=1e-6)


def test_without_a_schedule_the_optimizers_are_as_ever():
    model = make()
    assert model.schedule is None
    assert {type(o) for o in model.optimizer.optimizers} == {optimizers.Adam}


def test_wrong_lengths_are_refused():
    for wrong in (0, 1.5, "60 epochs"):
        with pytest.raises((ValueError, TypeError), match="schedule_images"):
            make(schedule_images=wrong)
