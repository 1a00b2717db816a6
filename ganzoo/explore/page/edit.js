// Edit: the current image, and sliders named by images of what they change.

import { ask, busy, download, latest } from "./ask.js";
import { button, make, sample, select } from "./dom.js";
import { begin, choose, described, fresh, moved, on, random, state, step } from "./state.js";
import { add, isShown } from "./tabs.js";

const KNOWN = "known";
const picture = sample("", "", { class: "sample large" });
const player = make("audio", { controls: true, hidden: true, "aria-label": "The sound" });
const told = make("p", { class: "told" });
const tools = make("div", { class: "tools" });
const known = make("div", { class: "strips" });
const head = make("div", { class: "ways" });
const directions = make("div", { class: "strips" });
let method = null;
let first = 0;

/** Show a point at once, on the way to the one that a slider will rest at. */
const preview = latest(async (point) => {
  const found = await ask("image", { model: state.model, point });
  if (found) picture.src = found.image;
  player.hidden = !found?.sound;
  if (found?.sound) player.src = found.sound;
  picture.alt = described(point);
});

/** Sliders and their strips, for the point as it is now. */
const refill = latest(async () => {
  const { model, point } = state;
  const meant = await ask("strips", { model, point, method: KNOWN });
  if (!meant || model !== state.model) return;
  show(meant.strips, KNOWN, known);
  if (!directions.children.length) {
    directions.append(make("p", { class: "hint busy" }, "Looking for directions…"));
  }
  const asked = { method, first };
  const found = await busy(head, ask("strips", { model, point, ...asked }));
  if (!found || model !== state.model) return;
  show(found.strips, asked.method, directions);
  page(found.count);
});

/** Put strips in place of those that were there. */
function show(strips, of, place) {
  const made = strips.map((strip, i) => {
    const old = place.children[i];
    const same = old?.dataset.slider === `${of} ${strip.number}`;
    // A slider that someone holds stays, or the hand would lose it.
    if (same && old.contains(document.activeElement)) {
      old.querySelectorAll("img").forEach((image, at) => (image.src = strip.images[at]));
      return old;
    }
    const row = strip.choice ? choice(strip, of) : slider(strip, of);
    row.dataset.slider = `${of} ${strip.number}`;
    return row;
  });
  // Not `replaceChildren`, which would take the focus from what stays.
  made.forEach((row, i) => {
    if (!place.children[i]) place.append(row);
    else if (place.children[i] !== row) place.children[i].replaceWith(row);
  });
  while (place.children.length > made.length) place.lastChild.remove();
}

function images(strip, act) {
  return strip.images.map((src, i) => {
    const words = strip.choice ? strip.words[i].replace(/^\d+: /, "") : null;
    const alt = `${strip.name} at ${strip.choice ? strip.words[i] : strip.stops[i].toFixed(1)}`;
    return make(
      "button",
      {
        type: "button",
        title: alt,
        tabindex: strip.choice ? 0 : -1,
        onclick: () => act(strip.stops[i]),
      },
      sample(src, alt),
      words ? make("small", {}, words) : null,
    );
  });
}

/** Images to choose from: classes, categories. */
function choice(strip, of) {
  const all = images(strip, (amount) => {
    const { point } = state;
    choose(
      strip.name === "class" ? { ...point, label: amount } : moved(point, of, strip.number, amount),
    );
  });
  all.forEach((one, i) => one.setAttribute("aria-pressed", strip.stops[i] === strip.at));
  return make(
    "div",
    { class: "strip choice", role: "group", "aria-label": strip.name },
    make("span", { class: "name" }, strip.name),
    ...all,
  );
}

/** A slider below images of what it does. */
function slider(strip, of) {
  const [low, high] = [strip.stops[0], strip.stops.at(-1)];
  const input = make("input", {
    type: "range",
    min: low,
    max: high,
    step: (high - low) / 160,
    "aria-label": strip.name,
  });
  input.value = strip.at;
  const target = () => moved(state.point, of, strip.number, Number(input.value));
  input.addEventListener("input", () => preview(target()));
  input.addEventListener("change", () => choose(target(), strip.name));
  input.addEventListener("dblclick", () => set(0));
  const set = (amount) => {
    input.value = amount;
    choose(target());
  };
  const name = of === KNOWN ? make("span", { class: "name" }, strip.name) : null;
  const row = make(
    "div",
    { class: "strip", title: strip.name },
    ...[name].filter(Boolean),
    make("div", { class: "images" }, ...images(strip, set)),
    input,
  );
  row.style.setProperty("--count", strip.stops.length);
  return row;
}

/** Which directions are shown: the method, and where in its list. */
function page(count) {
  const { methods, sliders } = state.facts;
  const turn = (to) => () => {
    first = to;
    refill();
  };
  const last = Math.min(first + sliders, count);
  const options = methods.map((name) => [name, name.includes(" ") ? name : `${name} directions`]);
  const choose = select(
    options,
    method,
    (name) => {
      method = name;
      first = 0;
      refill();
    },
    { "aria-label": "What the sliders move" },
  );
  head.replaceChildren(
    choose,
    make("span", { class: "range" }, `${first + 1}–${last} of ${count}`),
    button("previous", "Stronger", turn(first - sliders), {
      disabled: first === 0,
      class: "bare",
      "aria-label": "Stronger directions",
    }),
    button("next", "Weaker", turn(first + sliders), {
      disabled: last >= count,
      class: "bare",
      "aria-label": "Weaker directions",
    }),
  );
}

/** Undo and the other buttons, as far as they apply now. */
function toolbar() {
  const { past, future, point, model, origin } = state;
  tools.replaceChildren(
    button("undo", "Undo", () => step("past", "future"), {
      disabled: !past.length,
      title: "Ctrl+Z",
    }),
    button("redo", "Redo", () => step("future", "past"), {
      disabled: !future.length,
      title: "Ctrl+Y",
    }),
    button("reset", "Reset", () => choose(origin), { disabled: point === origin }),
    button("dice", "Another", () => begin(fresh(random(), point.label)), {}),
    button("save", "Save", () => download("bundle", { model, point }, "picture.zip"), {
      id: "save",
      title: "The image, its exact latents, and the Python code that makes it again",
    }),
  );
}

function render() {
  toolbar();
  told.textContent = described(state.point).replace("Sample of ", "");
  preview(state.point);
  return refill();
}

function keys(event) {
  const typing = event.target.matches("input[type=text], select");
  if (!isShown("edit") || !(event.ctrlKey || event.metaKey) || typing) return;
  const key = event.key.toLowerCase();
  if (key === "z" && !event.shiftKey) step("past", "future");
  else if (key === "y" || key === "z") step("future", "past");
  else return;
  event.preventDefault();
}

export function start() {
  document.addEventListener("keydown", keys);
  on("model", () => {
    [method, first] = [state.facts.methods[0], 0];
    for (const place of [known, head, directions]) place.replaceChildren();
    picture.removeAttribute("src");
    player.removeAttribute("src");
    player.hidden = true;
  });
  add({
    id: "edit",
    words: "Edit",
    needs: "generate",
    watches: ["model", "point"],
    show: render,
    build: (panel) =>
      panel.append(
        make(
          "div",
          { class: "stage" },
          picture,
          player,
          told,
          tools,
          make(
            "p",
            { class: "hint" },
            "Each strip shows what its slider does. Click one of its images to go there.",
          ),
        ),
        make("div", { class: "sliders" }, known, head, directions),
      ),
  });
}
