// The exam page: holds the sheet, never navigates. Glue between clock, transport, store, question, card and dialog.

import { Card } from "./card.js";
import { Clock, spoken } from "./clock.js";
import { HandInDialog } from "./dialog.js";
import { showFinal } from "./final.js";
import { listen } from "./keyboard.js";
import { Question } from "./question.js";
import { openStore } from "./store.js";
import { Transport } from "./transport.js";

const byId = (id) => document.getElementById(id);
const { sheet, base, watermark } = document.body.dataset;
const clock = new Clock();
const page = { parts: [], materials: [], questions: [], answers: new Map(), current: 1, sequence: 0, locked: true, early: 0, granted: null, ending: false, done: false };
const question = new Question({ part: byId("part"), material: byId("material"), stem: byId("stem"), options: byId("options"), chose: choose });
const card = new Card(byId("card"), byId("count"), go);
const dialog = new HandInDialog({ dialog: byId("dialog"), told: byId("dialog-told"), goOn: byId("go-on"), handIn: byId("hand-in-now") },
  { go, confirmed: () => finish("candidate") });
let transport;
let store;

async function begin() {
  store = await openStore();
  transport = new Transport({ base, sheet, store, heard, csrf: document.querySelector('meta[name="csrf-token"]').content });
  await enter();
}

// Takes the sheet over on this page and shows what the server holds; then offers what this computer had not sent.
async function enter() {
  const opened = await transport.insist("POST", "open", { machine: await store.machine() });
  if (opened.status === 409) return tell(opened.data.sentence, "danger");
  transport.token = opened.data.token;
  if (opened.data.page === "waiting") {
    tell(opened.data.sentence, "warning");
    saved("等待监考员同意换机", "wait");
    if (!await admitted()) return undefined;
    tell("");
  }
  const { status, data } = await transport.insist("GET", "state");
  if (status === 409) return tell(data.sentence, "danger");
  if (data.state === "handed_in") return close(data);
  Object.assign(page, { parts: data.parts, materials: data.materials, questions: data.questions, sequence: data.acknowledged, locked: false });
  for (const [number, held] of Object.entries(data.answers)) page.answers.set(Number(number), held);
  await restore(data.acknowledged);
  card.build(page.parts);
  byId("desk").hidden = false;
  byId("hand-in").disabled = false;
  saved("答案已保存", "good");
  standing(data);
  const first = page.questions.findIndex((_, place) => !answered(place + 1)) + 1;
  page.questions.forEach((_, place) => showOnCard(place + 1));
  go(first || 1);
  transport.kick();
  tick();
  setInterval(tick, 250);
  return undefined;
}

async function admitted() {
  for (;;) {
    const { data } = await transport.insist("GET", "pulse");
    if (data.page === "live" || data.state === "handed_in") return true; // handed in meanwhile: the state has the receipt
    if (data.page === "ended") { saved("本页已停用", "bad"); tell(data.sentence, "danger"); return false; }
    await new Promise((resolve) => setTimeout(resolve, 2_000));
  }
}

async function restore(acknowledged) {
  const local = await store.unsent(sheet).catch(() => []);
  const newer = local.filter((event) => event.sequence > acknowledged);
  const older = local.filter((event) => event.sequence <= acknowledged).map((event) => event.sequence);
  if (older.length) await store.drop(sheet, older).catch(() => {});
  newer.forEach((event) => page.answers.set(event.number, { answer: event.answer, flagged: event.flagged }));
  if (newer.length) page.sequence = newer[newer.length - 1].sequence;
  transport.restore(newer);
  if (newer.length) tell(`本机有 ${newer.length} 条尚未上传的作答，正在上传。`, "warning");
}

function held(number) {
  return page.answers.get(number) || { answer: "", flagged: false };
}

function answered(number) {
  return held(number).answer !== "";
}

