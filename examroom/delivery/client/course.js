// The course of a sitting on this page: entering, what the server says, the hand-in, the end. It never navigates.

import { differences } from "./offer.js";
import { fetchAhead } from "./pictures.js";
import { TEXT_KINDS } from "./sheet.js";

const CONFIRMING = 4_000; // a hand-in without an answer for so long: the page says how the answers are kept
const AFTERWARDS = 12; // looks, 15 s apart, whether a standby server lacks the hand-in

export class Course {
  // parts: sheet, desk, clock, status, transport, store, screen, offer, dialog, emergency; page: what shows and hides
  constructor(parts, page) {
    Object.assign(this, parts, { page });
    Object.assign(this, { done: false, ending: false, entered: false, paused: false, early: 0, granted: null, generation: 0 });
  }

  // Takes the sheet over on this page and shows what the server holds; then offers what this computer had not sent.
  async enter() {
    const opened = await this.transport.insist("POST", "open", { machine: await this.store.machine() });
    if (opened.status === 409) return this.status.tell(opened.data.sentence, "danger");
    if (opened.data.receipt) return this.close(opened.data);
    this.took(opened.data);
    if (opened.data.page === "waiting") {
      this.status.tell(opened.data.sentence, "warning");
      this.status.saved("等待监考员同意换机", "wait");
      if (!await this.admitted()) return undefined;
      this.status.tell("");
    }
    const { status, data } = opened.data.questions ? opened : await this.transport.insist("GET", "state");
    if (status === 409) return this.status.tell(data.sentence, "danger");
    if (data.state === "handed_in") return this.close(data);
    this.sheet.load(data);
    this.screen.watch(data.left || 0);
    const rows = await this.local(data.acknowledged);
    this.desk.build();
    this.page.opened(data);
    this.entered = true;
    this.status.saved("答案已保存", "good");
    this.standing(data);
    this.transport.go();
    fetchAhead(data);
    if (rows.length) await this.offered(rows);
    if (!this.ending && !this.paused) this.unlock();
    return undefined;
  }

  took({ token, generation }) {
    this.transport.token = token;
    this.generation = generation || 0;
  }

  // A server that does not know this page took over: the page is opened there, on the same computer.
  async reopen() {
    const answer = await this.transport.attempt("POST", "open", { machine: await this.store.machine() });
    if (answer?.status === 200 && answer.data.token) this.took(answer.data);
  }

  async admitted() {
    for (;;) {
      const { data } = await this.transport.insist("GET", "pulse");
      if (data.page === "live" || data.state === "handed_in") return true; // handed in meanwhile: the state has the receipt
      if (data.page === "ended") {
        this.status.saved("本页已停用", "bad");
        this.status.tell(data.sentence, "danger");
        return false;
      }
      await new Promise((resolve) => { setTimeout(resolve, 2_000); });
    }
  }

  // What this computer kept: acknowledged events may be needed by a standby server, of the others the candidate decides.
  async local(acknowledged) {
    const events = await this.store.all(this.sheetId).catch(() => []);
    this.transport.keep(events.filter((event) => event.saved && event.sequence <= acknowledged));
    this.undecided = events.filter((event) => !event.saved || event.sequence > acknowledged);
    const rows = differences(this.undecided, this.sheet);
    if (!rows.length) await this.forget();
    return rows;
  }

  forget() {
    return this.store.drop(this.sheetId, this.undecided.map((event) => event.sequence)).catch(() => {});
  }

  async offered(rows) {
    this.status.saved(`本机有 ${rows.length} 题待确认`, "wait");
    const taken = await this.offer.ask(rows, this.sheet);
    this.sheet.sequence = Math.max(this.sheet.sequence, ...this.undecided.map((event) => event.sequence));
    this.desk.unlock();
    taken.forEach(({ number, here }) => this.desk.change(number, here));
    await this.forget();
    this.desk.build();
    if (!taken.length) this.status.saved("答案已保存", "good");
  }

