"""Runs the experiments of `docs/how-gans-work.md`: its images, and the numbers of its tables.

    python benchmarks/tools/lessons.py
    python benchmarks/tools/lessons.py collapse critics

Numbers go to `benchmarks/results/lessons.csv`, one in each row; images to `docs/images/lessons`.
"""

import argparse
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))  # `measure` and others

import keras
import measure
import numpy as np
from keras import layers
from keras import ops
from matplotlib.figure import Figure
from scipy import optimize

import ganzoo
from ganzoo import backend
from ganzoo import datasets
from ganzoo import losses
from ganzoo import penalties
from ganzoo.families.gan import GAN
from ganzoo.models.wgan import Clip
from ganzoo.models.wgan_gp import WGANGP
from ganzoo.networks import mlp

FOLDER = pathlib.Path(__file__).parents[2] / "docs" / "images" / "lessons"
LOGS = ("minimax", "non_saturating")
"""The generator's two losses in Goodfellow et al. 2014."""


class Small(GAN):
    """A game with a linear generator, which makes Gaussians, and a discriminator with two hidden
    layers."""

    modalities = (ganzoo.modalities.Points(),)

    def build_generator(self):
        latents = keras.Input((self.latent_dim,), name="latents")
        points = layers.Dense(self.image_shape[0], name="images")(latents)
        return keras.Model(latents, points, name="generator")

    def build_discriminator(self):
        points = keras.Input(self.image_shape, name="images")
        x = layers.Dense(64, activation="tanh")(4.0 * points)
        x = layers.Dense(64, activation="tanh")(x)
        return keras.Model(points, layers.Dense(1, name="logits")(x), name="discriminator")


class Critic(Small):
    """A small game with the critic of the zoo's models of points, whose units are unbounded."""

    def build_discriminator(self):
        return mlp.point_discriminator(self.image_shape, 64)


class Clipped(Critic):
    """A small game whose critic's weights are clipped after each move."""

    limit = 0.01

    def build_discriminator(self):
        critic = super().build_discriminator()
        for variable in critic.trainable_variables:
            variable.constraint = Clip(self.limit)
        return critic


class LooselyClipped(Clipped):
    limit = 0.1


class Penalised(Critic):
    """A small game whose critic has a penalty for slopes other than 1."""

    penalty_weight = 10.0
    discriminator_terms = WGANGP.discriminator_terms


def small(mean, deviation, kind=Small, dimensions=1, **arguments):
    """A small game whose generator starts at N(mean, deviation²)."""
    model = kind(latent_dim=dimensions, image_shape=(dimensions,), **arguments)
    start = deviation * np.eye(dimensions, dtype="float32")
    model.generator.set_weights([start, np.full(dimensions, mean, "float32")])
    return model


def at_rest(model, rate=1e-3, **adam):
    """Compile a model so that only the discriminator learns."""
    discriminator = keras.optimizers.Adam(rate, **adam)
    model.compile({"discriminator": discriminator, "generator": keras.optimizers.SGD(0.0)})
    return model


def gaussian(mean, deviation, count=10_000):
    """Examples of N(mean, deviation²), clipped to [-1, 1]."""
    numbers = np.random.default_rng(0).normal(mean, deviation, (count, 1))
    return numbers.clip(-1, 1).astype("float32")


def normal(x, mean, deviation):
    """The density of N(mean, deviation²)."""
    scale = abs(deviation) * np.sqrt(2 * np.pi)
    return np.exp(-0.5 * ((x - mean) / deviation) ** 2) / scale


def logits_of(model, x):
    """The discriminator's logits."""
    return ops.convert_to_numpy(model.discriminator(np.asarray(x, "float32")))[:, 0]


def sigmoid(x):
    return 1 / (1 + np.exp(-np.asarray(x, "float64")))


def train(model, data, looks, steps, look, callbacks=()):
    """Train `looks` times for `steps` steps, and call `look(step, logs)` after each."""
    after = lambda epoch, logs: look(int(model.step), logs)
    watch = keras.callbacks.LambdaCallback(on_epoch_end=after)
    more = {"batch_size": 256} if isinstance(data, np.ndarray) else {}
    more["callbacks"] = [watch, *callbacks]
    model.fit(data, epochs=looks, steps_per_epoch=steps, verbose=0, **more)


