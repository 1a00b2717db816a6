"""`ganzoo.backend.feeding`: what reaches a training step, of whatever a user hands to `fit`."""

import importlib.util
import itertools

import keras
import numpy as np
import pytest

import ganzoo
from ganzoo import callbacks
from ganzoo import modalities
from ganzoo.backend.feeding import feed
from ganzoo.backend.host_functions import host_errors
from ganzoo.backend.sources import ArraySource
from ganzoo.backend.sources import Order
from ganzoo.backend.sources import SourceDataset
from ganzoo.backend.sources import stream
from ganzoo.backend.sources import stream_tf_data
from ganzoo.backend.sources import tf_stream
from ganzoo.doctor import measurements
from ganzoo.game import time_budget
from ganzoo.models.vanilla import VanillaGAN

tf = pytest.importorskip("tensorflow", reason="tf.data, which is fed under every backend")

needs_tensorflow_backend = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="arrays are fed through tf.data on the TensorFlow backend only",
)


def numbered(count, dtype="uint8"):
    """2×2 pictures of which each pixel is the picture's number."""
    images = np.broadcast_to(np.arange(count)[:, None, None, None], (count, 2, 2, 1))
    return images.astype(dtype)


def numbers(batch):
    """The numbers of the pictures in a batch, and its labels if there are any."""
    images, *labels = batch if isinstance(batch, (tuple, list)) else (batch,)
    images = np.asarray(images)
    assert images.shape[1:] == (2, 2, 1)
    assert (images == images[:, :1, :1]).all()
    for part in labels:
        np.testing.assert_array_equal(np.asarray(part), images[:, 0, 0, 0])
    return tuple(int(n) for n in images[:, 0, 0, 0])


def accept(turns=1):
    return lambda specs: turns


def steps(fed):
    """What one epoch of a feed yields, a tuple of numbers for each step."""
    if isinstance(fed.data, keras.utils.PyDataset):
        return [numbers(fed.data[i]) for i in range(fed.data.num_batches)]
    return [numbers(batch) for batch in fed.data.as_numpy_iterator()]


@pytest.mark.parametrize("kind", ["tf.data", "PyDataset"])
def test_looking_at_a_data_set_shows_its_first_epoch_and_leaves_it_where_it_is(kind):
    source, order = ArraySource(numbered(30)), Order(30, True, 0)
    ds = SourceDataset(source, 4, order) if kind == "PyDataset" else tf_stream(source, 4, order)
    looks = []
    for epoch in (0, 3):
        order.epoch = epoch
        looks += [callbacks.first_examples(ds, 4)[0], *measurements.examples(ds, 4, seed=0)]
        assert order.epoch == epoch
    assert all(numbers(look) == tuple(order.indices(0)[:4]) for look in looks)
    assert len(looks) == 4 and tuple(order.indices(3)[:4]) != numbers(looks[0])


class Batches(keras.utils.PyDataset):
    """A user's own data set. `endless`: it starts again after its last batch."""

    def __init__(self, batches, endless=False, **kwargs):
        super().__init__(**kwargs)
        self.batches = batches
        self.endless = endless

    @property
    def num_batches(self):
        return None if self.endless else len(self.batches)

    def __getitem__(self, i):
        return self.batches[i % len(self.batches)]


def cut(size, *arrays):
    """A list of batches; the last one may be smaller."""
    parts = [tuple(a[i : i + size] for a in arrays) for i in range(0, len(arrays[0]), size)]
    return parts if len(arrays) > 1 else [part for (part,) in parts]