function go(number) {
  if (number < 1 || number > page.questions.length) return;
  const before = page.current;
  page.current = number;
  if (number !== before) window.scrollTo(0, 0); // a long question before this one may have been scrolled
  const part = page.parts.find((one) => number <= one.last);
  question.show(number, page.questions[number - 1], part, held(number).answer, page.locked, page.materials[page.questions[number - 1].material]);
  byId("previous").disabled = number === 1;
  byId("next").disabled = number === page.questions.length;
  showOnCard(before);
  showOnCard(number);
}

function showOnCard(number) {
  card.show(number, { answered: answered(number), flagged: held(number).flagged, current: number === page.current });
  const numbers = page.questions.map((_, place) => place + 1);
  card.total(numbers.filter(answered).length, numbers.length, numbers.filter((one) => held(one).flagged).length);
  if (number === page.current) {
    byId("flag").setAttribute("aria-pressed", String(held(number).flagged));
    byId("flag").textContent = held(number).flagged ? "取消标记" : "标记此题";
  }
}

function choose(answer) {
  change({ ...held(page.current), answer });
}

function flag() {
  change({ ...held(page.current), flagged: !held(page.current).flagged });
}

function change(state) {
  if (page.locked) return;
  page.answers.set(page.current, state);
  page.sequence += 1;
  showOnCard(page.current);
  transport.push({ sequence: page.sequence, number: page.current, ...state });
}

function ask() {
  if (page.locked || !page.questions.length) return;
  const numbers = page.questions.map((_, place) => place + 1);
  dialog.show({ unanswered: numbers.filter((one) => !answered(one)), flagged: numbers.filter((one) => held(one).flagged),
    all: numbers.length, early: page.early - performance.now() / 1000 });
}

function showClock() {
  const remaining = clock.remaining();
  byId("clock").textContent = spoken(remaining);
  byId("clock").dataset.kind = remaining <= 60 ? "last" : remaining <= 300 ? "soon" : "";
  return remaining;
}

function tick() {
  if (page.done) return;
  const remaining = showClock();
  const warning = clock.warning();
  if (warning) {
    say(`距离考试结束还有 ${warning} 分钟。`);
    if (warning <= 15 && byId("banner").hidden) tellBriefly(`距离考试结束还有 ${warning} 分钟，到时自动交卷。`, "warning");
  }
  if (remaining <= 0 && !page.ending) finish("time");
}

// Hands in: everything is sent first. When the server has granted more time meanwhile, answering goes on.
async function finish(because) {
  page.ending = true;
  lock();
  saved("正在交卷，请不要关闭本页……", "wait");
  await transport.flush();
  const { status, data } = transport.stopped ? { status: 409, data: {} } : await transport.insist("POST", "hand-in", { because });
  if (status === 200 && data.state === "handed_in") return close(data);
  page.ending = false;
  if (transport.stopped) return undefined;
  if (status === 409) {
    if (data.code === "superseded" || data.code === "waiting") return transport.end(data.sentence);
    if (dialog.open) dialog.refused(data.sentence);
  }
  unlock();
  saved("答案已保存", "good");
  if (status === 200) standing(data);
  return undefined;
}

function lock() {
  page.locked = true;
  question.lock();
  byId("hand-in").disabled = byId("flag").disabled = true;
}

function unlock() {
  page.locked = false;
  byId("hand-in").disabled = byId("flag").disabled = false;
  go(page.current);
}

async function close(data) {
  if (page.done) return;
  page.done = true;
  lock();
  transport.stop();
  dialog.close();
  const left = await store.unsent(sheet).catch(() => []);
  const lost = left.filter((event) => event.sequence > data.acknowledged).length;
  if (lost) tell(`有 ${lost} 条作答在收卷后才送达，未被接收，仍保存在本机。请举手告诉监考员。`, "danger");
  else {
    await store.clear(sheet).catch(() => {});
    tell("");
  }
  byId("desk").hidden = true;
  saved("已交卷", "good");
  byId("hand-in").hidden = true;
  byId("time").hidden = true;
  showFinal(byId("final"), data.receipt, base);
}

