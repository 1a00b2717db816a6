// Requests to the server, and what is told of those that fail.

import { make } from "./dom.js";

/** The answer to a request; null, and a message on the page, if it fails. */
export const ask = (what, fields = {}) =>
  received(
    fetch(`ask/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(fields),
    }),
  );

/** The answer for an image file of the visitor's. */
export function upload(file, fields) {
  const address = `upload?${new URLSearchParams(fields)}`;
  return received(fetch(address, { method: "POST", body: file }));
}

/** Save a request's answer, which is a file. */
export async function download(what, fields, name) {
  const content = await ask(what, fields);
  if (!content) return;
  const link = make("a", { href: URL.createObjectURL(content), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

async function received(request) {
  try {
    const reply = await request;
    if (!(reply.headers.get("content-type") || "").includes("json")) {
      if (reply.ok) return await reply.blob();
      throw new Error(await reply.text());
    }
    const found = await reply.json();
    if (!reply.ok) throw new Error(found.error);
    return found;
  } catch (error) {
    const gone = error instanceof TypeError;
    say(gone ? "The server does not answer: is `ganzoo explore` still running?" : error.message);
    return null;
  }
}

/** Show a message until it is closed, or for ten seconds. */
export function say(text) {
  const close = make("button", { type: "button", "aria-label": "Close the message" }, "×");
  const message = make("p", {}, make("span", {}, text), close);
  close.onclick = () => message.remove();
  document.getElementById("messages").append(message);
  setTimeout(() => message.remove(), 10_000);
}

/** A function of which one call at a time runs; of calls meanwhile, only the newest. */
export function latest(run) {
  let running = false;
  let waiting = null;
  return async function call(...values) {
    if (running) {
      waiting = values;
      return;
    }
    running = true;
    try {
      await run(...values);
    } finally {
      running = false;
      if (waiting) {
        const next = waiting;
        waiting = null;
        call(...next);
      }
    }
  };
}

/** Mark an element as busy while something is awaited. */
export async function busy(element, promise) {
  element.classList.add("busy");
  element.setAttribute("aria-busy", "true");
  try {
    return await promise;
  } finally {
    element.classList.remove("busy");
    element.removeAttribute("aria-busy");
  }
}
