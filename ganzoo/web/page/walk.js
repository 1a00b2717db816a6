// The walk from one image to another, and on to the next.

class Walk {
  /** `show(latents)` shows an image on the large canvas, `thumb(canvas, latents)` on a small one. */
  constructor({ draw, show, thumb }) {
    Object.assign(this, { draw, show, thumb });
    this.share = 0;
    this.playing = false;
    this.display = newest(show);
    $("go").onclick = () => this.play(!this.playing);
    $("turn").onclick = () => this.aim(anySeed());
    $("to").onclick = () => this.aim(anySeed());
    $("from").onclick = () => this.seek(0);
    $("way").oninput = ({ target }) => {
      this.play(false);
      this.seek(Number(target.value));
    };
  }

  /** Start at an image. */
  begin(latents, name) {
    return this.aim(anySeed(), { latents, name });
  }

  /** Choose where to go, from `start` or from where the walk is by then. */
  async aim(seed, start) {
    const [latents] = await this.draw([seed]);
    const here = this.share > 0 ? { latents: this.here, name: "here" } : this.ends?.[0];
    this.ends = [start ?? here, { latents, name: seed }];
    this.seek(0);
    this.thumbs();
  }

  thumbs() {
    this.ends.forEach(({ latents, name }, i) => {
      const button = $(["from", "to"][i]);
      button.querySelector("span").textContent = name;
      this.thumb(button.querySelector("canvas"), latents);
    });
  }

  get here() {
    const [from, to] = this.ends.map((end) => end.latents);
    const eased = this.share * this.share * (3 - 2 * this.share); // rests a little at each image
    return slerp(from, to, eased);
  }

  mark(share) {
    this.share = share;
    $("way").value = share;
    $("way").style.setProperty("--high", `${100 * share}%`);
  }

  seek(share) {
    this.mark(share);
    this.display(this.here);
  }

  play(on) {
    if (this.playing === on || !this.ends) return;
    this.playing = on;
    $("go").querySelector("use").setAttribute("href", on ? "#pause" : "#play");
    $("go").querySelector("span").textContent = on ? "Pause" : "Play";
    if (on) this.step().catch(report);
  }

  /** Frames as fast as the screen and the model allow. */
  async step() {
    const run = (this.run = Symbol());
    let before = performance.now();
    while (this.playing && this.run === run) {
      const now = await new Promise(requestAnimationFrame);
      const seconds = 3 * 2 ** -Number($("pace").value);
      this.mark(Math.min(1, this.share + Math.max(0, now - before) / 1000 / seconds));
      before = now;
      await this.show(this.here);
      if (this.share === 1) await this.goOn();
    }
  }

  async goOn() {
    const [, reached] = this.ends;
    await this.aim(reached.name + 1, reached);
  }
}
