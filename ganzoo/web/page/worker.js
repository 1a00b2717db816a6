"use strict";
// Runs the models, so that the page stays responsive. One request after another.

let ort;
const sessions = {};

const requests = {
  async start({ script, binary, models }) {
    // An address that contains the script: pages that are opened as files may import no other.
    ort = await import(script);
    Object.assign(ort.env.wasm, { numThreads: 1, proxy: false, wasmBinary: binary });
    ort.env.logLevel = "error";
    for (const [name, bytes] of Object.entries(models)) {
      sessions[name] = await ort.InferenceSession.create(bytes, { executionProviders: ["wasm"] });
    }
  },

  async run({ model, feeds }) {
    const tensors = {};
    for (const [name, { type, data, dims }] of Object.entries(feeds)) {
      tensors[name] = new ort.Tensor(type, data, dims);
    }
    const [output] = Object.values(await sessions[model].run(tensors));
    return { data: output.data, dims: output.dims };
  },
};

let last = Promise.resolve();
onmessage = ({ data: { id, what, ...rest } }) => {
  last = last
    .then(() => requests[what](rest))
    .then((result) => postMessage({ id, result }))
    .catch((error) => postMessage({ id, error: String(error?.message ?? error) }));
};
