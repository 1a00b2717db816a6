// Side by side: two models with the same seeds.

import { ask, busy, latest } from "./ask.js";
import { arrows, field, make, sample, select } from "./dom.js";
import { begin, can, described, line, named, on, open, state } from "./state.js";
import { add, go } from "./tabs.js";
import { dice, variety } from "./wall.js";

const COUNT = 16;
const controls = make("div", { class: "controls row" });
const sides = make("div", { class: "sides" });
let other = null;

/** Models to compare with: those of the same data first, then of the same size of images. */
function others() {
  const { data, size, name } = line(state.model);
  const near = (model) =>
    4 * (model.data === data) + 2 * (String(model.size) === String(size)) + (model.name === name);
  const rest = state.models.filter((model) => model.title !== state.model && model.makes);
  return rest.sort((a, b) => near(b) - near(a));
}

const draw = latest(async () => {
  const { model, page, variety: spread } = state;
  const wanted = [model, other].filter(Boolean);
  const found = await busy(
    sides,
    Promise.all(
      wanted.map((title) => ask("wall", { model: title, page, variety: spread, count: COUNT })),
    ),
  );
  if (model !== state.model) return;
  sides.replaceChildren(...wanted.map((title, i) => side(title, found[i])));
});

function side(title, found) {
  const { year, kind } = line(title);
  const edit = async (point) => {
    if (title !== state.model && !(await open(title))) return;
    begin(point);
    go("edit");
  };
  const wall = make(
    "div",
    { class: "wall small", role: "group", "aria-label": named(title) },
    ...(found?.items ?? []).map(({ point, image }, i) =>
      make(
        "button",
        {
          type: "button",
          tabindex: i ? -1 : 0,
          title: described(point, title),
          onclick: () => edit(point),
        },
        sample(image, described(point, title)),
      ),
    ),
  );
  arrows(wall, Math.sqrt(COUNT));
  return make(
    "figure",
    {},
    make(
      "figcaption",
      {},
      make("strong", {}, named(title)),
      ` ${[year, kind].filter(Boolean).join(" · ")}`,
    ),
    wall,
  );
}

function show() {
  const choices = others();
  if (!choices.some((model) => model.title === other)) other = choices[0]?.title ?? null;
  const options = choices.map(({ title }) => [title, named(title)]);
  const choose = select(
    options,
    other,
    (title) => {
      other = title;
      draw();
    },
    { id: "other" },
  );
  controls.replaceChildren(
    ...[choices.length ? field("Compare with", choose) : null, dice(), variety()].filter(Boolean),
  );
  return draw();
}

export function start() {
  on("model", () => (can("generate") ? sides.replaceChildren() : null));
  on("wall", () => (other && !sides.closest("[hidden]") ? draw() : null));
  add({
    id: "compare",
    words: "Side by side",
    needs: "generate",
    watches: ["model"],
    show,
    lead: "Two models, the same seeds: the same random numbers, as far as both take as many.",
    build: (panel) => panel.append(controls, sides),
  });
}
