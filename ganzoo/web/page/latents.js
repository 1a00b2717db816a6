// Latents: vectors of random numbers that a generator turns into images.

/** Along the sphere from one vector to another, as `ganzoo.latent.slerp`. */
function slerp(start, end, share) {
  if (share <= 0) return start;
  if (share >= 1) return end;
  const dot = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const lengths = [start, end].map((x) => Math.hypot(...x));
  const [u, v] = [start, end].map((x, i) => Array.from(x, (value) => value / (lengths[i] || 1)));
  const cosine = dot(u, v);
  const across = v.map((x, i) => x - cosine * u[i]);
  const sine = Math.hypot(...across);
  const angle = Math.atan2(sine, cosine);
  const length = (1 - share) * lengths[0] + share * lengths[1];
  const [along, aside] = [Math.cos(share * angle), Math.sin(share * angle) / Math.max(sine, 1e-8)];
  return Float32Array.from(u, (x, i) => length * (along * x + aside * across[i]));
}

/** A vector moved along directions by amounts. */
function moved(vector, directions, amounts) {
  return Float32Array.from(vector, (x, i) =>
    amounts.reduce((sum, amount, k) => sum + amount * directions[k][i], x),
  );
}

/** A seed at random, short enough to tell someone. */
function anySeed() {
  return Math.floor(Math.random() * 1e6);
}