function heard(event) {
  if (page.done) return;
  if (event.kind === "standing") standing(event);
  else if (event.kind === "saved") { saved("答案已保存", "good"); tell("", "net"); }
  else if (event.kind === "waiting") saved(`正在保存……（${event.unsent} 条）`, "wait");
  else if (event.kind === "offline") {
    saved(event.unsent ? `离线，${event.unsent} 条待上传` : "离线", "bad");
    tell("已离线，答案保存在本机，恢复后自动上传", "warning", "net");
  } else if (event.kind === "online") {
    if (!event.unsent && !page.locked) saved("答案已保存", "good");
    tell("", "", "net");
  } else if (event.kind === "signed_out") {
    saved("登录已过期", "bad");
    tell("登录已过期，答案保存在本机。请不要关闭本页，举手告诉监考员：在新标签页打开考试入口重新登录后，本页自动继续。", "danger", "net");
  } else if (event.kind === "refused") refused(event.refused);
  else if (event.kind === "ended") {
    lock();
    dialog.close();
    saved("本页已停用", "bad");
    tell(event.sentence + (event.unsent ? `（本机还有 ${event.unsent} 条作答没有上传，请告诉监考员。）` : ""), "danger");
  }
}

function refused(found) {
  const over = found.filter((one) => one.code === "over");
  if (over.length) tell(`有 ${over.length} 条作答在收卷后才送达，未被接收，仍保存在本机。请举手告诉监考员。`, "danger");
  else tell(`有 ${found.length} 条作答没有写入：${found[0].sentence}`, "danger");
}

function standing(data) {
  if (data.state === "handed_in") { close(data); return; }
  clock.set(data.remaining_seconds);
  showClock();
  page.early = performance.now() / 1000 + data.hand_in_in_seconds;
  if (page.granted !== null && data.granted_seconds !== page.granted) {
    say(data.message);
    tellBriefly(data.message, "success");
  }
  page.granted = data.granted_seconds;
}

// The banner carries one message; what the network says never hides what matters more.
function tell(text, kind = "", source = "") {
  const banner = byId("banner");
  if (source === "net" && banner.dataset.source === "other" && !banner.hidden) return;
  if (!text && source === "net" && banner.dataset.source !== "net") return;
  banner.textContent = text;
  banner.hidden = !text;
  banner.dataset.kind = kind;
  banner.dataset.source = source || "other";
}

// For a quarter of a minute, unless something else is said meanwhile.
function tellBriefly(text, kind) {
  tell(text, kind);
  setTimeout(() => { if (byId("banner").textContent === text) tell(""); }, 15_000);
}

function saved(text, kind) {
  const place = byId("saved");
  if (place.textContent === text) return;
  place.textContent = text;
  place.dataset.kind = kind;
}

function say(text) {
  byId("announcer").textContent = text;
}

function paint(text) {
  for (let place = 0; place < 24; place += 1) {
    const mark = document.createElement("span");
    mark.textContent = text;
    byId("watermark").append(mark);
  }
}

byId("previous").addEventListener("click", () => go(page.current - 1));
byId("next").addEventListener("click", () => go(page.current + 1));
byId("flag").addEventListener("click", flag);
byId("hand-in").addEventListener("click", ask);
listen({ open: () => dialog.open, press: (letter) => question.press(letter), has: (letter) => question.has(letter),
  flag, ask, move: (by) => go(page.current + by) });
document.addEventListener("visibilitychange", () => {
  if (document.hidden) transport?.leave();
  else { tick(); transport?.kick(); }
});
addEventListener("online", () => transport?.kick());
addEventListener("pagehide", () => transport?.leave());
addEventListener("beforeunload", (event) => { if (transport?.queue.length) event.preventDefault(); });
for (const kind of ["copy", "cut", "contextmenu", "dragstart"]) document.addEventListener(kind, (event) => event.preventDefault());
paint(watermark);
begin();
