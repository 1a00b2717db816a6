// Arithmetic: the mean of some images minus the mean of others plus the mean of a third group.

import { ask, busy, latest } from "./ask.js";
import { button, make, sample } from "./dom.js";
import { begin, described, firstClass, fresh, on, random, state } from "./state.js";
import { add, go } from "./tabs.js";

const SIGNS = ["", "−", "+"];
const NAMES = ["Mean of", "minus the mean of", "plus the mean of"];
const sum = make("div", { class: "sum" });
let groups = null;

/** The seeds in a text; null, and a message in the field, if there are others than numbers. */
function seeds(input) {
  const parts = input.value.split(/[\s,]+/).filter(Boolean);
  const good = parts.length && parts.every((part) => /^\d{1,15}$/.test(part));
  input.setCustomValidity(good ? "" : "Whole numbers, such as 1, 2, 3");
  input.reportValidity();
  return good ? parts.map(Number) : null;
}

function group(i, found) {
  const set = (numbers) => {
    if (!numbers) return;
    groups = groups.with(i, numbers);
    refill();
  };
  const input = make("input", {
    type: "text",
    value: groups[i].join(", "),
    inputmode: "numeric",
    "aria-label": `Seeds: ${NAMES[i]}`,
  });
  input.addEventListener("change", () => set(seeds(input)));
  const members = found.members[i].map(({ point, image }) => sample(image, described(point)));
  return make(
    "figure",
    { class: "term" },
    make("figcaption", {}, NAMES[i]),
    sample(found.results[i].image, `${NAMES[i]} these images`, { class: "sample mean" }),
    make("div", { class: "members" }, ...members),
    make(
      "div",
      { class: "seeds" },
      input,
      button("dice", "Other images", () => set(Array.from({ length: 3 }, random)), {
        class: "bare",
        "aria-label": `Other images: ${NAMES[i]}`,
      }),
    ),
  );
}

const refill = latest(async () => {
  const { model } = state;
  const base = fresh(0, state.label ?? firstClass());
  const found = await busy(sum, ask("arithmetic", { model, base, groups }));
  if (!found || model !== state.model) return;
  groups = found.groups;
  const parts = SIGNS.flatMap((sign, i) => [
    sign ? make("span", { class: "sign", "aria-hidden": "true" }, sign) : null,
    group(i, found),
  ]);
  const { point, image } = found.results[3];
  const result = make(
    "figure",
    { class: "term result" },
    make("figcaption", {}, "The result"),
    sample(image, "The first mean minus the second plus the third", { class: "sample mean" }),
    button(
      "edit",
      "Edit it",
      () => {
        begin(point);
        go("edit");
      },
      { class: "main" },
    ),
  );
  sum.replaceChildren(
    ...parts.filter(Boolean),
    make("span", { class: "sign", "aria-hidden": "true" }, "="),
    result,
  );
});

export function start() {
  on("model", () => {
    groups = null;
    sum.replaceChildren();
  });
  add({
    id: "arithmetic",
    words: "Arithmetic",
    needs: "generate",
    watches: ["model"],
    show: refill,
    lead:
      "What the first group has and the second lacks is given to the third. Groups are seeds of " +
      "the wall; the ones to begin with differ in what varies most between this model's images.",
    build: (panel) => panel.append(sum),
  });
}
