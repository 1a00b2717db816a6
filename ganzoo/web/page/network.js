// The models, in a worker.

class Network {
  constructor() {
    const source = document.getElementById("worker").textContent;
    this.worker = new Worker(URL.createObjectURL(new Blob([source], { type: "text/javascript" })));
    this.waiting = new Map();
    this.count = 0;
    this.worker.onmessage = ({ data: { id, result, error } }) => {
      const { resolve, reject } = this.waiting.get(id);
      this.waiting.delete(id);
      error === undefined ? resolve(result) : reject(new Error(error));
    };
    this.worker.onerror = (event) => {
      for (const { reject } of this.waiting.values()) reject(new Error(event.message || "the worker ended"));
    };
  }

  ask(what, request, moved = []) {
    const id = this.count++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.worker.postMessage({ id, what, ...request }, moved);
    });
  }

  async start(names) {
    const [script, binary, ...files] = await Promise.all(
      [ENGINE.script, ENGINE.binary, ...names].map(bytesOf),
    );
    const models = Object.fromEntries(names.map((name, i) => [name, files[i]]));
    const address = `data:text/javascript;base64,${encoded(script)}`;
    const moved = [binary.buffer, ...files.map((file) => file.buffer)];
    await this.ask("start", { script: address, binary: binary.buffer, models }, moved);
  }

  /** The first output of a model, `{data, dims}`, for inputs `{name: {type, data, dims}}`. */
  run(model, feeds) {
    return this.ask("run", { model, feeds });
  }
}

function encoded(bytes) {
  let letters = "";
  for (let i = 0; i < bytes.length; i += 32768) {
    letters += String.fromCharCode(...bytes.subarray(i, i + 32768));
  }
  return btoa(letters);
}

/** `run` for the newest request only: one that comes while another runs waits, and a newer one takes its place. */
function newest(run) {
  let running = false;
  let next = null;
  return async function ask(...request) {
    if (running) {
      next = request;
      return;
    }
    running = true;
    try {
      await run(...request);
    } catch (error) {
      report(error);
    }
    running = false;
    if (next) {
      const waiting = next;
      next = null;
      ask(...waiting);
    }
  };
}

function report(error) {
  const place = document.getElementById("trouble");
  place.textContent = error.shown ?? `The model cannot run here: ${error.message}.`;
  place.hidden = false;
}