KINDS = {
    "array": lambda images: {"x": images, "batch_size": 4},
    "shuffled array": lambda images: {"x": images, "batch_size": 4, "shuffle": True, "seed": 5},
    "tuple": lambda images: {"x": (images, images[:, 0, 0, 0]), "batch_size": 4},
    "array and y": lambda images: {"x": images, "y": list(images[:, 0, 0, 0]), "batch_size": 4},
    "tensor": lambda images: {"x": keras.ops.convert_to_tensor(images), "batch_size": 4},
    "load": lambda images: {"x": ganzoo.datasets.load(images, batch_size=4)},
    "tf.data": lambda images: {"x": tf.data.Dataset.from_tensor_slices(images).batch(4)},
    "tf.data, static": lambda images: {
        "x": tf.data.Dataset.from_tensor_slices(images).batch(4, drop_remainder=True)
    },
    "tf.data, labels": lambda images: {
        "x": tf.data.Dataset.from_tensor_slices((images, images[:, 0, 0, 0])).batch(4)
    },
    "generator": lambda images: {
        "x": tf.data.Dataset.from_generator(
            lambda: iter(cut(4, images)),
            output_signature=tf.TensorSpec((None, None, None, 1), "uint8"),
        )
    },
    "generator, nothing known": lambda images: {
        "x": tf.data.Dataset.from_generator(lambda: iter(cut(4, images)), output_types="uint8")
    },
    "PyDataset": lambda images: {"x": Batches(cut(4, images))},
    "PyDataset, labels": lambda images: {"x": Batches(cut(4, images, images[:, 0, 0, 0]))},
    "PyDataset, lists": lambda images: {
        "x": Batches([(b, [int(n) for n in b[:, 0, 0, 0]]) for b in cut(4, images)])
    },
    "source": lambda images: {"x": source_dataset(images, batch_size=4, shuffle=True)},
}


def source_dataset(images, *, batch_size, shuffle, seed=0):
    """What `ganzoo.datasets.load` returns where TensorFlow is not installed."""
    source = ganzoo.backend.ArraySource(images)
    return SourceDataset(source, batch_size, Order(len(images), shuffle, seed))


