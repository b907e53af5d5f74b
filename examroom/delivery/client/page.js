// The exam page: finds the elements, makes the parts, joins them. Everything else is in the parts.

import { Clock, spoken } from "./clock.js";
import { Course } from "./course.js";
import { Desk } from "./desk.js";
import { HandInDialog } from "./dialog.js";
import { answerFile, Emergency } from "./emergency.js";
import { showFinal } from "./final.js";
import { listen } from "./keyboard.js";
import { Look } from "./look.js";
import { Offer } from "./offer.js";
import { Calculator, Panel, Scratch } from "./panels.js";
import { Zoom } from "./pictures.js";
import { Screen } from "./screen.js";
import { Sheet } from "./sheet.js";
import { Status } from "./status.js";
import { openStore } from "./store.js";
import { Transport } from "./transport.js";

const byId = (id) => document.getElementById(id);
const { sheet: sheetId, base, watermark, ticket } = document.body.dataset;
const clock = new Clock();
const sheet = new Sheet();
const look = new Look(sheetId, document.body, { changed: tools });
const status = new Status({ saved: byId("saved"), banner: byId("banner"), announcer: byId("announcer"), notices: byId("notices") },
  { confirmed: () => { keep("read", status.read); transport.sign(); } });
const store = await openStore();
const transport = new Transport({ base, sheet: Number(sheetId), store, heard: (event) => course.heard(event), reopen: () => course.reopen(),
  csrf: document.querySelector('meta[name="csrf-token"]').content,
  signs: () => ({ left: screen.count, clock: Date.now(), full_screen: screen.full, read: status.read }) });
const screen = new Screen({ left });
const desk = new Desk(sheet, { place: byId("questions"), card: byId("card"), count: byId("count"), flag: byId("flag"),
  previous: byId("previous"), next: byId("next"), look },
{ pushed: (event) => transport.push(event), unsaved: () => transport.unsaved(), say: (text) => status.say(text),
  struckChanged: (struck) => keep("struck", struck), dirty: (writing) => { if (writing) status.saved("正在输入，稍后自动保存", "wait"); } });
const dialog = new HandInDialog({ dialog: byId("dialog"), told: byId("dialog-told"), goOn: byId("go-on"), handIn: byId("hand-in-now") },
  { go: (number) => desk.go(number), confirmed: () => course.finish("candidate") });
const offer = new Offer(byId("offer"), { body: byId("offer-rows"), told: byId("offer-told"), take: byId("offer-take") });
const emergency = new Emergency(byId("emergency"), { told: byId("emergency-told"), code: byId("emergency-code"), text: byId("emergency-text"),
  save: byId("emergency-save"), show: byId("emergency-show"), copy: byId("emergency-copy"), codes: byId("emergency-codes"), scan: byId("emergency-scan"),
  frame: byId("emergency-frame"), next: byId("emergency-next"), place: byId("emergency-place") },
{ make: () => answerFile(course.file()), name: `作答-${ticket}` });
const course = new Course({ sheetId: Number(sheetId), sheet, desk, clock, status, transport, store, screen, offer, dialog, emergency },
  { opened, tick, cover, locked, stranded, closed });
const calculator = new Panel(byId("calculator"), byId("calculator-open"));
const scratch = new Panel(byId("scratch"), byId("scratch-open"));
const paper = new Scratch(byId("scratch"), { save: (text) => keep("scratch", text) });
const zoom = new Zoom(byId("zoom"), { frame: byId("zoom-frame"), larger: byId("zoom-larger"), smaller: byId("zoom-smaller"), close: byId("zoom-close") });
new Calculator(byId("calculator"));

function keep(name, value) {
  store.setMark(`${sheetId}:${name}`, value).catch(() => {});
}

function opened(data) {
  byId("desk").hidden = byId("tools").hidden = false;
  byId("calculator-open").hidden = !data.calculator;
  if (data.watermark) paint(data.watermark);
  setInterval(tick, 250);
}

function locked(whether) {
  byId("hand-in").disabled = whether;
}

function cover(paused) {
  byId("cover").hidden = !paused;
  byId("desk").hidden = byId("tools").hidden = paused;
  byId("time").dataset.paused = paused;
  if (paused) byId("cover").focus();
}

function stranded(whether) {
  byId("desk").hidden = byId("tools").hidden = whether;
  if (whether) byId("emergency").focus();
}