def train_to(model, data, step):
    """Train up to a step."""
    more = step - int(model.step)
    if more:
        model.fit(data, batch_size=256, steps_per_epoch=more, verbose=0)


def slopes(objective, logits):
    """The slope of the generator's loss by the logit of each fake, if it were the only one."""
    logits = ops.convert_to_tensor(np.asarray(logits, "float32")[:, None])
    _, gradients = losses.get(objective).slopes(logits, logits)
    return len(logits) * abs(ops.convert_to_numpy(gradients))[:, 0]


def reaching(objective, model, fakes):
    """The mean size of the gradient that reaches a fake."""
    loss = lambda x: losses.get(objective).generator(model.discriminator(x))
    gradients = backend.input_gradient(loss, ops.convert_to_tensor(fakes))
    return len(fakes) * abs(ops.convert_to_numpy(gradients)).mean()


class Notes(list):
    """Rows of the table."""

    def add(self, variant, seed, step, **values):
        self += [
            {"variant": variant, "seed": seed, "step": step, "quantity": k, "value": float(v)}
            for k, v in values.items()
        ]

    def of(self, variant, quantity, seed=0):
        """`(steps, values)`."""
        wanted = (variant, quantity, seed)
        rows = [r for r in self if (r["variant"], r["quantity"], r["seed"]) == wanted]
        return [r["step"] for r in rows], [r["value"] for r in rows]


# The lessons: each returns its notes, and its images by name --------------------------------------


GAME = {"learning_rate": 1e-3, "discriminator_learning_rate": 4e-3}


def game(looks=20, steps=100, shown=(0, 300, 600, 2000)):
    """Both players in one dimension: the generator's Gaussian moves onto the data's."""
    mean, deviation = 0.4, 0.15
    model, notes, moments = small(-0.4, 0.15, **GAME, seed=0), Notes(), {}
    x = np.linspace(-1, 1, 400)

    def look(step, logs=None):
        (kernel, bias) = (float(w.ravel()[0]) for w in model.generator.get_weights())
        if step in shown:
            moments[step] = normal(x, bias, kernel), sigmoid(logits_of(model, x[:, None]))
        if logs:
            measured = {k: logs[k] for k in ("d_loss", "g_loss")}
            notes.add("measured", 0, step, mean=bias, deviation=abs(kernel), **measured)

    look(0)
    train(model, gaussian(mean, deviation), looks, steps, look)
    best = {"d_loss": np.log(4), "g_loss": np.log(2)}
    notes.add("in theory, at the end", "", "", mean=mean, deviation=deviation, **best)

    figure = Figure(figsize=(9, 5), layout="constrained")
    names = [f"step {step}" for step in moments]
    axes = figure.subplot_mosaic([names, ["losses"] * len(names)])
    for name, (density, judged) in zip(names, moments.values()):
        axes[name].plot(x, normal(x, mean, deviation), "k", label="data")
        axes[name].plot(x, density, "C2", label="generator")
        axes[name].plot(x, 3 * judged, "C0--", label="3 · D(x)")
        axes[name].set(title=name, xlabel="x", ylim=(0, 4.5))
    axes[names[0]].set_ylabel("density")
    axes[names[0]].legend(fontsize="small", loc="upper right")
    for loss, color in (("d_loss", "C0"), ("g_loss", "C2")):
        axes["losses"].plot(*notes.of("measured", loss), color, label=loss, marker=".")
        axes["losses"].axhline(best[loss], color=color, linestyle=":")
    axes["losses"].set(xlabel="step", ylabel="loss (dotted: log 4, log 2)", ylim=(0, None))
    axes["losses"].legend(fontsize="small")
    return notes, {"game": figure}