# Turns -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("turns", [1, 3])
def test_steps_are_whole_and_disjoint(kind, turns):
    """30 examples in batches of 4 are 7 whole ones: 7 steps of one turn, 2 steps of three."""
    seen = []

    def accept(specs):
        seen.append(specs)
        return turns

    found = steps(feed(**KINDS[kind](numbered(30)), accept=accept))
    assert [len(step) for step in found] == [4 * turns] * (7 // turns)
    everything = [n for step in found for n in step]
    assert len(set(everything)) == len(everything)
    assert seen[0][0] == ((2, 2, 1), "uint8") and len(seen) == 1
    if len(seen[0]) == 2:
        shape, dtype = seen[0][1]
        assert shape == () and "int" in dtype
    if "shuffle" not in str(kind) and kind not in ("load", "source"):
        assert everything == list(range(len(everything)))
    else:
        assert everything != sorted(everything)


def test_turns_put_the_users_batches_together():
    def one_epoch(turns):
        ds = ganzoo.datasets.load(numbered(30), batch_size=4, seed=3)
        fed = feed(ds, accept=accept(turns))
        fed.pin().on_epoch_begin(0)
        return steps(fed)

    batches = one_epoch(1)
    assert one_epoch(3) == [sum(batches[:3], ()), sum(batches[3:6], ())]


def test_every_epoch_of_arrays_has_another_order():
    fed = feed(numbered(30), accept=accept(2), batch_size=4, shuffle=True)
    pin = fed.pin()
    pin.on_train_begin()
    epochs = []
    for epoch in (0, 1, 0):
        pin.on_epoch_begin(epoch)
        epochs.append(steps(fed))
    assert epochs[0] == epochs[2] != epochs[1]


@pytest.mark.parametrize("kind", KINDS)
def test_data_smaller_than_a_step(kind):
    with pytest.raises(
        ValueError, match="fewer than one training step reads .3 batches of 4.*fewer `disc"
    ):
        feed(**KINDS[kind](numbered(11)), accept=accept(3))
    if kind not in ("load", "source"):  # which are refused earlier, and read later
        images = numbered(12)
        assert [len(s) for s in steps(feed(**KINDS[kind](images), accept=accept(3)))] == [12]


# Data that is refused ----------------------------------------------------------------------------


def from_slices(*arrays):
    return tf.data.Dataset.from_tensor_slices(arrays if len(arrays) > 1 else arrays[0])


def no_accept(specs):
    raise AssertionError(f"accepted {specs}")


@pytest.mark.parametrize(
    "data",
    [
        lambda: numbered(0),
        lambda: [],
        lambda: from_slices(numbered(0)).batch(4),
        lambda: from_slices(numbered(9)).filter(lambda x: False).batch(4),
        lambda: Batches([]),
    ],
    ids=["array", "list", "tf.data", "filtered tf.data", "PyDataset"],
)
def test_empty_data(data):
    with pytest.raises(ValueError, match="The data set is empty.*Check the path, the split"):
        feed(data(), accept=no_accept)


@pytest.mark.parametrize(
    "data",
    [
        lambda: from_slices(numbered(9)),
        lambda: from_slices(numbered(9), np.arange(9)),
        lambda: from_slices(np.arange(9)).batch(4),
        lambda: from_slices(np.arange(9)),
        lambda: Batches([np.float32(1)]),
        lambda: Batches(list(numbered(3))),
        lambda: numbered(1)[0],
        lambda: np.arange(9),
    ],
    ids=[
        "pictures",
        "pictures, labels",
        "numbers",
        "single numbers",
        "PyDataset numbers",
        "PyDataset pictures",
        "array",
        "vector",
    ],
)
def test_unbatched_data(data):
    def accept(specs):  # as models of images do; `(2, 1)` may be a clip of sound elsewhere
        modalities.Images().check_shape(specs[0][0])
        no_accept(specs)

    with pytest.raises(ValueError, match="batches"):
        feed(data(), accept=accept)


@pytest.mark.parametrize(
    ("data", "received"),
    [
        (lambda: from_slices({"image": numbered(9)}).batch(4), "'image'"),
        (lambda: from_slices((numbered(9), numbered(9)), numbered(9)).batch(4), "TensorSpec"),
        (lambda: tf.data.Dataset.from_tensors(tf.ragged.constant([[1], [1, 2]])), "Ragged"),
        (lambda: Batches([{"image": numbered(4)}]), "dict"),
        (lambda: Batches([(numbered(4), None)]), "ndarray and NoneType"),
    ],
    ids=["dict", "nested", "ragged", "PyDataset dict", "PyDataset None"],
)
def test_data_of_another_structure(data, received):
    with pytest.raises(
        ValueError, match=rf"must yield `images` or `\(images, labels\)`. Received: .*{received}"
    ):
        feed(data(), accept=no_accept)


@pytest.mark.parametrize(
    "data",
    [
        lambda: np.array(["a", "b"]),
        lambda: np.array([None, None]),
        lambda: from_slices(np.array(["a", "b"])).batch(2),
        lambda: Batches([np.array(["a.png", "b.png"])]),
    ],
    ids=["strings", "objects", "tf.data", "PyDataset"],
)
def test_data_that_is_no_numbers(data):
    with pytest.raises(ValueError, match="Data must be numbers. Received"):
        feed(data(), accept=no_accept)


@pytest.mark.parametrize(
    ("data", "received"),
    [
        ((batch for batch in [numbered(4)]), "generator"),
        ({"images": numbered(4)}, "dict"),
        ("mnist", "str"),
        (["a.png", "b.png"], "str"),
        (None, "NoneType"),
        (3, "int"),
    ],
    ids=["generator", "dict", "string", "list of strings", "None", "number"],
)
def test_wrong_types(data, received):
    message = rf"`tf.data.Dataset`, a `keras.utils.PyDataset` or arrays. Received: {received}\."
    with pytest.raises(TypeError, match=message):
        feed(data, accept=no_accept)


@pytest.mark.parametrize("data", [from_slices(numbered(8)).batch(4), Batches([numbered(4)])])
@pytest.mark.parametrize("extra", [{"y": np.arange(8)}, {"batch_size": 4}])
def test_arguments_that_go_with_arrays_only(data, extra):
    (name,) = extra
    with pytest.raises(
        ValueError, match=f"`{name}` goes with arrays only: a .*yields whole batches"
    ):
        feed(data, accept=no_accept, **extra)


def test_labels_of_another_number():
    with pytest.raises(ValueError, match="one label per image. Received 8 and 7"):
        feed(numbered(8), np.arange(7), accept=no_accept)


def test_py_dataset_with_a_batch_of_another_size():
    fed = feed(Batches([*cut(4, numbered(12)), numbered(3), numbered(4)]), accept=accept())
    with pytest.raises(ValueError, match="one has 3 examples and the first has 4"):
        steps(fed)


# Checks of values --------------------------------------------------------------------------------


def check_small(arrays):
    for array in arrays:
        assert isinstance(array, np.ndarray)
        if array.max() > 9:
            raise ValueError(f"{array.max():g} is too large")


@pytest.mark.parametrize("labels", [False, True])
def test_arrays_are_checked_at_once(labels):
    y = np.arange(30) if labels else None
    images = numbered(30, "uint8" if labels else "float32")
    with pytest.raises(ValueError, match="29 is too large"):
        feed(images, y, accept=accept(), check=check_small, batch_size=4)


def test_raw_images_alone_need_no_check():
    fed = feed(numbered(30), accept=accept(), check=check_small, batch_size=4)
    assert len(steps(fed)) == 7


@pytest.mark.parametrize(
    "data",
    [
        lambda images, path: from_slices(images).batch(4),
        lambda images, path: Batches(cut(4, images)),
        lambda images, path: np.load(path, mmap_mode="r"),
    ],
    ids=["tf.data", "PyDataset", "memory-mapped"],
)
def test_batches_are_checked_as_they_are_read(data, tmp_path):
    """An error of Python inside tf.data comes out as it was raised, not as TensorFlow's."""
    np.save(tmp_path / "a.npy", numbered(30, "float32"))
    data = data(numbered(30, "float32"), tmp_path / "a.npy")
    size = 4 if isinstance(data, np.ndarray) else None
    fed = feed(data, accept=accept(), check=check_small, batch_size=size)
    with pytest.raises(ValueError, match="^11 is too large$"), host_errors():
        steps(fed)


def test_other_errors_pass_host_errors():
    """Also where a pipeline has failed that nobody reads any more."""
    fed = feed(from_slices(numbered(30, "float32")).batch(4), accept=accept(), check=check_small)
    with pytest.raises(KeyError, match="mine"), host_errors():
        with pytest.raises(Exception, match="11 is too large"):
            list(fed.data if isinstance(fed.data, tf.data.Dataset) else steps(fed))
        raise KeyError("mine")


class Failing(ganzoo.backend.ArraySource):
    def read(self, indices):
        if 9 in indices:
            raise LookupError("picture 9 is gone")
        return super().read(indices)


def test_errors_of_a_source_come_out_of_fit():
    ds = stream(Failing(numbered(30)), batch_size=4, shuffle=False, seed=0)
    with pytest.raises(LookupError, match="^'?picture 9 is gone'?$"):
        fit(ds)


def test_image_that_is_damaged_while_training(tmp_path, monkeypatch):
    from PIL import Image

    for i in range(8):
        Image.fromarray(numbered(8)[i, ..., 0]).save(tmp_path / f"{i}.png")
    monkeypatch.setattr(ganzoo.datasets, "CACHE_BYTES", 0)
    ds = ganzoo.datasets.load(tmp_path, batch_size=2)
    assert len(fit(ds)[0]) == 4
    (tmp_path / "5.png").write_text("no more")
    with pytest.raises(ValueError, match=r"5\.png' cannot be read as an image"):
        fit(ds)


# Streams -----------------------------------------------------------------------------------------


def test_order():
    order = Order(20, True, 3)
    epochs = [tuple(order.advance()) for _ in range(3)]
    assert order.epoch == 3
    assert len(set(epochs)) == 3
    assert all(sorted(epoch) == list(range(20)) for epoch in epochs)
    order.epoch = 1
    assert tuple(order.advance()) == epochs[1] == tuple(Order(20, True, 3).indices(1))
    assert tuple(Order(20, True, 4).indices(1)) != epochs[1]
    np.testing.assert_array_equal(Order(20, False, 3).advance(), range(20))


def test_order_gives_seeds():
    order = Order(20, True, 3)
    seeds = [int(order.advance_seed()[0]) for _ in range(3)]
    assert len(set(seeds)) == 3
    order.epoch = 1
    assert int(order.advance_seed()[0]) == seeds[1]


@pytest.mark.parametrize("shuffle", [True, False])
def test_stream_is_the_same_without_tensorflow(shuffle, monkeypatch):
    source = ganzoo.backend.ArraySource(numbered(30), np.arange(30, dtype="int32"))
    ds = stream(source, batch_size=8, shuffle=shuffle, seed=2)
    assert isinstance(ds, tf.data.Dataset)
    assert ds.cardinality() == 4
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *args: None if name == "tensorflow" else find_spec(name, *args),
    )
    other = stream(source, batch_size=8, shuffle=shuffle, seed=2)
    assert isinstance(other, SourceDataset)
    for _ in range(2):
        expected = [numbers(batch) for batch in ds.as_numpy_iterator()]
        assert [numbers(other[i]) for i in range(len(other))] == expected
        assert [numbers(batch) for batch in other] == expected
        other.on_epoch_end()
    assert [len(batch) for batch in expected] == [8, 8, 8, 6]
    with pytest.raises(IndexError):
        other[4]


