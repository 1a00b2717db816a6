// Parts that pages share.

const $ = (id) => document.getElementById(id);

/** A row of buttons of which one is pressed. */
class Chips {
  constructor(place, choices, onchange) {
    this.buttons = choices.map(([value, text]) => {
      const button = document.createElement("button");
      button.textContent = text;
      button.onclick = () => {
        this.value = value;
        onchange(value);
      };
      button.dataset.value = String(value);
      place.append(button);
      return button;
    });
    place.hidden = !choices.length;
  }

  get value() {
    return this.chosen;
  }

  set value(value) {
    this.chosen = value;
    for (const button of this.buttons) {
      button.setAttribute("aria-pressed", button.dataset.value === String(value));
    }
  }
}

/** Tabs, by their buttons; the panels have the ids that `aria-controls` names. */
function tabs(buttons, onchange = () => {}) {
  const choose = (chosen) => {
    for (const button of buttons) {
      button.setAttribute("aria-selected", button === chosen);
      button.tabIndex = button === chosen ? 0 : -1;
      const panel = $(button.getAttribute("aria-controls"));
      if (panel) panel.hidden = button !== chosen;
    }
    onchange(chosen);
  };
  buttons.forEach((button, i) => {
    button.onclick = () => choose(button);
    button.onkeydown = ({ key }) => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[key];
      if (!step) return;
      const other = buttons[(i + step + buttons.length) % buttons.length];
      other.focus();
      choose(other);
    };
  });
  return choose;
}

/** The shape of images on the page. Pixels of small images are shown as such, larger ones smoothly. */
function shape(height, width) {
  document.body.style.setProperty("--ratio", `${width} / ${height}`);
  document.body.classList.toggle("smooth", Math.min(height, width) > 40);
}

/** A line about the model. */
function about({ kind, shape, data, licence, functions }) {
  const [height, width, channels] = shape;
  const size = `${width}×${height} pixels${channels === 1 ? ", grey" : ""}`;
  const trained = data.length ? ` Trained on ${data.join(" and ")}${licence ? `, ${licence}` : ""}.` : "";
  if (kind === "generate") {
    return `A neural network makes each of these images from random numbers, here in your browser: ${size}.${trained}`;
  }
  const what = { translate: "translates", upscale: "enlarges", reconstruct: "encodes and decodes" };
  return `A neural network ${what[functions[0].name]} your images, here in your browser: ${size}.${trained}`;
}