def optimum(moments=(2, 10, 2000)):
    """A discriminator against a generator at rest: D becomes p / (p + q)."""
    model, notes, curves = at_rest(small(0.2, 0.2, seed=0)), Notes(), {}
    x = np.linspace(-1, 1, 401)
    p, q = normal(x, -0.2, 0.25), normal(x, 0.2, 0.2)
    best, middle = p / (p + q), abs(x) <= 0.6

    def loss(d):
        """−E log D(real) − E log(1 − D(fake)), an integral over x."""
        return float(np.sum(-p * np.log(d) - q * np.log(1 - d)) * (x[1] - x[0]))

    for step in moments:
        train_to(model, gaussian(-0.2, 0.25), step)
        curves[step] = sigmoid(logits_of(model, x[:, None]))
        error = abs(curves[step] - best)[middle].max()
        notes.add("learned", 0, step, d_loss=loss(curves[step]), error=error)
    notes.add("p / (p + q)", "", "", d_loss=loss(best), error=0.0)

    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    left.plot(x, p, "k", label="data, p")
    left.plot(x, q, "C2", label="generator, q")
    left.set(xlabel="x", ylabel="density")
    for (step, curve), style in zip(curves.items(), (":", "--", "-")):
        right.plot(x, curve, f"C0{style}", label=f"D after {step} steps")
    right.plot(x, best, "k", linewidth=1, label="p / (p + q)")
    right.set(xlabel="x", ylabel="D(x)")
    for axis in (left, right):
        axis.legend(fontsize="small")
    return notes, {"optimum": figure}


def saturation(lead=(0, 10, 20, 50, 100, 200, 400), looks=20, steps=100, rate=2e-3):
    """The gradient that reaches the generator as the discriminator improves, and its effect."""
    notes = Notes()
    real, start = gaussian(0.5, 0.1), (-0.5, 0.1)
    figure = Figure(figsize=(11, 3.4), layout="constrained")
    formula, measured, course = figure.subplots(1, 3)
    logits = np.linspace(-12, 4, 100)
    for objective in LOGS:
        formula.loglog(sigmoid(logits), slopes(objective, logits), label=objective)
    formula.set(xlabel="D(fake)", ylabel="slope of the generator's loss to the logit")

    model = at_rest(small(*start, seed=0))
    fakes = np.random.default_rng(1).normal(*start, (2000, 1)).astype("float32")
    for step in lead:
        train_to(model, real, step)
        reached = {objective: reaching(objective, model, fakes) for objective in LOGS}
        notes.add("alone", 0, step, judged=sigmoid(logits_of(model, fakes)).mean(), **reached)
    for objective in LOGS:
        measured.semilogy(*notes.of("alone", objective), marker=".", label=objective)
    measured.set(xlabel="steps of the discriminator alone", ylabel="gradient at a fake")

    for objective, color in zip(LOGS, ("C0", "C1")):
        for name, style in (("SGD", "-"), ("Adam", "--")):
            variant = f"{objective}, {name}"
            model = at_rest(small(*start, objective=objective, seed=0))
            train_to(model, real, max(lead))
            ours = keras.optimizers.get(name).from_config({"learning_rate": rate})
            adam = keras.optimizers.Adam(1e-3)
            model.compile({"discriminator": adam, "generator": ours})

            def look(step, logs, model=model, variant=variant):
                kernel, bias = (float(w.ravel()[0]) for w in model.generator.get_weights())
                notes.add(variant, 0, step - max(lead), mean=bias, deviation=abs(kernel))

            train(model, real, looks, steps, look)
            at, means = np.array(notes.of(variant, "mean"))
            course.plot([0, *at], [start[0], *means], color + style, label=variant)
    course.axhline(0.5, color="k", linestyle=":", linewidth=1)
    course.set(xlabel="steps of the game", ylabel="mean of the fakes (dotted: the data's)")
    course.set_ylim(-1.3, 0.8)
    for axis in (formula, measured, course):
        axis.legend(fontsize="small")
    course.legend(fontsize="small", loc="lower right")
    return notes, {"saturation": figure}


PLAIN = {"objective": "non_saturating"}
GAMES = {
    "the first GAN's loss": {**PLAIN, "gamma": 0.0},
    "with penalties": {**PLAIN, "gamma": 0.02},
    "pairs (relativistic)": {"gamma": 0.0},
    "pairs with penalties (R3GAN)": {"gamma": 0.02},
    "the first GAN's loss, 2 latents": {**PLAIN, "gamma": 0.0, "latent_dim": 2},
}
"""One pair of networks, five games."""
ADAM = {"learning_rate": 1e-3, "beta_1": 0.5, "beta_2": 0.999}