def test_stream_of_a_tf_data_depends_on_seed_and_epoch_only():
    base = from_slices(numbered(30))

    def epochs(seed, *, global_seed, shuffle=True):
        tf.random.set_seed(global_seed)
        ds = stream_tf_data(base, 30, batch_size=8, shuffle=shuffle, seed=seed)
        return [tuple(numbers(batch) for batch in ds.as_numpy_iterator()) for _ in range(2)]

    first = epochs(1, global_seed=1)
    assert epochs(1, global_seed=2) == first
    assert len({*first, *epochs(2, global_seed=1)}) == 4
    for epoch in first:
        assert [len(batch) for batch in epoch] == [8, 8, 8, 6]
        assert sorted(sum(epoch, ())) == list(range(30))
    still = epochs(1, global_seed=1, shuffle=False)
    assert [sum(epoch, ()) for epoch in still] == [tuple(range(30))] * 2


def test_stream_smaller_than_a_batch():
    source = ganzoo.backend.ArraySource(numbered(7))
    with pytest.raises(ValueError, match=r"7 examples.*\(a batch of 8\).*smaller `batch_size`\."):
        stream(source, batch_size=8, shuffle=True, seed=0)


# What `fit` reads, epoch by epoch ----------------------------------------------------------------


SMALL = {"generator_units": (2,), "discriminator_units": (2,), "pieces": 2, "latent_dim": 2}


