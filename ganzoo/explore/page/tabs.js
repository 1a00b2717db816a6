// The tabs: which there are for a model, and which is shown.

import { make } from "./dom.js";
import { can, on, state } from "./state.js";

const list = document.getElementById("tabs");
const panels = document.getElementById("panels");
const tabs = [];
let current = null;

/**
 * Add a tab.
 *
 * `lead` says what it is for; `build(panel)` fills it once. `show()` is called when it comes to the front, and when a choice of
 * `watches` changes while it is there; `needs` is what a model must be able to do.
 */
export function add({ id, words, needs, lead, build, show, watches = ["model"] }) {
  const head = make(
    "button",
    {
      type: "button",
      role: "tab",
      id: `tab-${id}`,
      "aria-controls": id,
      onclick: () => go(id),
    },
    words,
  );
  const panel = make("section", {
    role: "tabpanel",
    id,
    "aria-labelledby": `tab-${id}`,
    hidden: true,
  });
  list.append(head);
  panels.append(panel);
  if (lead) panel.append(make("p", { class: "lead" }, lead));
  build(panel);
  const tab = { id, head, panel, needs, show, stale: true };
  tabs.push(tab);
  for (const what of watches) {
    on(what, () => {
      tab.stale = true;
      if (current === tab) refresh();
    });
  }
}

async function refresh() {
  if (!current.stale) return;
  current.stale = false;
  await current.show();
}

const fits = (tab) => !tab.needs || can(tab.needs);

/** Bring a tab to the front; if the model lacks it, the first that it has. Resolves when filled. */
export function go(id, focus = false) {
  const wanted = tabs.find((tab) => tab.id === id && fits(tab)) || tabs.find(fits);
  for (const tab of tabs) {
    const chosen = tab === wanted;
    tab.head.hidden = !fits(tab);
    tab.head.setAttribute("aria-selected", chosen);
    tab.head.tabIndex = chosen ? 0 : -1;
    tab.panel.hidden = !chosen;
  }
  const same = current === wanted;
  current = wanted;
  if (focus) wanted.head.focus();
  if (!same) list.scrollTo({ left: wanted.head.offsetLeft - 40 });
  remember();
  return refresh();
}

/** Keep model and tab in the address, for reloading and for bookmarks. */
function remember() {
  const words = new URLSearchParams({ model: state.model, tab: current.id });
  history.replaceState(null, "", `#${words}`);
}

/** Begin with a tab. Resolves when it is filled. */
export function start(id) {
  list.addEventListener("keydown", (event) => {
    const shown = tabs.filter((tab) => !tab.head.hidden);
    const at = shown.indexOf(current);
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: shown.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(shown[(to + shown.length) % shown.length].id, true);
  });
  on("model", () => go(current.id));
  list.hidden = false;
  document.getElementById("loading").remove();
  return go(id);
}

export const isShown = (id) => current?.id === id;
