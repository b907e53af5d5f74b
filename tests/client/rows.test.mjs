// What a rubric row is worth on the tablet, held to the cases that the server's own rule is held to.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";

const here = (path) => readFileSync(new URL(path, import.meta.url), "utf8");
const { markOf, read } = await import(`data:text/javascript,${encodeURIComponent(here("../../templates/static/rows.js"))}`);

for (const one of JSON.parse(here("../scoring/row_cases.json"))) {
  test(`${one.kind}: ${one.says}`, () => assert.deepEqual(markOf(one, one.entry), one.mark));
}

test("what is typed becomes an entry, and nothing stays nothing", () => {
  assert.deepEqual(read({ kind: "points", most: 8 }, "３.5"), { entry: 7 });
  assert.deepEqual(read({ kind: "points", most: 8 }, ""), { entry: null });
  assert.deepEqual(read({ kind: "points", most: 8 }, "0"), { entry: 0 });
  assert.deepEqual(read({ kind: "veto" }, "no"), { entry: false });
  assert.deepEqual(read({ kind: "measured" }, "-0.02"), { entry: "-0.02" });
});

test("what no row can mean is refused", () => {
  const tried = [["points", "4.25"], ["points", "4.5"], ["points", "-1"], ["measured", "50,02"], ["measured", "50.00001"], ["deduction", "1.5"], ["time", "x"], ["veto", "是"]];
  for (const [kind, text] of tried) assert.ok(read({ kind, most: 8 }, text).problem, `${kind} ${text}`);
});