function closed(receipt) {
  for (const id of ["desk", "tools", "cover", "hand-in", "time", "notices", "calculator", "scratch"]) byId(id).hidden = true;
  document.querySelectorAll("dialog[open]").forEach((open) => open.close());
  status.saved("已交卷", "good");
  showFinal(byId("final"), receipt);
}

function tick() {
  if (course.done) return;
  const remaining = clock.remaining();
  const text = spoken(remaining);
  if (byId("clock").textContent !== text) byId("clock").textContent = text;
  byId("clock").dataset.kind = remaining <= 60 ? "last" : remaining <= 300 ? "soon" : "";
  const warning = clock.warning();
  if (warning) {
    status.say(`距离考试结束还有 ${warning} 分钟。`);
    if (warning <= 15 && byId("banner").hidden) status.tellBriefly(`距离考试结束还有 ${warning} 分钟，到时自动交卷。`, "warning");
  }
  if (remaining <= 0 && !course.paused) course.finish("time");
}

function left(count, what) {
  if (course.entered) transport.sign();
  byId("full-screen").setAttribute("aria-pressed", String(screen.full));
  byId("full-screen").textContent = screen.full ? "退出全屏" : "进入全屏";
  byId("full-asked").hidden = screen.full;
  if (what === "page") status.tellBriefly(`您刚才离开了答题页面（第 ${count} 次），监考员能看到。请在本页继续作答。`, "warning");
  if (what === "full_screen") status.tellBriefly(`您退出了全屏（离开第 ${count} 次），监考员能看到。请重新进入全屏。`, "warning");
}

// How the tools stand, in words and for a screen reader.
function tools() {
  byId("view").textContent = look.mode === "one" ? "整卷列表" : "一题一页";
  byId("contrast").setAttribute("aria-pressed", String(look.contrast));
  byId("smaller").disabled = look.smallest;
  byId("larger").disabled = look.largest;
}

function paint(text) {
  byId("watermark").replaceChildren(...Array.from({ length: 24 }, () => Object.assign(document.createElement("span"), { textContent: text })));
}

function help() {
  byId("help").showModal();
  byId("help-close").focus();
}

const acts = {
  previous: () => desk.move(-1), next: () => desk.move(1), flag: () => desk.flag(), press: (letter) => desk.press(letter),
  strike: (letter) => desk.strike(letter), handIn: () => course.ask(), help, view: () => desk.toggleView(),
  nextUnanswered: () => desk.go(sheet.nextUnanswered(desk.current)), contrast: () => look.set({ contrast: !look.contrast }),
  larger: () => status.say(look.resize(1)), smaller: () => status.say(look.resize(-1)), calculator: () => calculator.toggle(),
  scratch: () => scratch.toggle(), fullScreen: () => screen.toggle(), confirm: () => status.confirm(),
  zoom: () => { const picture = document.querySelector(".q.is-current img.picture, .exam-material img.picture"); if (picture) zoom.show(picture); },
};
const BUTTONS = { "hand-in": "handIn", previous: "previous", next: "next", flag: "flag", view: "view", contrast: "contrast", larger: "larger",
  smaller: "smaller", "help-open": "help", "full-screen": "fullScreen" };
for (const [id, act] of Object.entries(BUTTONS)) byId(id).addEventListener("click", () => acts[act]());
byId("help-close").addEventListener("click", () => byId("help").close());
listen({ open: () => !course.entered || course.done || course.paused || course.ending || document.querySelector("dialog[open]") !== null,
  has: (letter) => desk.has(letter), acts });
document.addEventListener("visibilitychange", () => {
  if (document.hidden) { desk.typing.flush(); transport.leave(); } else if (course.entered) { tick(); transport.kick(); }
});
addEventListener("online", () => { if (course.entered) transport.kick(); });
addEventListener("pagehide", () => { desk.typing.flush(); transport.leave(); });
addEventListener("beforeunload", (event) => { desk.typing.flush(); if (transport.queue.length && !course.done) event.preventDefault(); });
// What stands below the bars keeps clear of them, however many lines they have.
new ResizeObserver(([{ target }]) => document.body.style.setProperty("--top", `${target.offsetHeight}px`)).observe(document.querySelector(".exam-top"));
tools();
paint(watermark);
desk.struck = (await store.mark(`${sheetId}:struck`).catch(() => null)) || {};
paper.load(await store.mark(`${sheetId}:scratch`).catch(() => ""));
status.read = (await store.mark(`${sheetId}:read`).catch(() => 0)) || 0; // confirmed once is confirmed
course.enter();
