// Starts the page.

async function main() {
  const facts = JSON.parse(new TextDecoder().decode(await bytesOf("model.json")));
  $("about").textContent = about(facts);
  const network = new Network();
  const page = facts.kind === "generate" ? new Generator(facts, network) : new Through(facts, network);
  const files = facts.kind === "generate" ? ["latents.onnx", "model.onnx"] : facts.functions.map((f) => f.file);
  page.build();
  await network.start(files);
  document.body.classList.remove("waiting");
  await page.begin();
  return page;
}

// For tests, and for those who open the browser's console: `(await ganzoo).generate(…)`.
window.ganzoo = main();
window.ganzoo.catch(report);
