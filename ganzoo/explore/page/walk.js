// Walk: the way from one image to another, as a film and as a strip.

import { ask, busy, download, latest } from "./ask.js";
import { button, make, sample } from "./dom.js";
import { begin, described, fresh, on, random, state } from "./state.js";
import { add, go, isShown } from "./tabs.js";

const SHOWN = 8; // frames in the strip
const PACE = 80; // milliseconds for each frame
const ends = make("div", { class: "ends" });
const film = sample("", "", { class: "sample large" });
const place = make("input", { type: "range", min: 0, step: 1, "aria-label": "Place on the way" });
const tools = make("div", { class: "tools" });
const strip = make("div", { class: "frames" });
let start_ = null;
let end = null;
let frames = [];
let seen = null; // the current image, when the walk began with it
let direction = 1;
let playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;

function see(at) {
  if (!frames[at]) return;
  place.value = at;
  film.src = frames[at].image;
  strip
    .querySelectorAll("button")
    .forEach((b) => b.setAttribute("aria-pressed", Number(b.dataset.at) === at));
}

/** There and back, as long as the tab is seen. */
function tick() {
  if (playing && frames.length && isShown("walk") && !document.hidden) {
    const at = Number(place.value) + direction;
    if (!frames[at + direction]) direction = -direction;
    see(at);
  }
  setTimeout(tick, PACE);
}

function pause() {
  playing = false;
  toolbar();
}

function toolbar() {
  const frame = () => frames[Number(place.value)];
  tools.replaceChildren(
    button(
      playing ? "pause" : "play",
      playing ? "Pause" : "Play",
      () => {
        playing = !playing;
        toolbar();
      },
      { class: "main" },
    ),
    button("swap", "Swap", swap, { title: "Walk the other way" }),
    button("edit", "Edit this one", () => {
      begin(frame().point);
      go("edit");
    }),
    button(
      "save",
      "Save as GIF",
      () => download("film", { model: state.model, start: start_, end }, "walk.gif"),
      { id: "save-film" },
    ),
  );
}

/** One end: its image, and how to take another. */
function one(words, item, set) {
  const draw = () => {
    set(fresh(random(), item.point.label));
    refill();
  };
  return make(
    "figure",
    {},
    sample(item.image, described(item.point)),
    make(
      "figcaption",
      {},
      words,
      button("dice", "Another", draw, {
        "aria-label": `Walk ${words.toLowerCase()} another image`,
      }),
    ),
  );
}

function swap() {
  [start_, end] = [end, start_];
  refill();
}

const refill = latest(async () => {
  const { model } = state;
  const found = await busy(film, ask("walk", { model, start: start_, end }));
  if (!found || model !== state.model) return;
  frames = found.items;
  place.max = frames.length - 1;
  const chosen = Array.from({ length: SHOWN }, (_, i) =>
    Math.round((i * (frames.length - 1)) / (SHOWN - 1)),
  );
  strip.replaceChildren(
    ...chosen.map((at) =>
      make(
        "button",
        {
          type: "button",
          "data-at": at,
          title: `${at + 1} of ${frames.length}`,
          onclick: () => {
            pause();
            see(at);
          },
        },
        sample(frames[at].image, `Image ${at + 1} of ${frames.length} on the way`),
      ),
    ),
  );
  const [a, b] = [
    { ...frames[0], point: start_ },
    { ...frames.at(-1), point: end },
  ];
  ends.replaceChildren(
    one("From", a, (point) => (start_ = point)),
    one("To", b, (point) => (end = point)),
  );
  film.alt = `A walk from ${described(start_)} to ${described(end)}`;
  toolbar();
  see(playing ? 0 : Math.floor(frames.length / 2));
});

/** The walk begins with the current image. */
function show() {
  if (state.point !== seen) start_ = seen = state.point;
  end ??= fresh(start_.seed + 9, start_.label);
  return refill();
}

export function start() {
  on("model", () => {
    [seen, end, frames] = [null, null, []];
    film.removeAttribute("src");
  });
  place.addEventListener("input", () => {
    pause();
    see(Number(place.value));
  });
  add({
    id: "walk",
    words: "Walk",
    needs: "generate",
    watches: ["model", "point"],
    show,
    lead: "The way from one image to another, through the model's latents.",
    build: (panel) =>
      panel.append(ends, make("div", { class: "stage" }, film, place, tools), strip),
  });
  tick();
}
