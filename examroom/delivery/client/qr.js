// The answer file as QR codes, for a computer from which no file can be carried away: a scanner types them into the upload page.
// One kind of code only (ISO/IEC 18004, version 20, level L, bytes, mask 0): 97 × 97 modules hold 858 signs.

const SIZE = 97;
const DATA = 861; // bytes of data, in blocks, each with CHECK bytes of Reed-Solomon code behind it
const BLOCKS = [107, 107, 107, 108, 108, 108, 108, 108];
const CHECK = 28;
const ALIGNED = [6, 34, 62, 90];
const FORMAT = 0x77c4; // level L, mask 0
const VERSION = 0x149a6; // 20
const CHUNK = 780;
const MOST_CODES = 24; // written answers of an hour do not go into pictures

// The texts of all codes; none when there would be too many. No blank inside, no sign that a scanner's keyboard lacks.
export function partsOf({ sheet, page_generation: generation, acknowledged, made_at: at, digest, proof, events }) {
  const rows = events.map(({ sequence, number, answer, flagged }) => [sequence, number, answer, flagged ? 1 : 0]);
  const text = JSON.stringify([sheet, generation, acknowledged, at, digest, proof, rows])
    .replace(/[^!-~]/g, (sign) => `\\u${sign.charCodeAt(0).toString(16).padStart(4, "0")}`);
  const count = Math.ceil(text.length / CHUNK);
  if (count > MOST_CODES) return [];
  return Array.from({ length: count }, (_, place) =>
    `EXAMROOM ${place + 1}/${count} ${digest.slice(0, 8)} ${text.slice(place * CHUNK, (place + 1) * CHUNK)}`);
}

// Rows of modules, true where black. `text`: ASCII.
export function qrOf(text) {
  const { dark, taken } = frame();
  const bytes = codewords(text);
  let bit = 0;
  for (let right = SIZE - 1; right >= 1; right -= 2) {
    if (right === 6) right = 5;
    const upward = ((right + 1) & 2) === 0;
    for (let step = 0; step < SIZE; step += 1) {
      const y = upward ? SIZE - 1 - step : step;
      for (const x of [right, right - 1]) {
        if (taken[y][x]) continue;
        const one = bit < bytes.length * 8 && (bytes[bit >> 3] >> (7 - (bit & 7))) & 1;
        dark[y][x] = Boolean(one) !== ((x + y) % 2 === 0);
        bit += 1;
      }
    }
  }
  return dark;
}

// A picture of it, without any style of its own.
export function pictureOf(text) {
  const rows = qrOf(text);
  const path = rows.flatMap((row, y) => row.map((black, x) => (black ? `M${x + 4} ${y + 4}h1v1h-1z` : ""))).join("");
  const svg = document.createElementNS("http" + "://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", `0 0 ${SIZE + 8} ${SIZE + 8}`);
  svg.setAttribute("role", "img");
  const shape = document.createElementNS(svg.namespaceURI, "path");
  shape.setAttribute("d", path);
  svg.append(shape);
  return svg;
}

// What stands in every code of this kind: the three corners, the small squares, the dotted lines, format and version.
function frame() {
  const dark = Array.from({ length: SIZE }, () => new Array(SIZE).fill(false));
  const taken = Array.from({ length: SIZE }, () => new Array(SIZE).fill(false));
  const set = (x, y, black) => {
    if (x < 0 || y < 0 || x >= SIZE || y >= SIZE) return;
    dark[y][x] = Boolean(black);
    taken[y][x] = true;
  };
  const square = (x, y, reach, light) => {
    for (let dy = -reach; dy <= reach; dy += 1) {
      for (let dx = -reach; dx <= reach; dx += 1) set(x + dx, y + dy, !light.includes(Math.max(Math.abs(dx), Math.abs(dy))));
    }
  };
  for (let place = 0; place < SIZE; place += 1) { set(6, place, place % 2 === 0); set(place, 6, place % 2 === 0); }
  for (const [x, y] of [[3, 3], [SIZE - 4, 3], [3, SIZE - 4]]) square(x, y, 4, [2, 4]);
  const last = ALIGNED.length - 1;
  ALIGNED.forEach((x, i) => ALIGNED.forEach((y, j) => {
    if (!((i === 0 && j === 0) || (i === 0 && j === last) || (i === last && j === 0))) square(x, y, 2, [1]);
  }));
  const format = (place) => (FORMAT >> place) & 1;
  for (let place = 0; place <= 5; place += 1) set(8, place, format(place));
  set(8, 7, format(6)); set(8, 8, format(7)); set(7, 8, format(8));
  for (let place = 9; place < 15; place += 1) set(14 - place, 8, format(place));
  for (let place = 0; place < 8; place += 1) set(SIZE - 1 - place, 8, format(place));
  for (let place = 8; place < 15; place += 1) set(8, SIZE - 15 + place, format(place));
  set(8, SIZE - 8, true);
  for (let place = 0; place < 18; place += 1) {
    const [a, b] = [SIZE - 11 + (place % 3), Math.floor(place / 3)];
    set(a, b, (VERSION >> place) & 1);
    set(b, a, (VERSION >> place) & 1);
  }
  return { dark, taken };
}

// Data and check bytes of all blocks, woven into each other.
function codewords(text) {
  const bits = [[4, 4], [text.length, 16], ...Array.from(text, (sign) => [sign.charCodeAt(0), 8]), [0, 4]]
    .map(([value, length]) => value.toString(2).padStart(length, "0")).join("");
  const data = (bits.match(/.{1,8}/g) || []).map((byte) => parseInt(byte.padEnd(8, "0"), 2));
  for (let pad = 0xec; data.length < DATA; pad ^= 0xfd) data.push(pad);
  let start = 0;
  const blocks = BLOCKS.map((length) => data.slice(start, start += length));
  const checks = blocks.map(checked);
  const woven = (of, length) => Array.from({ length }, (_, place) => of.map((block) => block[place])).flat().filter((byte) => byte !== undefined);
  return [...woven(blocks, 108), ...woven(checks, CHECK)];
}

function times(a, b) {
  let product = 0;
  for (let place = 7; place >= 0; place -= 1) product = (product << 1) ^ ((product >> 7) * 0x11d) ^ (((b >> place) & 1) * a);
  return product;
}

// The remainder by (x − 1)(x − 2)(x − 4)… in GF(256).
function checked(block) {
  let factors = [1];
  for (let place = 0, root = 1; place < CHECK; place += 1, root = times(root, 2)) {
    factors = [...factors, 0].map((one, at) => one ^ times(at ? factors[at - 1] : 0, root));
  }
  return block.reduce((rest, byte) => {
    const first = byte ^ rest[0];
    return [...rest.slice(1), 0].map((one, at) => one ^ times(factors[at + 1], first));
  }, new Array(CHECK).fill(0));
}