  // Every answer of the server carries this.
  standing(data) {
    if (this.done) return;
    if (data.state === "handed_in") { this.close(data); return; }
    if (data.remaining_seconds === undefined) return;
    if (data.paused) this.clock.hold(data.remaining_seconds);
    else this.clock.set(data.remaining_seconds);
    this.pause(Boolean(data.paused));
    this.early = performance.now() / 1000 + data.hand_in_in_seconds;
    if (this.granted !== null && data.granted_seconds !== this.granted && data.message) {
      this.status.say(data.message);
      this.status.tellBriefly(data.message, "success");
    }
    this.granted = data.granted_seconds;
    this.status.notice(data.notices);
    this.page.tick();
  }

  // The sheet is covered and the clock stands; what was answered before is sent all the same.
  pause(paused) {
    if (paused === this.paused) return;
    this.paused = paused;
    this.page.cover(paused);
    if (paused) { this.dialog.close(); this.lock(); }
    else if (!this.ending && !this.offer.dialog.open) this.unlock();
    this.status.say(paused ? "考试已暂停，时间不再减少。请坐在原位等候。" : "考试继续，请接着作答。");
  }

  lock() {
    this.desk.lock();
    this.page.locked(true);
  }

  unlock() {
    this.desk.unlock();
    this.page.locked(false);
  }

  ask() {
    if (this.desk.locked || !this.sheet.count) return;
    this.desk.typing.flush();
    this.dialog.show({ unanswered: this.sheet.unanswered(), flagged: this.sheet.flagged(), all: this.sheet.count,
      early: this.early - performance.now() / 1000 });
  }

  // Hands in: everything is sent first. When the server has granted more time meanwhile, answering goes on.
  async finish(because) {
    if (this.ending || this.done || !this.entered || this.transport.stopped) return;
    this.ending = true;
    this.offer.decide();
    await Promise.resolve(); // what was just taken becomes events
    this.lock();
    this.status.saved("正在交卷，请不要关闭本页……", "wait");
    const late = setTimeout(() => this.stranded(because), CONFIRMING);
    await this.transport.flush();
    const body = () => ({ because, after: this.transport.acknowledged });
    const { status, data } = this.transport.stopped ? { status: 409, data: {} } : await this.transport.insist("POST", "hand-in", body);
    clearTimeout(late);
    this.ending = false;
    if (status === 200 && data.state === "handed_in") { await this.close(data); return; }
    this.emergency.hide();
    this.page.stranded(false);
    if (this.transport.stopped) return;
    if (status === 409 && ["superseded", "waiting"].includes(data.code)) { this.transport.end(data.sentence); return; }
    if (status === 409 && this.dialog.open) this.dialog.refused(data.sentence);
    this.unlock();
    this.status.saved("答案已保存", "good");
    if (status === 200) this.standing(data);
  }

  // No answer to the hand-in: the page says so, keeps trying and offers the answers as a file.
  stranded(because) {
    if (!this.ending || this.done) return;
    this.dialog.close();
    this.status.tell("", "", "net");
    this.page.stranded(true);
    this.emergency.show(`${because === "time" ? "考试时间已到。" : ""}暂时连不上服务器，您的作答完整保存在这台电脑上。`
      + "本页会一直重试，连上后自动交卷。请不要关闭本页，举手告诉监考员；监考员要求时，再保存作答文件。");
  }

  async close(data) {
    if (this.done) return;
    this.done = true;
    this.lock();
    this.transport.stop();
    this.screen.rest();
    this.dialog.close();
    const left = await this.store.all(this.sheetId).catch(() => []);
    const lost = left.filter((event) => !event.saved && event.sequence > (data.acknowledged ?? Infinity)).length;
    this.page.closed(data.receipt);
    if (lost) {
      this.status.tell(`有 ${lost} 条作答在收卷后才送达，未被接收，仍保存在本机。请举手告诉监考员。`, "danger");
      this.emergency.show("请先不要退出登录。监考员可以让您保存作答文件，由考务人员核对后决定是否采用。");
    } else {
      this.emergency.hide();
      this.status.tell("");
      await this.store.clear(this.sheetId).catch(() => {});
      await this.afterwards();
    }
  }

