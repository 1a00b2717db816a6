// The wall: many samples at once; a click edits one.

import { ask, busy, latest } from "./ask.js";
import { arrows, button, field, make, sample, select } from "./dom.js";
import { begin, changed, described, line, random, state } from "./state.js";
import { add, go } from "./tabs.js";

const COLUMNS = 8;
const grid = make("div", {
  class: "wall",
  role: "group",
  "aria-label": "Samples; arrow keys move",
});
const seeds = make("p", { class: "hint" });
const controls = make("div", { class: "controls" });

/** The slider of variety, for the tabs that draw samples. */
export function variety() {
  const shown = make("output", {});
  const input = make("input", { type: "range", min: 0.3, max: 1, step: 0.05 });
  const tell = () => (shown.textContent = Number(input.value).toFixed(2));
  input.value = state.variety;
  input.addEventListener("input", () => {
    state.variety = Number(input.value);
    tell();
    changed("wall");
  });
  tell();
  const words = make("span", {}, "Variety ", shown);
  return field(
    words,
    input,
    "1: all variety, as trained. Less: more typical samples (truncation).",
  );
}

/** The choice of a class, if the model has any. */
export function classes() {
  if (!state.facts.classes.length) return null;
  const options = [["", "all"], ...state.facts.classes.map((name, i) => [String(i), name])];
  const value = state.label === null ? "" : String(state.label);
  return field(
    "Class",
    select(options, value, (chosen) => {
      state.label = chosen === "" ? null : Number(chosen);
      changed("wall");
    }),
  );
}

export const dice = () =>
  button(
    "dice",
    "New wall",
    () => {
      state.page = random();
      changed("wall");
    },
    { class: "main" },
  );

const draw = latest(async () => {
  const { model, page, variety: spread, label } = state;
  seeds.textContent = `Seeds ${page * 64} to ${page * 64 + 63}. Click an image to edit it.`;
  const found = await busy(grid, ask("wall", { model, page, variety: spread, label }));
  if (!found || model !== state.model) return;
  grid.replaceChildren(
    ...found.items.map(({ point, image }, i) => {
      const words = described(point);
      return make(
        "button",
        {
          type: "button",
          title: words,
          tabindex: i ? -1 : 0,
          onclick: () => {
            begin(point);
            go("edit");
          },
        },
        sample(image, words),
      );
    }),
  );
});

let controlled = null;

function show() {
  if (controlled !== state.model) {
    controlled = state.model;
    const { name, data, year, kind } = line(state.model);
    controls.replaceChildren(
      make(
        "div",
        { class: "about" },
        make("h2", {}, name),
        make("p", {}, [name === data ? null : data, year, kind].filter(Boolean).join(" · ")),
      ),
      ...[dice(), variety(), classes(), seeds].filter(Boolean),
    );
    grid.replaceChildren(...Array.from({ length: 64 }, () => make("span", { class: "blank" })));
  }
  return draw();
}

export function start() {
  arrows(grid, COLUMNS);
  add({
    id: "wall",
    words: "Wall",
    needs: "generate",
    watches: ["model", "wall"],
    show,
    build: (panel) => panel.append(grid, controls),
  });
}