def fit(data, discriminator_steps=1, step=0, **kwargs):
    """What a model's steps read, in a list for each epoch, after `step` other steps."""
    seen = []

    class Recorder(VanillaGAN):  # learns nothing
        def play(self, data):
            seen.append(numbers(data))
            return {"loss": keras.ops.zeros(())}

        def judge(self, data):
            return []

        def track(self, logs):
            return {"loss": keras.ops.zeros(())}

    model = Recorder(**SMALL, discriminator_steps=discriminator_steps, seed=0)
    model.compile(run_eagerly=True)
    model.step.assign(step)
    bounds = []
    end = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: bounds.append(len(seen)))
    model.fit(data, verbose=0, callbacks=[end], **kwargs)
    return [seen[a:b] for a, b in zip([0, *bounds], bounds)]


SHUFFLED = {
    "array": lambda: (numbered(30), {"batch_size": 4}),
    "load": lambda: (ganzoo.datasets.load(numbered(30), batch_size=4), {}),
    "load and map": lambda: (
        ganzoo.datasets.load(numbered(30), batch_size=4).map(lambda x: x).prefetch(2),
        {},
    ),
    "source": lambda: (source_dataset(numbered(30), batch_size=4, shuffle=True), {}),
}


@pytest.mark.parametrize("kind", SHUFFLED)
@pytest.mark.parametrize("turns", [1, 2])
def test_epochs_of_a_resumed_run_are_those_of_the_uninterrupted_one(kind, turns):
    data, kwargs = SHUFFLED[kind]()
    kwargs["discriminator_steps"] = turns
    whole = fit(data, epochs=4, **kwargs)
    assert [len(epoch) for epoch in whole] == [7 // turns] * 4
    assert len({tuple(epoch) for epoch in whole}) == 4
    data, _ = SHUFFLED[kind]()
    if not isinstance(data, np.ndarray):
        for _ in data:  # a look at the data changes nothing
            pass
    assert fit(data, initial_epoch=3, epochs=4, **kwargs) == whole[3:]
    assert fit(data, initial_epoch=1, epochs=3, **kwargs) == whole[1:3]


@pytest.mark.parametrize("kind", SHUFFLED)
def test_validation_does_not_disturb_the_order(kind):
    data, kwargs = SHUFFLED[kind]()
    whole = fit(data, epochs=3, **kwargs)
    data, _ = SHUFFLED[kind]()
    assert fit(data, epochs=3, validation_data=data, **kwargs) == whole


@pytest.mark.parametrize("kind", SHUFFLED)
@pytest.mark.parametrize("count", [5, 7, 10])
def test_steps_per_epoch_go_on_from_pass_to_pass(kind, count):
    """Fewer, as many and more steps than the 7 of one pass; no example is left out or doubled."""
    data, kwargs = SHUFFLED[kind]()
    found = fit(data, epochs=4, steps_per_epoch=count, **kwargs)
    assert [len(epoch) for epoch in found] == [count] * 4
    order = Order(30, True, 0)
    passes = [cut(4, tuple(map(int, order.advance())))[:7] for _ in range(6)]
    assert sum(found, []) == sum(passes, [])[: 4 * count]
    resumed = fit(data, initial_epoch=2, epochs=4, steps_per_epoch=count, **kwargs)
    assert resumed == found[2:]


@pytest.mark.parametrize("kind", [*SHUFFLED, "PyDataset"])
@pytest.mark.parametrize("turns", [1, 2])
def test_epochs_that_a_clock_ends_go_on_from_pass_to_pass(kind, turns, monkeypatch):
    """And a resumed training with what its next step reads, wherever an epoch was cut."""
    ticks = itertools.count()
    monkeypatch.setattr(time_budget, "clock", lambda: next(ticks))  # by a second a step
    if kind == "PyDataset":
        data, kwargs = Batches(cut(4, numbered(30))), {}
        passes = cut(4, tuple(range(30)))[:7] * 9
    else:
        data, kwargs = SHUFFLED[kind]()
        order = Order(30, True, 0)
        passes = sum((cut(4, tuple(map(int, order.advance())))[:7] for _ in range(9)), [])
    rest = [i for i in range(len(passes)) if turns == 1 or i % 7 != 6]  # whole steps of a pass
    passes = [sum((passes[i] for i in rest[k : k + turns]), ()) for k in range(0, 54, turns)]
    kwargs["discriminator_steps"] = turns
    found = fit(data, minutes=0.5, **kwargs)
    assert len(found) > 1
    read = sum(found, [])
    assert len(read) > 7 and read == passes[: len(read)]
    for step in (1, len(read)):
        found = sum(fit(data, minutes=0.2, step=step, initial_epoch=1, **kwargs), [])
        assert found == passes[step : step + len(found)]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("labels", [False, True])
def test_py_dataset_of_the_users_own(labels, workers):
    images = numbered(14)
    batches = cut(4, images, images[:, 0, 0, 0]) if labels else cut(4, images)
    expected = [numbers(b) for b in batches[:3]]
    data = Batches(batches, workers=workers)
    assert fit(data, epochs=2) == [expected] * 2
    assert fit(Batches(batches[:3]), epochs=2, steps_per_epoch=4) == [
        [*expected, expected[0]],
        [*expected[1:], *expected[:2]],
    ]


def test_endless_py_dataset():
    data = Batches(cut(4, numbered(12)), endless=True)
    first, second, third = map(numbers, data.batches)
    found = fit(data, epochs=2, steps_per_epoch=4)
    assert found == [[first, second, third, first], [second, third, first, second]]
    assert fit(data, initial_epoch=1, epochs=2, steps_per_epoch=4) == found[1:]
    found = fit(data, epochs=1, steps_per_epoch=2, discriminator_steps=2)
    assert found == [[first + second, third + first]]


def test_endless_tf_data():
    data = from_slices(numbered(14)).batch(4).repeat()
    found = sum(fit(data, epochs=2, steps_per_epoch=4), [])
    # A partial batch at the end of a pass goes on with the next pass: 12, 13, 0, 1.
    assert [step[0] for step in found] == [0, 4, 8, 12, 2, 6, 10, 0]


@pytest.mark.parametrize("kind", ["generator", "generator, nothing known", "tf.data"])
def test_data_of_unknown_length(kind):
    """Keras warns that such data "ran out"; `fit` must not. (Warnings are errors here.)"""
    data = KINDS[kind](numbered(30))["x"]
    assert fit(data, epochs=2, validation_data=data) == [cut(4, tuple(range(28)))] * 2


def test_evaluation_of_data_of_unknown_length():
    model = VanillaGAN(**SMALL, seed=0, jit_compile=False)
    data = KINDS["tf.data"](numbered(30))["x"]
    expected = model.evaluate(numbered(28), batch_size=4, verbose=0, return_dict=True)
    found = model.evaluate(data, verbose=0, return_dict=True)
    assert found["d_loss"] == pytest.approx(expected["d_loss"], rel=0.2)  # its latents are others


@needs_tensorflow_backend
def test_arrays_travel_as_tf_data():
    fed = feed(numbered(30), accept=accept(), batch_size=4)
    assert isinstance(fed.data, tf.data.Dataset)
    assert fed.data.element_spec[0].shape == (4, 2, 2, 1)  # static, as XLA wants it
    assert fed.data.cardinality() == 7  # so that the progress bar knows


@pytest.mark.parametrize("kind", ["load", "tf.data, static"])
def test_length_is_known(kind):
    fed = feed(**KINDS[kind](numbered(30)), accept=accept(2))
    assert fed.data.cardinality() == 3
    assert fed.data.element_spec[0].shape == (8, 2, 2, 1)
