// The acts beside the map: for whom, one click, a sentence, and how to take it back.
"use strict";

(() => {
  const { room } = Room;
  const toast = document.querySelector("[data-toast]");
  const asks = document.querySelector("[data-asks]");
  const csrf = () => document.querySelector('meta[name="csrf-token"]').content;
  let undo = null;

  function say(sentence, bad = false, back = null) {
    toast.hidden = false;
    toast.classList.toggle("toast-bad", bad);
    toast.querySelector("span").textContent = sentence;
    undo = back;
    toast.querySelector("[data-undo]").hidden = !back;
  }
  toast.querySelector("[data-dismiss]").addEventListener("click", () => { toast.hidden = true; });
  toast.querySelector("[data-undo]").addEventListener("click", takeBack);

  async function send(address, body, reload = false) {
    let response;
    try {
      response = await fetch(address, { method: "POST", body, headers: { Accept: "application/json", "X-CSRFToken": csrf() } });
    } catch {
      say("暂时连不上服务器，这一步没有办成。请看一下网络，再点一次。", true);
      return false;
    }
    if (response.status === 401) { location.reload(); return false; }
    const answer = await response.json().catch(() => ({ sentence: "服务器没有办成这一步，请再点一次。" }));
    if (!response.ok) {
      say([answer.sentence, ...(answer.details || [])].join("\n"), true);
      return false;
    }
    if (reload) { location.reload(); return true; }
    say(answer.told, false, answer.undo);
    await Promise.all([Room.ask().catch(() => {}), notes()]);
    return true;
  }

  function takeBack() {
    if (!undo) return;
    const body = new FormData();
    for (const [name, values] of Object.entries(undo.fields)) values.forEach((value) => body.append(name, value));
    const { url } = undo;
    undo = null;
    send(url, body, url.endsWith("/open") || url.endsWith("/shut"));
  }

  async function notes() {
    const response = await fetch(room.dataset.notes, { cache: "no-store" }).catch(() => null);
    if (response && response.ok) document.querySelector("[data-notes-here]").innerHTML = await response.text(); // our own template
  }

  // ---- forms
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-act")) return;
    event.preventDefault();
    const button = event.submitter;
    const needs = form.dataset.need;
    if ((needs === "one" && Room.picked.size !== 1) || (needs === "some" && Room.picked.size === 0)) {
      say(needs === "one" ? "请先在座位图上点选一名考生。" : "请先在座位图上点选考生。", true);
      return;
    }
    if (form.dataset.question && !window.confirm(form.dataset.question)) return;
    if (form.dataset.voidQuestion && form.elements.voids_theory.checked && !window.confirm(form.dataset.voidQuestion)) return;
    const body = new FormData(form, button);
    if (form.querySelector("[data-targets]")) for (const sheet of Room.picked) body.append("sheet_id", sheet);
    if (form.hasAttribute("data-with-reason") || (button && button.hasAttribute("data-needs-reason"))) body.set("reason", document.getElementById("reason").value);
    if (button && button.hasAttribute("data-other-minutes")) body.set("minutes", form.querySelector("[data-minutes]").value);
    const checking = form.action.endsWith("/check");
    const done = await send(form.action, body, form.hasAttribute("data-reload"));
    if (!done) return;
    if (form.hasAttribute("data-clear")) form.reset();
    if (checking) next();
    if (form.action.endsWith("/evacuate")) choose("none"); // what comes next is for the whole room again
  });

  // After a check the next candidate who waits for it is chosen.
  function next() {
    const last = Math.max(0, ...Room.seats().filter((seat) => Room.picked.has(seat.sheet)).map((seat) => seat.number));
    const waiting = Room.seats().filter((seat) => seat.state === "dealt" && !seat.admission);
    const following = waiting.find((seat) => seat.number > last) || waiting[0];
    Room.picked.clear();
    if (following) { Room.picked.add(following.sheet); Room.focus(following.number); }
    Room.tick();
  }

  document.querySelectorAll("[data-pick]").forEach((button) => button.addEventListener("click", () => choose(button.dataset.pick)));
  function choose(what) {
    const tests = { all: () => true, none: () => false, unchecked: (seat) => seat.state === "dealt" && !seat.admission, lost: (seat) => Seats.isLost(seat, Room.now()) };
    Room.pick(Room.seats().map((seat) => seat.number), tests[what]);
  }

  // ---- keyboard
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || !Room.acting) return;
    const typing = event.target.closest("input, textarea, select");
    if (event.key === "Escape") { if (typing) typing.blur(); else choose("none"); return; }
    if (typing) return;
    const key = event.key.toLowerCase();
    const target = document.querySelector(`[data-key="${key}"]`);
    if (key === "a") choose("all");
    else if (key === "z") takeBack();
    else if (key === "?") document.querySelector('[data-fold="keys"]').open = true;
    else if (target) {
      const fold = target.closest("details");
      if (fold) fold.open = true;
      if (target.matches("button")) target.click(); else target.focus();
    } else return;
    event.preventDefault();
  });

  // ---- what is chosen, and what waits for a decision
  function who() {
    const chosen = Room.seats().filter((seat) => Room.picked.has(seat.sheet));
    const title = document.querySelector("[data-who]");
    if (!title) return;
    title.textContent = chosen.length === 0 ? "全考场" : chosen.length === 1 ? `${chosen[0].number} 号 ${chosen[0].name}` : `已选 ${chosen.length} 人`;
    document.querySelector("[data-who-told]").textContent = chosen.length === 0 ? "在座位图上点选考生，只对他们办理；不选就是对全考场。"
      : chosen.length === 1 ? "" : chosen.map((seat) => seat.name).join("、");
    document.querySelectorAll("[data-need]").forEach((form) => form.toggleAttribute("data-off", form.dataset.need === "one" ? chosen.length !== 1 : chosen.length === 0));
    const card = document.querySelector("[data-one]");
    card.hidden = chosen.length !== 1;
    if (chosen.length === 1) show(chosen[0]);
  }

  function show(seat) {
    const photo = document.querySelector("[data-one-photo]");
    photo.hidden = !seat.photo;
    document.querySelector("[data-one-none]").hidden = seat.photo;
    const address = room.dataset.photo.replace("/seats/0/", `/seats/${seat.seat}/`);
    if (seat.photo && photo.getAttribute("src") !== address) photo.src = address;
    const facts = Seats.facts(seat, Room.now());
    const held = document.querySelector("[data-one-facts]");
    held.replaceChildren(...facts.flatMap(([name, value]) => {
      const term = document.createElement("dt");
      const said = document.createElement("dd");
      term.textContent = name;
      said.textContent = value;
      return [term, said];
    }));
    if (seat.sheet && seat.extra !== undefined) {
      const link = document.createElement("a");
      link.href = room.dataset.ledger.replace("/sheets/0/", `/sheets/${seat.sheet}/`);
      link.textContent = "时间账";
      held.lastElementChild.append(" ", link);
    }
  }

  function ask(sentence, ...buttons) {
    const line = document.createElement("p");
    const told = document.createElement("span");
    told.textContent = sentence;
    line.append(told, ...(Room.acting ? buttons.map(([label, address, fields, danger]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.className = `btn btn-sm ${danger ? "btn-primary" : "btn-secondary"}`;
      button.textContent = label;
      button.addEventListener("click", () => {
        const body = new FormData();
        Object.entries(fields).forEach(([name, value]) => body.append(name, value));
        send(address, body);
      });
      return button;
    }) : []));
    return line;
  }

  let asked = "";
  function waiting() {
    const found = Room.seats().filter((seat) => seat.page || seat.gap).sort((one, other) => Boolean(other.page) - Boolean(one.page));
    const now = JSON.stringify(found.map((seat) => [seat.number, seat.page, seat.gap]));
    if (now === asked) return;
    asked = now;
    const lines = found.flatMap((seat) => [
      ...(seat.page ? [ask(`${seat.number} 号 ${seat.name} 在 ${seat.page.address} 请求换机。请核对本人和准考证；同意后原电脑立即停用。`,
        ["同意换机", room.dataset.admit.replace("/pages/0/", `/pages/${seat.page.id}/`), {}, true])] : []),
      ...(seat.gap ? [ask(`${seat.number} 号 ${seat.name} 在 ${seat.gap.from} 至 ${seat.gap.to} 失去联系 ${seat.gap.seconds} 秒。`,
        [`补时 ${seat.gap.seconds} 秒`, room.dataset.settle, { interruption_id: seat.gap.id, seconds: seat.gap.seconds }, true],
        ["不补", room.dataset.settle, { interruption_id: seat.gap.id, seconds: 0 }, false])] : [])]);
    if (found.filter((seat) => seat.gap).length > 1) lines.push(ask("以上中断都属实时，可以一次办完。", ["全部按测得时长补时", room.dataset.settle, { all: "yes" }, true]));
    asks.replaceChildren(...lines);
    asks.hidden = lines.length === 0;
  }

  document.addEventListener("room:shown", () => { who(); waiting(); });
  notes();
})();
