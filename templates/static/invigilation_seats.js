// How one seat looks: values of the board in, text and classes out. Nothing here asks the server.
"use strict";

const Seats = (() => {
  const LOST_AFTER = 25000;
  const two = (number) => String(number).padStart(2, "0");

  function span(milliseconds) {
    const whole = Math.max(0, Math.ceil(milliseconds / 1000));
    return `${Math.floor(whole / 3600)}:${two(Math.floor(whole / 60) % 60)}:${two(whole % 60)}`;
  }

  function clock(milliseconds) {
    return milliseconds === null ? "" : new Date(milliseconds).toLocaleTimeString("zh-CN", { hour12: false, timeZone: "Asia/Shanghai" });
  }

  function age(moment, now) {
    if (moment === null || moment === undefined) return "没有";
    const told = brief(moment, now);
    return told === "刚刚" ? told : `${told}前`;
  }

  function brief(moment, now) {
    if (moment === null || moment === undefined) return "未存";
    const seconds = Math.max(0, Math.round((now - moment) / 1000));
    if (seconds < 3) return "刚刚";
    return seconds < 120 ? `${seconds}秒` : `${Math.floor(seconds / 60)}分`;
  }

  function isLost(seat, now) {
    return seat.state === "started" && (seat.seen === null || now - seat.seen > LOST_AFTER);
  }

  // The one word that the colour says too.
  function kind(seat, now) {
    if (!seat.sheet) return "none";
    if (seat.paused !== null && seat.state !== "handed_in") return "paused";
    if (isLost(seat, now)) return "lost";
    if (seat.admission === "refused" && seat.state === "dealt") return "barred";
    return seat.state;
  }

  function state(seat, now) {
    return { none: seat.told, paused: "已暂停", lost: "失去联系", barred: "不准入场" }[kind(seat, now)] || seat.told;
  }

  function told(seat, now) {
    const what = kind(seat, now);
    if (what === "lost") return `失联${brief(seat.seen, now)}`;
    if (what === "paused") return `暂停 ${span(now - seat.paused)}`;
    if (seat.how) return seat.how;
    if (seat.state === "started") return `${seat.answered}/${seat.of} ${brief(seat.saved, now)}`;
    if (what === "dealt") return seat.admission === "admitted" ? "已核验" : "未核验";
    return state(seat, now);
  }

  function marks(seat) {
    const found = [];
    if (seat.page) found.push("换机");
    if (seat.gap) found.push("中断");
    if (seat.left) found.push(`离${seat.left}`);
    if (seat.unsent) found.push(`未传${seat.unsent}`);
    if (seat.extra) found.push(`${seat.extra > 0 ? "+" : ""}${Math.round(seat.extra / 60)}′`);
    return found.join(" ");
  }

  function offset(seat) {
    if (seat.offset === null || seat.offset === undefined) return "";
    const seconds = Math.round(seat.offset / 1000);
    return Math.abs(seconds) < 2 ? "准" : `${seconds > 0 ? "快" : "慢"} ${Math.abs(seconds)} 秒`;
  }

  function facts(seat, now) {
    const rows = [["座号", seat.number], ["姓名", seat.name], ["准考证", seat.ticket], ["班级", seat.class], ["状态", state(seat, now)]];
    if (!seat.sheet) return rows;
    if (seat.state !== "dealt") rows.push(["进度", `${seat.answered} / ${seat.of}`], ["保存", age(seat.saved, now)], ["联系", age(seat.seen, now)]);
    if (seat.address) rows.push(["地址", seat.address]);
    if (offset(seat)) rows.push(["电脑时钟", offset(seat)]);
    if (seat.left || seat.full === false) rows.push(["离开", `${seat.left} 次${seat.full === false ? "，未全屏" : ""}`]);
    if (seat.pages > 1) rows.push(["打开", `${seat.pages} 次`]);
    if (seat.unread) rows.push(["消息", `${seat.unread} 条未读`]);
    if (seat.percent !== 100) rows.push(["照顾", `时间 ${seat.percent}%`]);
    rows.push(["结束", clock(seat.ends)]);
    return rows;
  }

  return { span, clock, age, isLost, kind, state, told, marks, offset, facts };
})();
