// Files of the page: inside it, as text, or next to it.

/** The bytes of a file, unpacked. */
async function bytesOf(name) {
  const element = document.querySelector(`script[data-file="${name}"]`);
  const bytes = element ? decoded(element.textContent) : await fetched(PLACES[name]);
  element?.remove(); // its text is no longer needed
  return unpacked(bytes);
}

function decoded(text) {
  if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
  const letters = atob(text);
  const bytes = new Uint8Array(letters.length);
  for (let i = 0; i < letters.length; i++) bytes[i] = letters.charCodeAt(i);
  return bytes;
}

async function fetched(place) {
  let reply;
  try {
    reply = await fetch(place);
  } catch {
    throw new Error(
      location.protocol === "file:"
        ? "this page was written in several files, which a browser reads from a server only: type `python -m http.server` in their folder"
        : `${place} cannot be reached`,
    );
  }
  if (!reply.ok) throw new Error(`${place} is missing (${reply.status})`);
  return new Uint8Array(await reply.arrayBuffer());
}

/** Without gzip, where it is there: some servers take it off themselves. */
async function unpacked(bytes) {
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return bytes;
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
