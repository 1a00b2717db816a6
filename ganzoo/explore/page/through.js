// Translate, reconstruct, upscale, project: what a model makes of an image.

import { ask, busy, latest, upload } from "./ask.js";
import { button, make, sample } from "./dom.js";
import { begin, can, on, state } from "./state.js";
import { add, go } from "./tabs.js";

const KINDS = {
  translate: ["Translate", "Its translation"],
  reconstruct: ["Reconstruct", "Made again from a few numbers"],
  upscale: ["Upscale", "Enlarged"],
  project: ["Project", "The nearest sample that was found"],
};
const LEAD = {
  translate: "",
  reconstruct: "The model encodes an image as a few numbers, and makes it again from them. ",
  upscale: "",
  project: "The search for the latents whose sample is most like an image takes some seconds. ",
};
const FIRST = 9; // the first example: of the emoji, a face

function tab(what) {
  const lead = make("p", { class: "lead" });
  const way = make("div", { class: "switches", role: "group", "aria-label": "Direction" });
  const taken = sample("", "The image that the model receives");
  const made = sample("", KINDS[what][1]);
  const source = make("figcaption", { class: "source" });
  const result = make("figcaption", {}, KINDS[what][1]);
  const input = make("input", {
    type: "file",
    accept: "image/*",
    class: "hidden",
    id: `${what}-file`,
    tabindex: -1,
    "aria-label": "An image of yours",
  });
  const drop = make("figure", { class: "drop" }, taken, source);
  const output = make("figure", {}, made, result);
  let seed = FIRST;
  let reverse = false;
  let file = null;

  const wait = () => {
    const begun = Date.now();
    const tell = () => {
      result.textContent = `Working… ${Math.round((Date.now() - begun) / 1000)} s`;
    };
    const timer = setInterval(tell, 1000);
    return () => clearInterval(timer);
  };

  const run = latest(async () => {
    const { model } = state;
    const given = file;
    const fields = { model, what, reverse };
    const done = wait();
    const found = await busy(output, given ? upload(given, fields) : example(fields)).finally(done);
    if (!found) result.textContent = KINDS[what][1];
    if (!found || model !== state.model || given !== file) return;
    taken.src = found.taken;
    made.src = found.made;
    if (given) source.textContent = given.name;
    const error =
      found.error === null ? "" : `, ${found.error.toFixed(1)} grey levels off (root mean square)`;
    result.replaceChildren(make("span", {}, KINDS[what][1] + error));
    if (found.point) {
      result.append(
        button("edit", "Edit it", () => {
          begin(found.point);
          go("edit");
        }),
      );
    }
  });

  /** The example first, then what becomes of it: that may take a while. */
  async function example(fields) {
    const first = await ask("example", { ...fields, seed, apply: false });
    if (!first || fields.model !== state.model) return null;
    taken.src = first.taken;
    source.textContent = `Example: a sample of ${first.maker}`;
    return ask("example", { ...fields, seed });
  }

  const take = (chosen) => {
    if (chosen) {
      file = chosen;
      run();
    }
  };
  input.addEventListener("change", () => {
    take(input.files[0]);
    input.value = "";
  });
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.classList.add("over");
  });
  drop.addEventListener("dragleave", () => drop.classList.remove("over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files[0]);
  });

  /** Which of two domains is turned into the other. */
  function ways() {
    const [a, b] = state.facts.domains;
    if (what !== "translate" || !can("reverse")) return way.replaceChildren();
    way.replaceChildren(
      ...[false, true].map((back) =>
        make(
          "button",
          {
            type: "button",
            "aria-pressed": back === reverse,
            onclick: () => {
              reverse = back;
              ways();
              run();
            },
          },
          b ? (back ? `${b} → ${a}` : `${a} → ${b}`) : back ? "Reverse" : "Forward",
        ),
      ),
    );
  }

  function show() {
    lead.textContent = LEAD[what] + state.facts.wants;
    ways();
    return run();
  }

  on("model", () => {
    [seed, reverse, file] = [FIRST, false, null];
    taken.removeAttribute("src");
    made.removeAttribute("src");
  });
  add({
    id: what,
    words: KINDS[what][0],
    needs: what,
    show,
    build: (panel) =>
      panel.append(
        lead,
        way,
        make(
          "div",
          { class: "tools" },
          button("upload", "Your image", () => input.click(), { class: "main" }),
          button("dice", "Another example", () => {
            file = null;
            seed += 1;
            run();
          }),
          input,
        ),
        make(
          "div",
          { class: "through" },
          drop,
          make("span", { class: "sign", "aria-hidden": "true" }, "→"),
          output,
        ),
      ),
  });
}

export function start() {
  Object.keys(KINDS).forEach(tab);
}
