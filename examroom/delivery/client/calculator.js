// What the calculator reckons: a small grammar read from left to right, nothing is ever run as a program.
// sum = product {("+" | "-") product}; product = power {("×" | "÷") power}; signs and powers as in mathematics: -2^2 = -4.

const NAMES = {
  "√": Math.sqrt, sqrt: Math.sqrt, ln: Math.log, lg: Math.log10, abs: Math.abs,
  sin: (degrees) => Math.sin(degrees * Math.PI / 180), cos: (degrees) => Math.cos(degrees * Math.PI / 180),
  tan: (degrees) => (Math.abs(degrees) % 180 === 90 ? NaN : Math.tan(degrees * Math.PI / 180)),
};
const CONSTANTS = { "π": Math.PI, pi: Math.PI, e: Math.E };
const TOKEN = /\s*(?:(\d+(?:\.\d*)?|\.\d+)(?:E([-+]?\d+))?|(sqrt|sin|cos|tan|ln|lg|abs|pi|π|e|√)|([-+×÷*/^()%]))/y;

// The result as text, or null for what cannot be reckoned.
export function reckon(text) {
  try {
    const tokens = split(text.replace(/²/g, "^2").normalize("NFKC").replace(/,/g, "").replace(/−/g, "-").replace(/[x·]/g, "×"));
    const reader = { tokens, place: 0 };
    const value = sum(reader);
    if (reader.place !== tokens.length || !Number.isFinite(value)) return null;
    return shown(value);
  } catch {
    return null;
  }
}

function split(text) {
  const tokens = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.trimEnd().length) {
    const found = TOKEN.exec(text);
    if (!found) throw new Error("not a sum");
    const [, number, exponent, name, sign] = found;
    if (number) tokens.push(Number(exponent ? `${number}e${exponent}` : number));
    else tokens.push(name || { "*": "×", "/": "÷" }[sign] || sign);
  }
  return tokens;
}

function sum(reader) {
  let value = product(reader);
  while (reader.tokens[reader.place] === "+" || reader.tokens[reader.place] === "-") {
    value = reader.tokens[reader.place++] === "+" ? value + product(reader) : value - product(reader);
  }
  return value;
}

function product(reader) {
  let value = signed(reader);
  for (;;) {
    const token = reader.tokens[reader.place];
    if (token === "×" || token === "÷") {
      reader.place += 1;
      const next = signed(reader);
      value = token === "×" ? value * next : value / next;
    } else if (typeof token !== "number" && (token === "(" || token in NAMES || token in CONSTANTS)) value *= power(reader); // 2π
    else return value;
  }
}

function signed(reader) {
  const token = reader.tokens[reader.place];
  if (token !== "-" && token !== "+") return power(reader);
  reader.place += 1;
  return token === "-" ? -signed(reader) : signed(reader);
}

function power(reader) {
  let base = single(reader);
  for (; reader.tokens[reader.place] === "%"; reader.place += 1) base /= 100;
  if (reader.tokens[reader.place] !== "^") return base;
  reader.place += 1;
  return base ** signed(reader);
}

function single(reader) {
  const token = reader.tokens[reader.place++];
  if (typeof token === "number") return token;
  if (token in CONSTANTS) return CONSTANTS[token];
  if (token in NAMES) return NAMES[token](power(reader));
  if (token !== "(") throw new Error("a number is missing");
  const value = sum(reader);
  if (reader.tokens[reader.place++] !== ")") throw new Error("a bracket is open");
  return value;
}

// Twelve digits: 0.1 + 0.2 is 0.3 on a calculator.
function shown(value) {
  const rounded = Number(value.toPrecision(12));
  const size = Math.abs(rounded);
  if (size !== 0 && (size >= 1e12 || size < 1e-9)) return rounded.toExponential().replace("e+", "E").replace("e", "E");
  return String(Number(rounded.toFixed(12)));
}
