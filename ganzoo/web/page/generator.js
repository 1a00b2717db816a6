// The page of a model that generates.

const TILES = 30;
const BATCH = 6; // images at once: the wall fills while it is made, and a slider need not wait long

class Generator {
  constructor(facts, network) {
    Object.assign(this, { facts, network });
    this.samples = [];
    this.amounts = facts.directions.vectors.map(() => 0);
    this.showEdited = newest(() => this.shown(this.edited));
    this.walk = new Walk({
      draw: (seeds) => this.latents(seeds),
      show: (latents) => this.shown(latents),
      thumb: (canvas, latents) => this.thumb(canvas, latents),
    });
  }

  // What the model computes -----------------------------------------------------------------------

  /** The latents of seeds, an array of vectors. */
  async latents(seeds) {
    const data = BigInt64Array.from(seeds, BigInt);
    const drawn = await this.network.run("latents.onnx", {
      seeds: { type: "int64", data, dims: [seeds.length] },
    });
    const width = drawn.dims[1];
    return seeds.map((_, i) => drawn.data.slice(i * width, (i + 1) * width));
  }

  /** The images of latents, `{data, dims}`, uint8 `(n, height, width, channels)`. */
  generate(vectors, labels) {
    const width = this.facts.latent_width;
    const data = new Float32Array(vectors.length * width);
    vectors.forEach((vector, i) => data.set(vector, i * width));
    const feeds = { latents: { type: "float32", data, dims: [vectors.length, width] } };
    if (this.facts.classes.length) {
      feeds.labels = { type: "int32", data: Int32Array.from(labels), dims: [vectors.length] };
    }
    return this.network.run("model.onnx", feeds);
  }

  // The controls ----------------------------------------------------------------------------------

  build() {
    const names = this.facts.classes.map((name, i) => [i, name]);
    this.wallClass = new Chips($("classes"), names.length ? [["all", "all"], ...names] : [], () => this.fill());
    this.wallClass.value = "all";
    this.ownClass = new Chips($("class"), names, (label) => this.relabel(label));
    const wall = $("wall");
    const [height, width] = this.facts.shape;
    shape(height, width);
    this.tiles = Array.from({ length: TILES }, () => {
      const button = document.createElement("button");
      button.append(document.createElement("canvas"));
      button.disabled = true;
      wall.append(button);
      return button;
    });
    this.buildSliders();
    $("roll").onclick = () => this.fill(anySeed());
    $("seed").onchange = ({ target }) => this.fill(Math.floor(Math.abs(Number(target.value))) || 0);
    $("keep").onclick = () => save($("image"), `${this.facts.title}-${this.caption.replace(/\W+/g, "-")}`);
    $("reset").onclick = () => this.slide(() => 0);
    $("shuffle").onclick = () => this.slide(() => Math.round((Math.random() * 2 - 1) * 50) / 20);
    tabs([$("edit-tab"), $("walk-tab")], (tab) => this.changeMode(tab === $("walk-tab")));
  }

  buildSliders() {
    const { shares } = this.facts.directions;
    this.sliders = shares.map((share, i) => {
      const label = document.createElement("label");
      label.className = "slider";
      const name = document.createElement("span");
      name.textContent = `${i + 1}`;
      const input = Object.assign(document.createElement("input"), {
        type: "range", min: -4, max: 4, step: 0.05, value: 0, ariaLabel: `direction ${i + 1}`,
      });
      const number = document.createElement("output");
      number.textContent = `${(100 * share).toFixed(share < 0.0995 ? 1 : 0)}%`;
      input.oninput = () => {
        this.amounts[i] = Number(input.value);
        this.paintSlider(input);
        this.showEdited();
      };
      input.ondblclick = () => this.slide((amount, k) => (k === i ? 0 : amount));
      label.append(name, input, number);
      $("sliders").append(label);
      this.paintSlider(input);
      return input;
    });
  }

  /** The bar from the middle to the thumb. */
  paintSlider(input) {
    const place = (Number(input.value) + 4) / 8;
    input.style.setProperty("--low", `${100 * Math.min(0.5, place)}%`);
    input.style.setProperty("--high", `${100 * Math.max(0.5, place)}%`);
  }

