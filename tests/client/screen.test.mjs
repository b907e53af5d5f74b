import assert from "node:assert/strict";
import test from "node:test";
import { Look } from "../../examroom/delivery/client/look.js";
import { addressesIn } from "../../examroom/delivery/client/pictures.js";
import { Screen } from "../../examroom/delivery/client/screen.js";

function browser() {
  const page = new EventTarget();
  const frame = new EventTarget();
  Object.assign(page, { hidden: false, fullscreenElement: null });
  const display = Object.assign(new EventTarget(), { matches: false });
  frame.matchMedia = () => display;
  const told = [];
  const screen = new Screen({ document: page, window: frame, left: (count, what) => told.push([count, what]) });
  return { page, frame, told, screen, hide: (hidden) => { page.hidden = hidden; page.dispatchEvent(new Event("visibilitychange")); },
    full: (element) => { page.fullscreenElement = element; page.dispatchEvent(new Event("fullscreenchange")); } };
}

test("another window or tab counts once, however many events it makes, and again the next time", () => {
  const { frame, told, screen, hide } = browser();
  screen.watch(3); // three times before, on another page of this sheet
  frame.dispatchEvent(new Event("blur"));
  hide(true);
  hide(false);
  frame.dispatchEvent(new Event("focus"));
  assert.deepEqual(told, [[4, "page"]]);
  hide(true);
  assert.deepEqual(told.at(-1), [5, "page"]);
});

test("leaving full screen counts; entering it does not; before the sheet is open nothing does", () => {
  const { told, screen, full, hide } = browser();
  hide(true);
  hide(false);
  screen.watch(0);
  full({});
  assert.deepEqual(told, [[0, ""]]);
  assert.equal(screen.full, true);
  full(null);
  assert.deepEqual(told.at(-1), [1, "full_screen"]);
  screen.rest();
  hide(true);
  assert.equal(screen.count, 1);
});

test("how the page looks is remembered, and a browser without storage forgets it without a word", () => {
  const held = new Map();
  const place = { getItem: (key) => held.get(key) ?? null, setItem: (key, value) => held.set(key, value) };
  const look = new Look(3, { dataset: {} }, { place });
  look.resize(1);
  look.set({ contrast: true, mode: "list" });
  const again = new Look(3, { dataset: {} }, { place });
  assert.deepEqual([again.size, again.contrast, again.mode], [2, true, "list"]);
  assert.equal(new Look(4, { dataset: {} }, { place }).contrast, false); // the next candidate on this computer
  const body = { dataset: {} };
  new Look(3, body, { place: null }).resize(-5);
  assert.equal(body.dataset.size, 0);
});

test("pictures of the whole sheet are found once each; those inside the page need no fetching", () => {
  const texts = ['<img class="picture" src="/exam/media/ab" alt="图"> 和 <img class="picture" src="data:image/png;base64,AA" alt="图">', '<img src="/exam/media/ab">'];
  assert.deepEqual(addressesIn(texts), ["/exam/media/ab"]);
});
