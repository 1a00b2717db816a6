// The model card: what a model is, how good it is, and how to make and use it.

import { ask, busy, latest, say } from "./ask.js";
import { button, make } from "./dom.js";
import { named, state } from "./state.js";
import { add } from "./tabs.js";

const card = make("div", { class: "card" });

/** Code to copy. */
function code(words, text) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied.");
    } catch {
      say("The browser does not let this page copy: select the text instead.");
    }
  };
  return make(
    "div",
    { class: "code" },
    make("h3", {}, words),
    make("pre", { tabindex: 0 }, make("code", {}, text)),
    button("copy", "Copy", copy, { class: "bare", "aria-label": `Copy: ${words}` }),
  );
}

const column = (...parts) => make("div", { class: "column" }, ...parts);

function scores(found) {
  if (!found.scores.length) return null;
  const arrow = { higher: "↑", lower: "↓" };
  const cell = (text) => make("td", { class: "n" }, text || "–");
  const rows = found.scores.map(({ name, by, better, value, error, floor }) =>
    make(
      "tr",
      {},
      make(
        "th",
        { scope: "row" },
        name,
        arrow[better]
          ? make("span", { class: "better", title: `${better} is better` }, ` ${arrow[better]}`)
          : null,
        by ? make("small", {}, by) : null,
      ),
      cell(value),
      cell(error),
      cell(floor),
    ),
  );
  return make(
    "section",
    {},
    make("h3", {}, "Scores"),
    make(
      "div",
      { class: "scroll", tabindex: 0, role: "region", "aria-label": "Scores" },
      make(
        "table",
        {},
        make(
          "thead",
          {},
          make(
            "tr",
            {},
            make("td"),
            ...["score", "error", "floor"].map((x) => make("th", { scope: "col", class: "n" }, x)),
          ),
        ),
        make("tbody", {}, ...rows),
      ),
    ),
    make(
      "p",
      { class: "hint" },
      "↑ higher is better, ↓ lower is better. The floor is the same score of real images. ",
      found.measured ?? "",
    ),
    ...Object.entries(found.remarks ?? {}).map(([word, text]) =>
      make("p", { class: "remark" }, make("strong", {}, word), `: ${text}`),
    ),
  );
}

function facts(found) {
  const rows = Object.entries(found.facts ?? {}).filter(([, text]) => text);
  if (!rows.length) return null;
  return make(
    "section",
    {},
    make("h3", {}, "Data and training"),
    make("dl", {}, ...rows.flatMap(([name, text]) => [make("dt", {}, name), make("dd", {}, text)])),
  );
}

function about(found) {
  if (!found.docs) return null;
  const { page, address } = found.docs;
  const link = address
    ? make("a", { href: address, rel: "noreferrer" }, page)
    : make("code", {}, page);
  return make(
    "section",
    { class: "text" },
    make("h3", {}, `About ${found.name}`),
    ...found.description.map((text) => make("p", {}, text)),
    make("ul", { class: "references" }, ...found.references.map((text) => make("li", {}, text))),
    make("p", {}, "Arguments, departures from the paper and measurements: ", link),
  );
}

const show = latest(async () => {
  const { model } = state;
  const found = await busy(card, ask("card", { model }));
  if (!found || model !== state.model) return;
  const line = [found.year, found.kind].filter(Boolean).join(" · ");
  card.replaceChildren(
    ...[
      make("h2", {}, named(model), make("small", {}, ` ${line}`)),
      column(scores(found), about(found)),
      column(
        facts(found),
        make(
          "section",
          {},
          code("Load it in Python", `import ganzoo\n\nmodel = ${found.code}`),
          found.command ? code("Train it again", found.command) : null,
        ),
      ),
    ].filter(Boolean),
  );
});

export function start() {
  add({ id: "card", words: "Model card", show, build: (panel) => panel.append(card) });
}