  slide(value) {
    this.amounts = this.amounts.map(value);
    this.sliders.forEach((input, i) => {
      input.value = this.amounts[i];
      this.paintSlider(input);
    });
    this.showEdited();
  }

  // The wall --------------------------------------------------------------------------------------

  /** Fill the wall with the images of as many seeds, from one on. */
  async fill(seed = this.seed) {
    this.seed = seed;
    $("seed").value = seed;
    history.replaceState(null, "", `#${seed}`);
    const filling = (this.filling = Symbol());
    const count = this.facts.classes.length;
    const one = this.wallClass.value;
    const parts = this.tiles.map((_, i) => ({ seed: seed + i, label: one === "all" ? (count ? i % count : 0) : one }));
    const vectors = await this.latents(parts.map((part) => part.seed));
    for (let start = 0; start < TILES; start += BATCH) {
      const labels = parts.slice(start, start + BATCH).map((part) => part.label);
      const made = await this.generate(vectors.slice(start, start + BATCH), labels);
      if (this.filling !== filling) return; // another wall has been asked for
      labels.forEach((_, i) => this.fillTile(start + i, parts[start + i], vectors[start + i], made, i));
      if (!start) this.choose(0, false);
    }
  }

  fillTile(k, part, latents, made, i) {
    const tile = this.tiles[k];
    paint(tile.firstChild, made, i);
    tile.disabled = false;
    tile.ariaLabel = this.nameOf(part);
    tile.title = tile.ariaLabel;
    tile.onclick = () => this.choose(k, true);
    this.samples[k] = { ...part, latents };
    tile.removeAttribute("aria-current");
  }

  nameOf({ seed, label }) {
    return this.facts.classes.length ? `${this.facts.classes[label]}, seed ${seed}` : `seed ${seed}`;
  }

  // The image -------------------------------------------------------------------------------------

  /** Take an image of the wall to edit it, or to walk from it. */
  choose(k, clicked) {
    for (const tile of this.tiles) tile.removeAttribute("aria-current");
    this.tiles[k].setAttribute("aria-current", "true");
    this.chosen = { ...this.samples[k] };
    this.ownClass.value = this.chosen.label;
    if (this.walking) {
      this.walk.begin(this.chosen.latents, this.chosen.seed).catch(report);
    } else {
      this.slide(() => 0);
    }
    const stage = document.querySelector("aside");
    if (clicked && stage.getBoundingClientRect().top > innerHeight * 0.6) {
      stage.scrollIntoView({ behavior: "smooth", block: "start" });
    }
  }

  relabel(label) {
    this.chosen.label = label;
    if (!this.walking) return this.showEdited();
    this.walk.seek(this.walk.share);
    this.walk.thumbs();
  }

  changeMode(walking) {
    this.walking = walking;
    if (!this.chosen) return;
    this.walk.play(false);
    if (walking) {
      this.walk.begin(this.edited, this.chosen.seed).catch(report);
    } else {
      this.showEdited();
    }
  }

  get edited() {
    return moved(this.chosen.latents, this.facts.directions.vectors, this.amounts);
  }

  get caption() {
    const name = this.nameOf(this.chosen);
    if (this.walking && this.walk.share) {
      const [from, to] = this.walk.ends;
      return `${this.nameOf({ ...this.chosen, seed: from.name })} → ${to.name}`;
    }
    return !this.walking && this.amounts.some(Boolean) ? `${name}, edited` : name;
  }

  async shown(latents) {
    const made = await this.generate([latents], [this.chosen.label]);
    paint($("image"), made);
    $("caption").textContent = this.caption;
    $("image").ariaLabel = this.caption;
  }

  async thumb(canvas, latents) {
    paint(canvas, await this.generate([latents], [this.chosen.label]));
  }

  async begin() {
    const wanted = Number.parseInt(location.hash.slice(1), 10);
    await this.fill(wanted >= 0 ? wanted : 1);
  }
}