  // A standby server that takes over in these minutes may lack the last of them, the hand-in included.
  async afterwards() {
    for (let look = 0; look < AFTERWARDS && this.transport.token; look += 1) {
      await new Promise((resolve) => { setTimeout(resolve, 15_000); });
      const answer = await this.transport.attempt("GET", "pulse");
      if (answer?.data.state !== "started" || answer.data.page === "ended") continue;
      this.transport.go();
      await this.transport.flush();
      await this.transport.insist("POST", "hand-in", () => ({ because: "candidate", after: this.transport.acknowledged }));
      this.transport.stop();
    }
  }

  file() {
    const { kept, queue, acknowledged, token } = this.transport;
    const events = [...kept.map((one) => one.event), ...queue, ...(this.over || [])];
    return { sheet: this.sheetId, generation: this.generation, acknowledged, token, events, at: new Date().toISOString() };
  }

  heard(event) {
    if (this.done) return;
    if (event.kind === "standing") { this.standing(event); return; }
    if (event.kind === "refused") this.refused(event);
    else if (event.kind === "ended") this.ended(event);
    else if (!this.ending) this.connection(event);
    if (this.entered) this.desk.markAll();
  }

  connection({ kind, unsent }) {
    const { status } = this;
    const writing = this.entered && this.desk.writing.size > 0;
    if (kind === "saved" || kind === "online") {
      if (!unsent && this.entered && !this.offer.dialog.open) status.saved(writing ? "正在输入，稍后自动保存" : "答案已保存", writing ? "wait" : "good");
      status.tell("", "", "net");
    } else if (kind === "waiting") status.saved(`正在保存……（${unsent} 条）`, "wait");
    else if (kind === "offline") {
      status.saved(unsent ? `离线，${unsent} 条待上传` : "离线", "bad");
      status.tell("已离线，答案保存在本机，恢复后自动上传", "warning", "net");
    } else if (kind === "waiting_page") status.saved("等待监考员同意换机", "wait");
    else if (kind === "signed_out") {
      status.saved("登录已过期", "bad");
      status.tell("登录已过期，答案保存在本机。请不要关闭本页，举手告诉监考员：在新标签页打开考试入口重新登录后，本页自动继续。", "danger", "net");
    }
  }

  refused({ refused, events }) {
    const over = new Set(refused.filter((one) => one.code === "over").map((one) => one.sequence));
    this.over = [...(this.over || []), ...events.filter((event) => over.has(event.sequence))];
    if (over.size) this.status.tell(`有 ${over.size} 条作答在收卷后才送达，未被接收，仍保存在本机。请举手告诉监考员。`, "danger");
    else {
      this.status.tell(`第 ${[...new Set(events.map((event) => event.number))].join("、")} 题没有写入：${refused[0].sentence}`, "danger");
      this.reread();
    }
  }

  // What the server would not take is not to be shown as if it had: the truth is read again.
  async reread() {
    const { status, data } = await this.transport.insist("GET", "state");
    if (status !== 200 || this.done || !data.answers || this.transport.queue.length) return;
    const sequence = Math.max(this.sheet.sequence, data.acknowledged);
    this.sheet.load({ ...data, acknowledged: sequence });
    this.desk.refresh((number) => !TEXT_KINDS.has(this.sheet.question(number).kind) || !this.desk.writing.has(number));
  }

  ended({ sentence, unsent }) {
    this.lock();
    this.dialog.close();
    this.status.saved("本页已停用", "bad");
    this.status.tell(sentence + (unsent ? `（本机还有 ${unsent} 条作答没有上传，请告诉监考员。）` : ""), "danger");
  }
}
