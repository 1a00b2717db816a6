// Starts the page.

import * as arithmetic from "./arithmetic.js";
import * as card from "./card.js";
import * as compare from "./compare.js";
import * as edit from "./edit.js";
import * as models from "./models.js";
import { line, on, open, state } from "./state.js";
import * as tabs from "./tabs.js";
import * as through from "./through.js";
import * as walk from "./walk.js";
import * as wall from "./wall.js";

const asked = new URLSearchParams(location.hash.slice(1));
const smooth = document.getElementById("smooth");

function zoom() {
  document.body.classList.toggle("smooth", smooth.checked);
}

/** Head and title tell the current model. */
function tell() {
  const { name, data, summary } = line(state.model);
  document.title = `${name} ${name === data ? "" : data} · ganzoo`.replace("  ", " ");
  document.getElementById("what").textContent = summary ? `${name}: ${summary}.` : name;
}

smooth.addEventListener("change", zoom);
zoom();
on("model", tell);
await models.start();
const titles = state.models.map((model) => model.title);
const first = titles.includes(asked.get("model")) ? asked.get("model") : titles[0];
for (const part of [wall, edit, walk, arithmetic, compare, through, card]) part.start();
if (first && (await open(first))) {
  await tabs.start(asked.get("tab") || "wall"); // before what would slow it down
  models.thumbnails();
}
