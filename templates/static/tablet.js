// The assessor's tablet: all candidates of a group on one page that goes on without a network. Every change is an event, kept
// on this device until the server has it; the transport and the store are those of the exam page.

import { MarkRow } from "./mark_row.js";
import { Pen } from "./pen.js";

const page = document.getElementById("tablet");
const { openStore } = await import(`${page.dataset.client}/store.js`);
const { Transport } = await import(`${page.dataset.client}/transport.js`);
const byId = (id) => document.getElementById(id);
const spoken = (half) => (half / 2).toFixed(1);
const store = await openStore();
const key = `marks-${page.dataset.account}-${page.dataset.group}`;
const held = { data: null, sequence: 0, texts: new Map(), signing: new Set(), current: 0, rows: [], offline: false };
const transport = new Transport({ base: page.dataset.base, sheet: key, store, heard,
  csrf: document.querySelector('meta[name="csrf-token"]').content });
transport.token = await store.machine();
const pen = new Pen(byId("pen"));

const member = (id) => held.data.members.find((one) => one.id === id);
const signedAt = (id) => held.data.signed[id] || "";
const texts = (id) => held.texts.get(id);

async function open() {
  held.data = (await transport.insist("GET", "state")).data;
  transport.acknowledged = held.data.acknowledged;
  held.texts = new Map(held.data.members.map((one) => [one.id, new Map(Object.entries(one.entries))]));
  const kept = await store.all(key).catch(() => []);
  const waiting = kept.filter((event) => !event.saved && event.sequence > held.data.acknowledged);
  held.sequence = Math.max(held.data.acknowledged, ...kept.map((event) => event.sequence), 0);
  waiting.forEach(replay);
  transport.queue = waiting;
  const first = held.data.members.find((one) => one.id === Number(page.dataset.member)) || held.data.members.find((one) => !signedAt(one.id)) || held.data.members[0];
  page.hidden = false;
  if (first) show(first.id);
  else byId("nobody").hidden = false;
  status();
  transport.go();
}

function replay({ number, answer }) {
  const [id, what] = number.split(":");
  if (what === "sign") held.signing.add(Number(id));
  else texts(Number(id))?.set(what, answer);
}

function push(number, answer) {
  held.sequence += 1;
  transport.push({ sequence: held.sequence, number, answer });
}

function show(id) {
  held.rows.forEach((row) => row.drop());
  held.current = id;
  const who = member(id);
  byId("who").textContent = who.name;
  byId("ticket").textContent = `准考证号 ${who.ticket}　${who.class}`;
  const place = byId("rows");
  place.replaceChildren();
  let section = null;
  held.rows = held.data.rows.map((row) => {
    const name = row.kind === "veto" ? "★ 否决项（每项必须回答）" : row.section;
    if (name !== section) place.append(Object.assign(document.createElement("h2"), { textContent: name }));
    section = name;
    const made = new MarkRow(row, texts(id).get(String(row.id)) || "", {
      changed: (text) => { texts(id).set(String(row.id), text); push(`${id}:${row.id}`, text); sum(); list(); },
      watch: JSON.parse(localStorage.getItem(`${key}:${id}:${row.id}`) || "null"),
      kept: (watch) => localStorage.setItem(`${key}:${id}:${row.id}`, JSON.stringify(watch)) });
    place.append(made.element);
    return made;
  });
  lock();
  sum();
  list();
  scrollTo(0, 0);
}

// Read-only: signed, on its way, or absent.
function lock() {
  const id = held.current;
  const told = signedAt(id) ? `已于 ${signedAt(id)} 签字，不能再改。` : held.signing.has(id) ? "签字已保存在本机，联网后自动上传；不能再改。"
    : held.data.absent.includes(id) ? "这名考生已登记缺考。" : "";
  byId("locked").textContent = told;
  byId("locked").hidden = !told;
  byId("sign").hidden = Boolean(told);
  if (told) held.rows.forEach((row) => row.lock());
}

function sum() {
  const points = held.rows.reduce((total, row) => total + (typeof row.value === "number" ? row.value : 0), 0);
  const left = held.rows.filter((row) => row.blank).length;
  byId("sum").textContent = spoken(points);
  byId("full").textContent = held.data.full / 2;
  byId("left").textContent = left ? `还有 ${left} 项没有评` : "各项已评";
}

function stateOf(id) {
  if (held.data.absent.includes(id)) return ["缺考", "bad"];
  if (signedAt(id)) return ["已签字", "good"];
  if (held.signing.has(id)) return ["签字待上传", "busy"];
  const done = held.data.rows.filter((row) => (texts(id).get(String(row.id)) || "").trim()).length;
  return done ? [`${done}/${held.data.rows.length} 项`, "busy"] : ["未评分", "wait"];
}

