// The page of a model that takes images.

class Through {
  constructor(facts, network) {
    Object.assign(this, { facts, network });
    this.show = newest((way, given) => this.shown(way, given));
  }

  /** What the model makes of images, uint8 `(n, height, width, channels)`, as `{data, dims}`. */
  translate(images, way = 0) {
    const { file } = this.facts.functions[way];
    return this.network.run(file, { images: { type: "uint8", ...images } });
  }

  build() {
    this.way = 0;
    const [height, width] = this.facts.shape;
    shape(height, width);
    this.buildWays();
    $("file").onchange = ({ target }) => target.files[0] && this.take(target.files[0]);
    $("keep").onclick = () => save($("made").querySelector("canvas"), `${this.facts.title}-${this.name}`);
    addEventListener("dragover", (event) => event.preventDefault());
    addEventListener("drop", (event) => {
      event.preventDefault();
      if (event.dataTransfer.files[0]) this.take(event.dataTransfer.files[0]);
    });
    addEventListener("paste", (event) => {
      if (event.clipboardData.files[0]) this.take(event.clipboardData.files[0]);
    });
    this.examples = this.facts.examples.map((address, i) => {
      const button = document.createElement("button");
      const image = Object.assign(new Image(), { src: address, alt: `example ${i + 1}` });
      button.append(image);
      button.onclick = () => this.take(image, `example-${i + 1}`);
      $("examples").append(button);
      return image;
    });
  }

  buildWays() {
    const [from, to] = this.facts.data.length === 2 ? this.facts.data : ["first", "second"];
    const names = { translate: `${from} → ${to}`, translate_back: `${to} → ${from}` };
    const buttons = this.facts.functions.map(({ name }, i) => {
      const button = document.createElement("button");
      button.role = "tab";
      button.textContent = names[name] ?? name;
      button.way = i;
      $("ways").append(button);
      return button;
    });
    $("ways").hidden = buttons.length < 2;
    tabs(buttons, ({ way }) => {
      this.way = way;
      if (this.given) this.show(way, this.given);
    })(buttons[0]);
  }

  /** Take a file, or an image of the page. */
  async take(source, name = "result") {
    $("trouble").hidden = true;
    try {
      const image = source instanceof Image ? source : await opened(source);
      this.name = name;
      this.given = received(image, this.facts.shape);
      this.examples.forEach((other) => other.parentNode.toggleAttribute("aria-current", other === source));
      this.show(this.way, this.given);
    } catch (error) {
      report(error);
    }
  }

  async shown(way, given) {
    paint($("given").querySelector("canvas"), given);
    document.body.classList.add("working");
    try {
      const made = await this.translate(given, way);
      const canvas = $("made").querySelector("canvas");
      paint(canvas, made);
      $("made").querySelector("span").textContent = `made, ${canvas.width}×${canvas.height} pixels`;
    } finally {
      document.body.classList.remove("working");
    }
  }

  async begin() {
    const [first] = this.examples;
    if (!first) return;
    await first.decode();
    await this.take(first, "example-1");
  }
}
