// SHA-256 and HMAC of texts, for pages on plain http, where browsers offer no crypto.subtle.

const K = new Uint32Array(64);
const START = new Uint32Array(8);

// The constants are the first 32 bits of the fractions of cube and square roots of the first primes (FIPS 180-4).
for (let candidate = 2, found = 0; found < 64; candidate += 1) {
  let prime = true;
  for (let factor = 2; factor * factor <= candidate; factor += 1) if (candidate % factor === 0) prime = false;
  if (!prime) continue;
  if (found < 8) START[found] = fraction(candidate, 2n);
  K[found] = fraction(candidate, 3n);
  found += 1;
}

// floor(root(prime) × 2^32) modulo 2^32, by whole numbers: no rounding of any engine can change a bit.
function fraction(prime, degree) {
  const target = BigInt(prime) << (32n * degree);
  let [low, high] = [0n, 1n << 40n];
  while (high - low > 1n) {
    const middle = (low + high) / 2n;
    if (middle ** degree <= target) low = middle;
    else high = middle;
  }
  return Number(low & 0xffffffffn);
}

const turn = (word, by) => (word >>> by) | (word << (32 - by));

function digest(bytes) {
  const length = bytes.length;
  const padded = new Uint8Array(((length + 8) >> 6 << 6) + 64);
  padded.set(bytes);
  padded[length] = 0x80;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 8, Math.floor(length / 0x20000000));
  view.setUint32(padded.length - 4, length << 3);
  const state = START.slice();
  const words = new Uint32Array(64);
  for (let block = 0; block < padded.length; block += 64) compress(state, words, view, block);
  const out = new Uint8Array(32);
  state.forEach((word, place) => new DataView(out.buffer).setUint32(place * 4, word));
  return out;
}

function compress(state, words, view, block) {
  for (let t = 0; t < 16; t += 1) words[t] = view.getUint32(block + t * 4);
  for (let t = 16; t < 64; t += 1) {
    const [x, y] = [words[t - 15], words[t - 2]];
    words[t] = words[t - 16] + (turn(x, 7) ^ turn(x, 18) ^ (x >>> 3)) + words[t - 7] + (turn(y, 17) ^ turn(y, 19) ^ (y >>> 10));
  }
  let [a, b, c, d, e, f, g, h] = state;
  for (let t = 0; t < 64; t += 1) {
    const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[t] + words[t]) | 0;
    const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
    [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
  }
  [a, b, c, d, e, f, g, h].forEach((word, place) => { state[place] += word; });
}

const bytesOf = (text) => new TextEncoder().encode(text);
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export function sha256(text) {
  return hex(digest(bytesOf(text)));
}

export function hmac(key, text) {
  let secret = bytesOf(key);
  if (secret.length > 64) secret = digest(secret);
  const pad = (mask) => Uint8Array.from({ length: 64 }, (_, place) => (secret[place] ?? 0) ^ mask);
  const join = (head, tail) => { const all = new Uint8Array(head.length + tail.length); all.set(head); all.set(tail, head.length); return all; };
  return hex(digest(join(pad(0x5c), digest(join(pad(0x36), bytesOf(text))))));
}
