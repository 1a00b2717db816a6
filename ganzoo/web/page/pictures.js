// Images as numbers, on canvases, and from files.

/** Paint image `i` of `{data, dims}`, uint8 `(n, height, width, channels)`. */
function paint(canvas, { data, dims: [, height, width, channels] }, i = 0) {
  const pixels = new ImageData(width, height);
  const size = height * width;
  const colours = channels > 2 ? [0, 1, 2] : [0, 0, 0];
  for (let k = 0; k < size; k++) {
    const from = (i * size + k) * channels;
    for (let c = 0; c < 3; c++) pixels.data[4 * k + c] = data[from + colours[c]];
    pixels.data[4 * k + 3] = channels % 2 ? 255 : data[from + channels - 1];
  }
  canvas.width = width;
  canvas.height = height;
  canvas.getContext("2d").putImageData(pixels, 0, 0);
}

/** An image that covers `shape`, cropped at its centre and on white, as `{data, dims}`. */
function received(image, [height, width, channels]) {
  const canvas = new OffscreenCanvas(width, height);
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (channels !== 4) {
    pen.fillStyle = "white";
    pen.fillRect(0, 0, width, height);
  }
  pen.imageSmoothingQuality = "high";
  const scale = Math.max(width / image.width, height / image.height);
  const [w, h] = [image.width * scale, image.height * scale];
  pen.drawImage(image, (width - w) / 2, (height - h) / 2, w, h);
  const { data } = pen.getImageData(0, 0, width, height);
  const wanted = new Uint8Array(height * width * channels);
  for (let k = 0; k < height * width; k++) {
    const [red, green, blue, alpha] = data.subarray(4 * k, 4 * k + 4);
    const grey = Math.round(0.299 * red + 0.587 * green + 0.114 * blue);
    const values = channels < 3 ? [grey, alpha] : [red, green, blue, alpha];
    for (let c = 0; c < channels; c++) wanted[k * channels + c] = values[c];
  }
  return { data: wanted, dims: [1, height, width, channels] };
}

async function opened(file) {
  try {
    return await createImageBitmap(file);
  } catch {
    const error = new Error();
    error.shown = `${file.name || "This"} is no image that this browser can read. Choose a PNG, JPEG or WebP file.`;
    throw error;
  }
}

/** Save a canvas as a PNG file, in its own pixels. */
function save(canvas, name) {
  const link = document.createElement("a");
  link.download = `${name}.png`;
  link.href = canvas.toDataURL("image/png");
  link.click();
}
