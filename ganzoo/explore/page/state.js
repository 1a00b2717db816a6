// What the visitor has chosen: the model, the wall, and the image to edit.

import { ask } from "./ask.js";

export const state = {
  models: [], // what the switcher shows
  model: null, // title of the current one
  facts: null, // what it can do
  page: 0, // number of the wall
  variety: 1,
  label: null, // class of the wall; null: all
  point: null, // the current image
  origin: null, // the same before it was edited
  past: [], // points to undo to
  future: [], // points to redo
};

const listeners = {};

/** Call a function when something changes: `"model"`, `"wall"` or `"point"`. */
export function on(what, run) {
  (listeners[what] ??= []).push(run);
}

export function changed(what) {
  for (const run of listeners[what] || []) run();
}

/** A random seed or wall, small enough to write down. */
export const random = () => Math.floor(Math.random() * 10_000);

const BREAK = 1500; // milliseconds after which a further move of one slider is another step
let last = { slider: null, at: 0 };

/**
 * The current image becomes another one, which can be undone.
 *
 * Moves of one `slider` in quick succession, as by arrow keys, are undone as one.
 */
export function choose(point, slider = null) {
  const same = slider !== null && slider === last.slider && Date.now() - last.at < BREAK;
  last = { slider, at: Date.now() };
  if (!same) state.past.push(state.point);
  state.future = [];
  state.point = point;
  changed("point");
}

/** Begin to edit an image. */
export function begin(point) {
  state.origin = point;
  choose(point);
}

/** Step back or forward in the history of images. */
export function step(from, to) {
  if (!state[from].length) return;
  state[to].push(state.point);
  state.point = state[from].pop();
  changed("point");
}

/** The current point with one slider elsewhere. */
export function moved(point, method, number, amount) {
  const others = point.moves.filter(([m, n]) => m !== method || n !== number);
  return { ...point, moves: [...others, [method, number, amount]] };
}

/** The point of a seed, as the wall draws it. */
export const fresh = (seed, label = state.label) => ({
  seed,
  latents: null,
  variety: state.variety,
  label,
  moves: [],
});

/** Make another model the current one. */
export async function open(title) {
  const facts = await ask("open", { model: title });
  if (!facts) return false;
  Object.assign(state, { model: title, facts, variety: facts.variety, label: null });
  const point = fresh(state.page * 64, firstClass());
  Object.assign(state, { point, origin: point, past: [], future: [] });
  changed("model");
  return true;
}

export const firstClass = () => (state.facts.classes.length ? 0 : null);

export const can = (what) => state.facts.can.includes(what);

export const line = (title) => state.models.find((model) => model.title === title);

/** A model's name as it stands in sentences. */
export const named = (title) => {
  const { name, data } = line(title);
  return name === data ? name : `${name} · ${data}`;
};

/** What an image shows, for those who do not see it. */
export function described(point, title = state.model) {
  const from = point.latents ? "edited latents" : `seed ${point.seed}`;
  const names = title === state.model ? state.facts.classes : [];
  const label = point.label === null || !names.length ? "" : `, class ${names[point.label]}`;
  const edited = point.moves.length ? ", edited" : "";
  return `Sample of ${named(title)}, ${from}${label}${edited}`;
}
