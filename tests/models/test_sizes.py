"""The papers' own networks are reached by arguments: trainable numbers counted by hand, or as the
authors' code, or others, print them. Those of other models are counted where they are tested.
"""

import pytest

import ganzoo


def sizes(name, image_shape, **arguments):
    """Trainable numbers of each network of the players."""
    model = ganzoo.get(name, image_shape=image_shape, ema_decay=None, seed=0, **arguments)
    networks = {n.name: n for player in model.players for n in player.networks}
    return {
        name: sum(int(v.numpy().size) for v in network.trainable_variables)
        for name, network in networks.items()
    }


def test_vanilla_on_mnist():
    """Goodfellow et al. 2014: two layers of 1,200; maxout, 240 units of 5 pieces, twice."""
    assert sizes("vanilla", (28, 28, 1)) == {
        "generator": 101 * 1200 + 1201 * 1200 + 1201 * 784,
        "discriminator": 785 * 1200 + 241 * 1200 + 241,
    }


@pytest.mark.parametrize("name", ["dcgan", "lsgan", "wgan"])
def test_dcgan_at_64(name):
    """The networks of dcgan.torch, which PyTorch's tutorial counts without any bias: ours have one
    where no batch normalisation follows, in the first and the last layer of the discriminator and
    in the last of the generator."""
    assert sizes(name, (64, 64, 3)) == {
        "generator": 3_576_704 + 3,
        "discriminator": 2_765_568 + 64 + 1,
    }


def test_critics_without_batch_normalisation_at_64():
    kernels = 16 * (3 * 64 + 64 * 128 + 128 * 256 + 256 * 512 + 512)
    biases = 64 + 128 + 256 + 512 + 1
    normalised = 2 * (128 + 256 + 512)
    assert sizes("dragan", (64, 64, 3))["discriminator"] == kernels + biases
    assert sizes("wgan_gp", (64, 64, 3))["discriminator"] == kernels + 64 + 1 + normalised


def test_sngan_at_32():
    """Miyato et al. 2018, table 4."""
    conv = lambda a, b, side=3: side * side * a * b + b
    up = 2 * conv(256, 256) + conv(256, 256, 1) + 2 * 512
    generator = 129 * 4 * 4 * 256 + 3 * up + 512 + conv(256, 3)
    first = conv(3, 128) + conv(128, 128) + conv(3, 128, 1)
    discriminator = first + 6 * conv(128, 128) + conv(128, 128, 1) + 128 + 1
    found = {"generator": generator, "discriminator": discriminator}
    assert sizes("sngan", (32, 32, 3)) == found
    # With classes: scales and offsets of the six normalisations in the blocks for each class, and
    # an embedding to project on.
    found["generator"] += 9 * 6 * 512
    found["discriminator"] += 10 * 128
    assert sizes("sngan", (32, 32, 3), num_classes=10) == found


def test_sagan_on_imagenet():
    """Brock, Donahue, Simonyan 2019, "Large Scale GAN Training for High Fidelity Natural Image
    Synthesis", table 1: their baseline, SAGAN with 64 channels, has 81.5 million."""
    found = sizes("sagan", (128, 128, 3), num_classes=1000)
    assert round(sum(found.values()) / 1e6, 1) == 81.5


def test_bigan_on_mnist():
    """Donahue et al. 2017, section 4.2: two layers of 1,024 each, 50 latents; no normalisation."""
    found = sizes("bigan", (28, 28, 1), hidden=(1024, 1024))
    middle = 1025 * 1024
    assert found == {
        "encoder": 785 * 1024 + middle + 1025 * 50,
        "generator": 51 * 1024 + middle + 1025 * 784,
        "discriminator": (784 + 50 + 1) * 1024 + middle + 1025,
    }


def test_wavegan_of_16_384_samples():
    """Donahue et al. 2019, tables 3 and 4: 19.1 and 17.4 million numbers."""
    widths = (1024, 512, 256, 128, 64, 1)
    convolved = sum(25 * a * b for a, b in zip(widths, widths[1:]))
    generator = 101 * 16 * 1024 + convolved + sum(widths[1:])
    discriminator = convolved + sum(widths[:-1]) + 16 * 1024 + 1
    assert sizes("wavegan", (16_384, 1), channels=64) == {
        "generator": generator,
        "discriminator": discriminator,
    }
    assert generator == 19_065_345


def test_wavegan_takes_any_length_and_both_channels():
    for shape in ((64, 1), (1_000, 2), (8_192, 1), (22_050, 1)):
        model = ganzoo.get("wavegan", image_shape=shape, channels=1, seed=0)
        assert model.generate(2, seed=0).shape == (2, *shape)
