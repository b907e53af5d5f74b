// The locked last screen with the receipt.

export function showFinal(section, receipt) {
  section.querySelector("#final-title").textContent = receipt.how === "缺考" ? "本场考试已结束" : "已交卷";
  section.querySelector("#final-told").textContent = receipt.how === "缺考"
    ? "您没有开始本场考试，按缺考处理。" : "答案已全部由服务器保存，不能再修改。请记下回执，安静离开考场。";
  const facts = [["交卷时间", receipt.at], ["交卷方式", receipt.how], ["已答题数", `${receipt.answered} / ${receipt.of}`], ["回执号", receipt.code]];
  section.querySelector("#final-facts").replaceChildren(...facts.flatMap(([name, value]) => {
    const term = document.createElement("dt");
    term.textContent = name;
    const text = document.createElement("dd");
    text.textContent = value;
    return [term, text];
  }));
  section.querySelector("#leave").hidden = false;
  section.hidden = false;
  section.focus();
}