def collapse(looks=10, steps=400, seeds=(0, 1, 2), shown=1, units=128, n=2500):
    """The ring of eight Gaussians, without averaged generators, which would hide their hops."""
    notes, clouds = Notes(), {}
    wanted = {"metrics": ["modes"], "samples": n, "repeats": 1}
    evaluator = ganzoo.evaluation.Evaluator("ring", **wanted)
    for variant, arguments in GAMES.items():
        for seed in seeds:
            same = {**ADAM, "channels": (units,), "ema_decay": None, "seed": seed}
            model = ganzoo.get("r3gan", **same, **arguments)
            doctor = ganzoo.doctor.Doctor(say=lambda text: None)

            def look(step, logs, model=model, variant=variant, seed=seed):
                sheet = evaluator.judge(model)
                scores = {k: sheet[k].value for k in ("modes", "high_quality")}
                notes.add(variant, seed, step, **scores, d_loss=logs["d_loss"])
                if seed == shown:
                    clouds.setdefault(variant, {})[step] = model.generate(1000, seed=0)

            ring = datasets.load("ring", batch_size=256)
            train(model, ring, looks, steps, look, [doctor])
            for finding in doctor.findings:
                notes.add(variant, seed, finding.step, **{finding.name: finding.step})
    floor = evaluator.judge(model)
    floors = {k: floor[k].floor for k in ("modes", "high_quality")}
    notes.add("as many training points", "", "", **floors)

    chosen = [name for name in clouds if "first" in name or "R3GAN" in name]
    names = [name.replace(", ", ",\n").replace(" (", "\n(") for name in chosen]
    moments = [*clouds[chosen[0]]][1::2]
    figure = Figure(figsize=(2 * len(moments), 2 * len(chosen) + 0.4), layout="constrained")
    axes = figure.subplots(len(chosen), len(moments), squeeze=False)
    centres, _ = datasets.MIXTURES["ring"]
    for line, variant, name in zip(axes, chosen, names):
        for axis, step in zip(line, moments):
            axis.plot(*centres.T, "o", color="0.85", markersize=14, markeredgewidth=0)
            axis.plot(*clouds[variant][step].T, "C2.", markersize=2)
            axis.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), xticks=[], yticks=[], aspect="equal")
        line[0].set_ylabel(name, fontsize="small")
    for axis, step in zip(axes[0], moments):
        axis.set_title(f"step {step}", fontsize="medium")
    return notes, {"collapse": figure}


CRITICS = {
    "no constraint": Critic,
    "weights within ±0.01": Clipped,
    "weights within ±0.1": LooselyClipped,
    "gradient penalty": Penalised,
}