function list() {
  byId("members").replaceChildren(...held.data.members.map((one) => {
    const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-secondary big" });
    const [text, kind] = stateOf(one.id);
    button.setAttribute("aria-pressed", String(one.id === held.current));
    button.append(one.name, " ", Object.assign(document.createElement("span"), { className: `state state-${kind}`, textContent: text }));
    button.addEventListener("click", () => show(one.id));
    return button;
  }));
}

function status() {
  const unsent = transport.queue.length;
  const text = unsent ? `${held.offline ? "已离线，" : ""}${unsent} 项保存在本机，${held.offline ? "恢复后自动上传" : "正在上传"}`
    : held.offline ? "已离线，评分保存在本机" : "已全部上传";
  if (byId("saved").textContent !== text) byId("saved").textContent = text;
  byId("saved").dataset.kind = held.offline ? "offline" : unsent ? "wait" : "good";
}

// A passing message goes with the next save that the server has; any other stays until it is mended.
function tell(text, { passing = false } = {}) {
  byId("told").textContent = text;
  byId("told").hidden = !text;
  byId("told").dataset.passing = passing ? "1" : "";
}

function heard(event) {
  if (event.kind === "offline" || event.kind === "online") held.offline = event.kind === "offline";
  if (event.kind === "signed_out") tell("登录已过期：请在另一个标签页重新登录，评分保存在本机，登录后自动上传。", { passing: true });
  if (event.kind === "ended") tell(event.sentence);
  if (event.kind === "refused") refused(event);
  if (event.kind === "standing" && held.data) standing(event);
  if (event.kind === "saved" && byId("told").dataset.passing) tell("");
  status();
}

function standing({ signed, absent }) {
  if (!signed) return;
  const before = JSON.stringify([held.data.signed, held.data.absent]);
  Object.assign(held.data, { signed, absent });
  if (before === JSON.stringify([signed, absent])) return;
  Object.keys(signed).forEach((id) => held.signing.delete(Number(id)));
  lock();
  list();
}

// What the server did not take: its own state is shown again, beside what still waits here.
async function refused({ refused: turned, events }) {
  tell(turned.map((one) => one.sentence).join(" "));
  events.filter((event) => event.number.endsWith(":sign")).forEach((event) => held.signing.delete(Number(event.number.split(":")[0])));
  const answer = await transport.attempt("GET", "state");
  if (!answer) return;
  held.data = answer.data;
  held.texts = new Map(held.data.members.map((one) => [one.id, new Map(Object.entries(one.entries))]));
  transport.queue.forEach(replay);
  show(held.current);
}

// Signing: nothing may be empty; the signature goes the way of the marks, after them.
byId("sign").addEventListener("click", () => {
  const empty = held.rows.filter((row) => row.blank);
  if (empty.length) {
    empty.forEach((row) => row.ask());
    tell(`还有 ${empty.length} 项没有评分，不能签字。没有得分的项目请填 0。`);
    empty[0].element.scrollIntoView({ block: "center" });
    return;
  }
  tell("");
  byId("sign-who").textContent = `${member(held.current).name}：${byId("sum").textContent} 分`;
  byId("sign-problem").textContent = "";
  byId("pin").value = "";
  byId("pin-line").hidden = !held.data.pin;
  byId("reason-line").hidden = !held.data.chief;
  byId("signing").showModal();
  pen.clear();
});
byId("pen-clear").addEventListener("click", () => pen.clear());
byId("sign-cancel").addEventListener("click", () => byId("signing").close());
byId("sign-now").addEventListener("click", () => {
  const pin = byId("pin").value.trim();
  const reason = byId("reason").value.trim();
  if (pen.empty && !pin) { byId("sign-problem").textContent = held.data.pin ? "请在框内签名，或输入 PIN。" : "请在框内签名。"; return; }
  if (held.data.chief && reason.length < 4) { byId("sign-problem").textContent = "考评组长评定须写明理由。"; return; }
  byId("signing").close();
  held.signing.add(held.current);
  const signature = pen.empty ? { pin } : { pen: pen.png() };
  if (!pen.empty) push(`${held.current}:sign`, JSON.stringify({ ...signature, reason }));
  else pushUnkept(`${held.current}:sign`, JSON.stringify({ ...signature, reason }));
  lock();
  list();
  status();
});

// A PIN is never written to this device: after a reload it is asked for again.
function pushUnkept(number, answer) {
  held.sequence += 1;
  transport.queue.push({ sequence: held.sequence, number, answer });
  heard({ kind: "waiting" });
  transport.kick();
}

addEventListener("online", () => transport.kick());
addEventListener("pagehide", () => transport.leave());
document.addEventListener("visibilitychange", () => (document.hidden ? transport.leave() : transport.kick()));
addEventListener("beforeunload", (event) => { if (transport.queue.length) event.preventDefault(); });
open();
