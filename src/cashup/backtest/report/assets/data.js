// Unpacks the data blocks written by pack.py: base64 -> inflate -> JSON whose packed arrays become typed arrays.

async function unpack(id) {
  const text = document.getElementById(id).textContent;
  const packed = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  const buffer = await new Response(stream).arrayBuffer();
  const length = new DataView(buffer).getUint32(0, true);
  const tree = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, length)));
  return restore(tree, { bytes: new Uint8Array(buffer), at: 4 + length });
}

// Arrays lie behind the JSON in the order in which the JSON mentions them.
function restore(node, source) {
  if (Array.isArray(node)) {
    return node.map((item) => restore(item, source));
  }
  if (node === null || typeof node !== "object") {
    return node;
  }
  if (node.$ === "int") {
    return readIntegers(node, source);
  }
  if (node.$ === "float") {
    return readFloats(node, source);
  }
  if (node.$ === "words") {
    const codes = readIntegers(node.at, source);
    return Array.from(codes, (code) => node.of[code]);
  }
  if (node.$signed) {
    return restore(node.$signed, source).map((value) => (value % 2 ? -(value + 1) / 2 : value / 2));
  }
  const out = {};
  for (const key of Object.keys(node)) {
    out[key] = restore(node[key], source);
  }
  return out;
}

function readIntegers(ref, source) {
  const { n, width } = ref;
  const values = new Float64Array(n);
  let weight = 1;
  for (let plane = 0; plane < width; plane += 1) {
    const start = source.at + plane * n;
    for (let k = 0; k < n; k += 1) {
      values[k] += source.bytes[start + k] * weight;
    }
    weight *= 256;
  }
  source.at += n * width;
  const scale = ref.places ? 10 ** ref.places : 1;
  let sum = ref.base;
  for (let k = 0; k < n; k += 1) {
    const step = values[k] * ref.unit;
    sum += ref.delta ? step : 0;
    values[k] = (ref.delta ? sum : ref.base + step) / scale;
  }
  return values;
}

function readFloats(ref, source) {
  const { n } = ref;
  const bytes = new Uint8Array(n * 4);
  for (let plane = 0; plane < 4; plane += 1) {
    for (let k = 0; k < n; k += 1) {
      bytes[k * 4 + plane] = source.bytes[source.at + plane * n + k];
    }
  }
  source.at += n * 4;
  return Float64Array.from(new Float32Array(bytes.buffer));
}

// Turns the price block into columns of real prices; see price.py.
function readBars(block) {
  const n = block.n;
  const scale = 10 ** (block.places || 0);
  const bars = { n, fold: block.fold, places: block.places || 0, ts: block.ts || [] };
  for (const name of ["open", "high", "low", "close", "volume"]) {
    bars[name] = new Float64Array(n);
  }
  let previous = block.start;
  for (let k = 0; k < n; k += 1) {
    const open = previous + block.gap[k];
    const close = open + block.body[k];
    bars.open[k] = open / scale;
    bars.close[k] = close / scale;
    bars.high[k] = (Math.max(open, close) + block.up[k]) / scale;
    bars.low[k] = (Math.min(open, close) - block.down[k]) / scale;
    const step = block.volume[k];
    bars.volume[k] = step ? block.volume_max * 10 ** ((step / block.volume_steps - 1) * 6) : 0;
    previous = close;
  }
  return bars;
}

// First position whose value is greater than or equal to x, in a sorted column.
function lowerBound(values, x) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] < x) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}