def critics(looks=10, steps=200, n=2000):
    """Wasserstein critics of the ring against a Gaussian at rest."""
    notes, surfaces = Notes(), {}
    real = np.asarray(next(iter(datasets.load("ring", batch_size=n))))
    rng = np.random.default_rng(0)
    fake = rng.normal(0, 0.3, (n, 2)).astype("float32")
    weight = rng.uniform(size=(n, 1)).astype("float32")
    between = fake + weight * (real - fake)
    side = np.linspace(-1.1, 1.1, 80)
    square = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    angle = np.arange(8) * np.pi / 4
    circle = lambda turn: 0.8 * np.stack([np.cos(angle + turn), np.sin(angle + turn)], axis=1)
    for name, kind in CRITICS.items():
        model = small(0.0, 0.3, kind, dimensions=2, objective="wasserstein", seed=0)
        at_rest(model, beta_1=0.0, beta_2=0.9)

        def look(step, logs, model=model, name=name):
            slopes = np.sqrt(
                ops.convert_to_numpy(penalties.squared_slopes(model.discriminator, between))
            )
            low, middle, high = np.quantile(slopes, (0.05, 0.5, 0.95))
            gap = logits_of(model, real).mean() - logits_of(model, fake).mean()
            dip = (logits_of(model, circle(0)) - logits_of(model, circle(np.pi / 8))).mean() / gap
            notes.add(name, 0, step, slope=middle, low=low, high=high, gap=gap, dip=dip)

        train(model, datasets.load("ring", batch_size=256), looks, steps, look)
        surfaces[name] = logits_of(model, square).reshape(len(side), -1)
    distances = np.linalg.norm(real[:, None] - fake[None], axis=2)
    moved = distances[optimize.linear_sum_assignment(distances)].mean()
    notes.add(f"earth mover's distance of {n:,} points", "", "", gap=moved)

    figure = Figure(figsize=(9.5, 4.8), layout="constrained")
    panels = [[*surfaces], ["slopes"] * len(surfaces)]
    axes = figure.subplot_mosaic(panels, height_ratios=(2, 1))
    for name, values in surfaces.items():
        axis = axes[name]
        contours = axis.contourf(side, side, values, levels=20, cmap="viridis")
        axis.plot(*real[:400].T, "k.", markersize=2)
        axis.plot(*fake[:400].T, ".", color="C1", markersize=1)
        axis.set(title=name, xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), xticks=[], yticks=[])
        axis.set_aspect("equal")
        figure.colorbar(
            contours, ax=axis, location="bottom", ticks=[values.min(), values.max()], format="%.2g"
        )
        axes["slopes"].semilogy(*notes.of(name, "slope"), marker=".", label=name)
    axes["slopes"].axhline(1, color="k", linestyle=":", linewidth=1)
    axes["slopes"].set(xlabel="step", ylabel="median slope")
    axes["slopes"].legend(fontsize="small", ncols=4, loc="lower center", bbox_to_anchor=(0.5, 1))
    return notes, {"critics": figure}


def judging(epochs=60, every=5, samples=1000, channels=32):
    """`dcgan` on digits: its losses, its scores, and its samples from the same latents."""
    notes, rows = Notes(), []
    wanted = {"metrics": ["frechet"], "samples": samples, "repeats": 1}
    evaluator = ganzoo.evaluation.Evaluator("digits", **wanted)
    model = ganzoo.get("dcgan", channels=channels, seed=0)
    epoch = iter(range(1, epochs + 1))

    def look(step, logs):
        now = next(epoch)
        values = {k: logs[k] for k in ("d_loss", "g_loss")}
        if now % every == 0:
            score = evaluator.judge(model)["frechet"]
            values |= {"frechet": score.value, "floor": score.floor}
            if now % (2 * every) == 0 or now == every:
                rows.append(model.generate(16, seed=0))
        notes.add("dcgan", 0, now, **values)

    train(model, datasets.load("digits"), epochs, None, look)
    figure = Figure(figsize=(8, 3.2), layout="constrained")
    left, right = figure.subplots(1, 2)
    for loss in ("d_loss", "g_loss"):
        left.plot(*notes.of("dcgan", loss), label=loss)
    left.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
    right.plot(*notes.of("dcgan", "frechet"), marker=".", label="Fréchet distance")
    right.plot(*notes.of("dcgan", "floor"), "k:", label="floor")
    right.set(xlabel="epoch", ylim=(0, None))
    for axis in (left, right):
        axis.legend(fontsize="small")
    strip = ganzoo.images.grid(np.concatenate(rows), columns=16, least_side=640)
    return notes, {"judging": figure, "latents": strip}


LESSONS = {f.__name__: f for f in (game, optimum, saturation, collapse, critics, judging)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("lessons", nargs="*", default=[*LESSONS], help=f"of {[*LESSONS]}")
    args = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name in args.lessons:
        notes, images = LESSONS[name]()
        rows = [{"experiment": name, **row, **measure.machine()} for row in notes]
        measure.save("lessons", rows, replace=("experiment",))
        for title, image in images.items():
            path = FOLDER / f"{title}.png"
            if isinstance(image, Figure):
                image.savefig(path, dpi=100, metadata={"Software": None})
            else:
                image.save(path, optimize=True)


if __name__ == "__main__":
    main()
