// The switcher: all models, with thumbnails that are made one after the other.

import { ask } from "./ask.js";
import { make, sample } from "./dom.js";
import { changed, named, on, open, state } from "./state.js";

const nav = document.getElementById("models");

function item(model) {
  const about = [model.year, model.kind].filter(Boolean).join(" · ");
  const choose = make(
    "button",
    { type: "button", "data-title": model.title, onclick: () => open(model.title) },
    make("span", { class: "thumbnail busy" }),
    make(
      "span",
      { class: "words" },
      make("strong", {}, model.name),
      model.name === model.data ? null : make("span", {}, model.data),
      make("small", {}, about),
    ),
  );
  return make("li", {}, choose);
}

/** Mark the current model, and bring it into view. */
function mark() {
  for (const choose of nav.querySelectorAll("button")) {
    const current = choose.dataset.title === state.model;
    choose.setAttribute("aria-current", current ? "true" : "false");
    if (current) reveal(choose.getBoundingClientRect(), nav.getBoundingClientRect());
  }
}

/** Scroll the list to an item that is not in view; `scrollIntoView` would also scroll the page. */
function reveal(item, list) {
  const above = item.top < list.top || item.bottom > list.bottom;
  const beside = item.left < list.left || item.right > list.right;
  nav.scrollBy({
    top: above ? item.top - list.top - 60 : 0,
    left: beside ? item.left - list.left - 60 : 0,
  });
}

/** Fill the thumbnails, the current model's first. */
export async function thumbnails() {
  const titles = state.models.map((model) => model.title);
  titles.sort((a, b) => (b === state.model) - (a === state.model));
  for (const title of titles) {
    const place = [...nav.querySelectorAll("button")].find(
      (b) => b.dataset.title === title,
    ).firstChild;
    const found = await ask("thumbnail", { model: title });
    place.classList.remove("busy");
    if (!found) continue;
    const side = Math.sqrt(found.images.length);
    place.style.gridTemplateColumns = `repeat(${Math.ceil(side)}, 1fr)`;
    place.replaceChildren(...found.images.map((src) => sample(src, "")));
    place.setAttribute("role", "img");
    place.setAttribute("aria-label", `Samples of ${named(title)}`);
  }
}

/** Show the models. */
export async function start() {
  state.models = (await ask("models")) ?? [];
  const groups = [
    ["Comes with ganzoo", true],
    ["Yours", false],
  ];
  for (const [words, shipped] of groups) {
    const models = state.models.filter((model) => model.shipped === shipped);
    if (!models.length) continue;
    const both = models.length < state.models.length;
    nav.append(...(both ? [make("h2", {}, words)] : []), make("ul", {}, ...models.map(item)));
  }
  on("model", mark);
  changed("models");
}
