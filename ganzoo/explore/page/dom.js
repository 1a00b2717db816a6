// Elements of the page, made in one call each.

/** An element: `make("button", {class: "dice", onclick}, "New wall")`. */
export function make(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (typeof value === "boolean" && !key.startsWith("aria-"))
      element.toggleAttribute(key, value);
    else if (value !== null && value !== undefined) element.setAttribute(key, value);
  }
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

/** An image of a model's, which is enlarged smoothly or by pixels, as the visitor wishes. */
export const sample = (src, alt, attributes = {}) =>
  make("img", { ...(src ? { src } : {}), alt, class: "sample", draggable: "false", ...attributes });

const PATHS = {
  dice: "M5 3h14a2 2 0 0 1 2 2v14a2 2 0 0 1-2 2H5a2 2 0 0 1-2-2V5a2 2 0 0 1 2-2ZM8 8h.01M16 8h.01M12 12h.01M8 16h.01M16 16h.01",
  undo: "M9 7 4 12l5 5M4 12h10a6 6 0 0 1 6 6v1",
  redo: "m15 7 5 5-5 5M20 12H10a6 6 0 0 0-6 6v1",
  reset: "M4 12a8 8 0 1 0 2.6-5.9M4 4v5h5",
  swap: "M4 8h15m-4-4 4 4-4 4M20 16H5m4 4-4-4 4-4",
  save: "M12 4v11m-5-5 5 5 5-5M5 20h14",
  play: "M7 4v16l13-8Z",
  pause: "M8 4v16M16 4v16",
  edit: "M4 7h9M17 7h3M4 17h3M11 17h9M15 4v6M9 14v6",
  upload: "M12 20V9m-5 5 5-5 5 5M5 4h14",
  copy: "M9 9h11v11H9ZM5 15H4V4h11v1",
  next: "m9 5 7 7-7 7",
  previous: "m15 5-7 7 7 7",
};

/** A drawing for a button, which the button's text explains. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** A button with a drawing and words. */
export const button = (drawing, words, onclick, attributes = {}) =>
  make(
    "button",
    { type: "button", onclick, ...attributes },
    icon(drawing),
    make("span", {}, words),
  );

/** A field with a label: a select, a slider or a text. */
export const field = (words, input, hint) =>
  make(
    "label",
    { class: "field" },
    make("span", { class: "label" }, words),
    input,
    hint ? make("span", { class: "hint" }, hint) : null,
  );

/** A select of `[value, words]`. */
export function select(options, value, onchange, attributes = {}) {
  const element = make(
    "select",
    { onchange: () => onchange(element.value), ...attributes },
    ...options.map(([key, words]) =>
      make("option", { value: key, selected: key === value }, words),
    ),
  );
  return element;
}

/** Arrow keys move the focus in a grid of buttons, of which Tab reaches one. */
export function arrows(container, columns) {
  container.addEventListener("keydown", (event) => {
    const all = [...container.querySelectorAll("button")];
    const at = all.indexOf(document.activeElement);
    const by = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns };
    const ends = { Home: 0, End: all.length - 1 };
    const to = event.key in ends ? ends[event.key] : at + by[event.key];
    if (at < 0 || !all[to]) return;
    event.preventDefault();
    all[at].tabIndex = -1;
    all[to].tabIndex = 0;
    all[to].focus();
  });
}
