"""Snippets of papers as teachers type them, each with the items that are meant."""

from __future__ import annotations

from dataclasses import dataclass

from qbank.items.draft import Draft

ABCD = ("伏特", "安培", "欧姆", "瓦特")
STEM = "电压的单位是（　　）。"


def item(kind: str, stem: str, key: str, options: tuple[str, ...] = (), *, explanation: str = "", source: str = "", difficulty: int = 0,
         range_path: str = "", point: str = "", guide: str = "", stimulus: str = "", page: str = "", author: str = "") -> Draft:
    return Draft(kind, stem, options, key, explanation, source, difficulty, range_path, point, guide, stimulus, page, author)


VOLT = item("single", STEM, "A", ABCD)


@dataclass(frozen=True)
class Snippet:
    sentence: str
    text: str
    items: tuple[Draft, ...]
    problems: tuple[str, ...] = ()  # a piece of each problem, in order
    notes: tuple[str, ...] = ()  # a piece of each note that must be there
    knowledge: str = ""


SNIPPETS = (
    Snippet("options on one line, key in the stem's bracket",
            "1. 电压的单位是（ A ）。\nA. 伏特  B. 安培  C. 欧姆  D. 瓦特", (VOLT,)),
    Snippet("options each on its own line, key below",
            "1、电压的单位是（　　）。\nA、伏特\nB、安培\nC、欧姆\nD、瓦特\n答案：A", (VOLT,)),
    Snippet("full-width signs, boxed key",
            "１．电压的单位是（　　）。\nＡ．伏特　Ｂ．安培　Ｃ．欧姆　Ｄ．瓦特\n【答案】Ａ", (VOLT,)),
    Snippet("bracketed letters, two on a line",
            "（1）电压的单位是（　　）。\n（A）伏特（B）安培\n（C）欧姆（D）瓦特\n参考答案：A", (VOLT,)),
    Snippet("half brackets and lower case",
            "1) 电压的单位是（　　）。\na) 伏特 b) 安培 c) 欧姆 d) 瓦特\n正确答案：a", (VOLT,)),
    Snippet("lower case with points, tabs between",
            "1. 电压的单位是（　　）。\na.伏特\tb.安培\tc.欧姆\td.瓦特\n答案:a", (VOLT,)),
    Snippet("第1题, options without any space",
            "第1题：电压的单位是（　　）。\nA.伏特B.安培C.欧姆D.瓦特\n答案 A", (VOLT,)),
    Snippet("stem, options and key all on one line",
            "1. 电压的单位是（　　）。 A. 伏特 B. 安培 C. 欧姆 D. 瓦特 答案：A", (VOLT,)),
    Snippet("letters with nothing but a space behind them",
            "1. 电压的单位是（　　）。\nA 伏特\nB 安培\nC 欧姆\nD 瓦特\n答案：A", (VOLT,)),
    Snippet("the key at the end of the stem's line",
            "1. 电压的单位是（　　）。  A\nA. 伏特 B. 安培 C. 欧姆 D. 瓦特", (VOLT,)),
    Snippet("the key behind the last option",
            "1. 电压的单位是（　　）。\nA. 伏特 B. 安培 C. 欧姆 D. 瓦特（A）", (VOLT,)),
    Snippet("the key in brackets with the word",
            "1. 电压的单位是（　　）。（答案：A）\nA. 伏特 B. 安培 C. 欧姆 D. 瓦特", (VOLT,)),
    Snippet("an explanation on the key's line, a source and a difficulty",
            "1. 电压的单位是（　　）。\nA. 伏特 B. 安培 C. 欧姆 D. 瓦特\n【答案】A【解析】以伏打命名。【难度】较易\n【出处】教材第 3 页",
            (item("single", STEM, "A", ABCD, explanation="以伏打命名。", source="教材第 3 页", difficulty=2),)),
    Snippet("an explanation of several lines",
            "1. 电压的单位是（　　）。\nA. 伏特 B. 安培 C. 欧姆 D. 瓦特\n答案：A\n解析：第一行。\nB. 是电流的单位。\n第三行。",
            (item("single", STEM, "A", ABCD, explanation="第一行。\nB. 是电流的单位。\n第三行。"),)),
    Snippet("a code of the point",
            "1. 电压的单位是（　　）。\nA. 伏特 B. 安培 C. 欧姆 D. 瓦特\n答案：A\n【鉴定点】B-A-C-003",
            (item("single", STEM, "A", ABCD, range_path="B-A-C", point="003"),)),
    Snippet("the point in words",
            "1. 电压的单位是（　　）。\nA. 伏特 B. 安培 C. 欧姆 D. 瓦特\n答案：A\n知识点：电路的基本物理量", (VOLT,), knowledge="电路的基本物理量"),
    Snippet("difficulty as a share and as stars",
            "1. 电是能量。（√）\n难度：0.75\n2. 电是颜色。（×）\n难度：★★★★",
            (item("judge", "电是能量。（　　）", "T", difficulty=2), item("judge", "电是颜色。（　　）", "F", difficulty=4))),
    Snippet("an answer list of ranges at the end",
            "一、单选题\n1. 甲是（ ）。\nA. 一 B. 二\n2. 乙是（ ）。\nA. 一 B. 二\n3. 丙是（ ）。\nA. 一 B. 二\n参考答案\n1-3 BAB",
            (item("single", "甲是（ ）。", "B", ("一", "二")), item("single", "乙是（ ）。", "A", ("一", "二")),
             item("single", "丙是（ ）。", "B", ("一", "二")))),
    Snippet("an answer list for each part, numbers begin anew",
            "一、单项选择题（每题1分，共2分）\n1. 甲是（ ）。\nA. 一 B. 二\n2. 乙是（ ）。\nA. 一 B. 二\n二、判断题（每题1分，共2分）\n1. 丁。（ ）\n"
            "2. 戊。（ ）\n"
            "试卷答案：\n一、单项选择题\n1.B 2.A\n二、判断题\n1．√ 2．×",
            (item("single", "甲是（ ）。", "B", ("一", "二")), item("single", "乙是（ ）。", "A", ("一", "二")),
             item("judge", "丁。（ ）", "T"), item("judge", "戊。（ ）", "F"))),
    Snippet("answers headed by nothing but the ordinal",
            "一、单选题\n1. 甲是（ ）。\nA. 一 B. 二\n2. 乙是（ ）。\nA. 一 B. 二\n二、判断题\n3. 丁。（ ）\n4. 戊。（ ）\n标准答案\n一、1-2 AB\n"
            "二、3-4 ×√",
            (item("single", "甲是（ ）。", "A", ("一", "二")), item("single", "乙是（ ）。", "B", ("一", "二")),
             item("judge", "丁。（ ）", "F"), item("judge", "戊。（ ）", "T"))),
    Snippet("keys without numbers under each heading",
            "一、单选题\n1. 甲是（ ）。\nA. 一 B. 二\n2. 乙是（ ）。\nA. 一 B. 二\n答案\n一、单选题\nBA",
            (item("single", "甲是（ ）。", "B", ("一", "二")), item("single", "乙是（ ）。", "A", ("一", "二")))),
    Snippet("a list of multiple keys in ranges",
            "一、多选题\n1. 甲有（ ）。\nA. 一 B. 二 C. 三\n2. 乙有（ ）。\nA. 一 B. 二 C. 三\n参考答案\n1-2 AB ABC",
            (item("multiple", "甲有（ ）。", "AB", ("一", "二", "三")), item("multiple", "乙有（ ）。", "ABC", ("一", "二", "三")))),
    Snippet("answers with their explanations at the end",
            "一、单选题\n1. 甲是（ ）。\nA. 一 B. 二\n2. 乙是（ ）。\nA. 一 B. 二\n参考答案及解析\n1. B 解析：甲为二。\n2.【答案】A\n【解析】乙为一。",
            (item("single", "甲是（ ）。", "B", ("一", "二"), explanation="甲为二。"),
             item("single", "乙是（ ）。", "A", ("一", "二"), explanation="乙为一。"))),
    Snippet("judgements in all their signs",
            "二、判断题\n1. 甲。（ √ ）\n2. 乙。（错）\n3. 丙。 ×\n4. 丁。（　　）\n答案：正确\n（ × ）5. 戊。\n6. 己。（T）\n7. 庚。（　　）答案：F",
            (item("judge", "甲。（　　）", "T"), item("judge", "乙。（　　）", "F"), item("judge", "丙。", "F"), item("judge", "丁。（　　）", "T"),
             item("judge", "戊。", "F"), item("judge", "己。（　　）", "T"), item("judge", "庚。（　　）", "F"))),
    Snippet("a judgement with its correction",
            "一、判断题\n1. 铜是绝缘体。（　　）\n答案：错误。铜是导体。", (item("judge", "铜是绝缘体。（　　）", "F", explanation="铜是导体"),)),
    Snippet("a judgement with A 正确 B 错误",
            "一、判断题\n1. 铜是导体。（　　）\nA. 正确 B. 错误\n答案：A", (item("judge", "铜是导体。（　　）", "T"),)),
    Snippet("several right ones make a multiple item where the heading says only 选择题",
            "一、选择题\n1. 甲是（ B ）。\nA. 一 B. 二 C. 三\n2. 乙有（ AC ）。\nA. 一 B. 二 C. 三",
            (item("single", "甲是（　　）。", "B", ("一", "二", "三")), item("multiple", "乙有（　　）。", "AC", ("一", "二", "三")))),
    Snippet("the kind at the item itself", "1.（多选题）甲有（　　）。\nA. 一 B. 二 C. 三\n答案：A、C\n2.【判断题】乙。\n答案：对",
            (item("multiple", "甲有（　　）。", "AC", ("一", "二", "三")), item("judge", "乙。", "T"))),
    Snippet("blanks with semicolons and other wordings",
            "三、填空题\n1. 工频是____Hz，线电压是____V。\n答案：50；380|三百八十",
            (item("fill", "工频是____Hz，线电压是____V。", "50\n380|三百八十"),)),
    Snippet("brackets as blanks", "三、填空题\n1. 电流的单位是（　　），符号是（　　）。\n答案：安培；A",
            (item("fill", "电流的单位是____，符号是____。", "安培\nA"),)),
    Snippet("answers in the brackets of blanks", "三、填空题\n1. 电流的单位是（ 安培 ），符号是（ A ）。",
            (item("fill", "电流的单位是____，符号是____。", "安培\nA"),)),
    Snippet("blanks answered at the end of the paper",
            "三、填空题\n1. 工频是____Hz。\n2. 线电压是____V，相电压是____V。\n参考答案\n三、填空题\n1. 50\n2. 380；220",
            (item("fill", "工频是____Hz。", "50"), item("fill", "线电压是____V，相电压是____V。", "380\n220"))),
    Snippet("a written answer whose steps carry points",
            "四、简答题（每题10分）\n1. 简述停电操作的步骤。（10分）\n参考答案：\n1. 断电（3分）\n2. 验电（3分）\n3. 挂牌（4分）\n2. 什么是接地？\n"
            "答：与大地相连。（10分）",
            (item("short", "简述停电操作的步骤。", "1. 断电\n2. 验电\n3. 挂牌", guide="3|1. 断电\n3|2. 验电\n4|3. 挂牌"),
             item("short", "什么是接地？", "与大地相连。", guide="10|与大地相连。"))),
    Snippet("a model answer and a marking guide apart",
            "五、论述题\n1. 论述安全用电。\n【参考答案】先断电，再验电。\n【评分标准】答出断电（2分）；答出验电（3分）。",
            (item("essay", "论述安全用电。", "先断电，再验电。", guide="2|答出断电\n3|答出验电"),)),
    Snippet("a case with its own questions",
            "六、案例分析题\n【材料】（第 1～2 题）某车间发生触电。\n经查，漏电保护器失效。\n1. 首先应（ ）。\nA. 断电 B. 拍照\n答案：A\n"
            "2. 原因是（ ）。\nA. 雷击 B. 漏电\n答案：B",
            (item("single", "首先应（ ）。", "A", ("断电", "拍照"), stimulus="某车间发生触电。\n经查，漏电保护器失效。"),
             item("single", "原因是（ ）。", "B", ("雷击", "漏电"), stimulus="某车间发生触电。\n经查，漏电保护器失效。"))),
    Snippet("questions (1) (2) under one case",
            "六、案例分析题\n1. 某车间发生触电，漏电保护器失效。\n（1）首先应（ ）。\nA. 断电 B. 拍照\n答案：A\n（2）原因是（ ）。\nA. 雷击 B. 漏电\n答案：B",
            (item("single", "首先应（ ）。", "A", ("断电", "拍照"), stimulus="某车间发生触电，漏电保护器失效。"),
             item("single", "原因是（ ）。", "B", ("雷击", "漏电"), stimulus="某车间发生触电，漏电保护器失效。"))),
    Snippet("a shared text for a range of numbers only",
            "根据以下材料，回答第 2～3 题。\n电路由电源和负载组成。\n2. 甲是（ A ）。\nA. 一 B. 二\n3. 乙是（ B ）。\nA. 一 B. 二\n4. 丙是（ A ）。\n"
            "A. 一 B. 二",
            (item("single", "甲是（　　）。", "A", ("一", "二"), stimulus="电路由电源和负载组成。"),
             item("single", "乙是（　　）。", "B", ("一", "二"), stimulus="电路由电源和负载组成。"), item("single", "丙是（　　）。", "A", ("一", "二")))),
    Snippet("names, page numbers and instructions are no items",
            "电工四级理论知识试卷\n姓名：________ 准考证号：________\n考试时间：90 分钟\n"
            "一、单项选择题(第1题~第1题。选择一个正确的答案，将相应的字母填入题内的括号中。每题1分，满分1分。)\n"
            "1. 电压的单位是（ A ）。\nA. 伏特  B. 安培\n第 1 页 共 6 页\nC. 欧姆  D. 瓦特", (VOLT,), notes=("页眉页脚", "每题 1 分")),
    Snippet("letters in brackets that are no key", "1. 安培（A）是（ B ）的单位。\nA. 电压 B. 电流\n2. 电阻（R）的单位是（　　）。\nA. 欧姆 B. 伏特\n答案：A",
            (item("single", "安培（A）是（　　）的单位。", "B", ("电压", "电流")), item("single", "电阻（R）的单位是（　　）。", "A", ("欧姆", "伏特")))),
    Snippet("numbers that are no item numbers",
            "1. 一台电动机的功率是（　　）。\n1.5kW 与 2.2kW 中选。\nA. 1.5kW B. 2.2kW\n答案：A",
            (item("single", "一台电动机的功率是（　　）。\n1.5kW 与 2.2kW 中选。", "A", ("1.5kW", "2.2kW")),)),
    Snippet("phases A、B、C in a stem are no options", "1. 三相 A、B、C 依次为（　　）。\nA. 黄绿红 B. 红绿黄\n答案：A",
            (item("single", "三相 A、B、C 依次为（　　）。", "A", ("黄绿红", "红绿黄")),)),
    Snippet("statements (1) (2) inside a stem",
            "1. 下列正确的是（　　）。\n（1）铜导电\n（2）木导电\nA. （1） B. （2）\n答案：A\n2. 丙是（ B ）。\nA. 一 B. 二",
            (item("single", "下列正确的是（　　）。\n（1）铜导电\n（2）木导电", "A", ("（1）", "（2）")), item("single", "丙是（　　）。", "B",
            ("一", "二")))),
    Snippet("a formula and a picture stay where they are",
            "1. 由 $R=\\frac{U}{I}$ 得 ![图1](media:" + "a" * 64 + ") 的电阻为（　　）。\nA. $\\frac{A.1}{B.2}$ B. 2 Ω\n答案：B",
            (item("single", "由 $R=\\frac{U}{I}$ 得 ![图1](media:" + "a" * 64 + ") 的电阻为（　　）。", "B", ("$\\frac{A.1}{B.2}$", "2 Ω")),)),
    Snippet("a dollar that is no formula", "1. 每件 $5，两件共（　　）。\nA. $10 B. $5\n答案：A", (item("single", "每件 \\$5，两件共（　　）。", "A",
            ("\\$10", "\\$5")),)),
    Snippet("a table in a stem", "1. 由下表可知（　　）。\n| 量 | 值 |\n|---|---|\n| U | 5 |\nA. 甲 B. 乙\n答案：A",
            (item("single", "由下表可知（　　）。\n| 量 | 值 |\n|---|---|\n| U | 5 |", "A", ("甲", "乙")),)),
    Snippet("Aiken without numbers", "电压的单位是（　　）。\nA. 伏特\nB. 安培\nANSWER: A\n\n电流的单位是（　　）。\nA. 伏特\nB. 安培\nANSWER: B",
            (item("single", STEM, "A", ("伏特", "安培")), item("single", "电流的单位是（　　）。", "B", ("伏特", "安培")))),
    Snippet("a paper without headings", "1. 电压的单位是（　　）。\nA. 伏特 B. 安培\n答案：A\n2. 铜导电。（　　）\n答案：√\n3. 工频为____Hz。\n"
            "答案：50\n4. 什么是接地？\n答案：与大地相连。",
            (item("single", STEM, "A", ("伏特", "安培")), item("judge", "铜导电。（　　）", "T"), item("fill", "工频为____Hz。", "50"),
             item("short", "什么是接地？", "与大地相连。"))),
    # What is broken is named
    Snippet("a missing key is named", "1. 甲是（ ）。\nA. 一 B. 二\n2. 乙是（ A ）。\nA. 一 B. 二",
            (item("single", "甲是（ ）。", "", ("一", "二")), item("single", "乙是（　　）。", "A", ("一", "二"))), ("没有找到答案：第 1 行",)),
    Snippet("a key that is no option", "1. 甲是（ ）。\nA. 一 B. 二\n答案：D", (item("single", "甲是（ ）。", "D", ("一", "二")),), ("没有“D”",)),
    Snippet("a skipped letter", "1. 甲是（ A ）。\nA. 一\nB. 二\nD. 四", (item("single", "甲是（　　）。", "A", ("一", "二", "", "四")),),
            ("选项字母不连续",)),
    Snippet("a letter twice", "1. 甲是（ A ）。\nA. 一\nB. 二\nB. 三", (item("single", "甲是（　　）。", "A", ("一", "二", "三")),), ("两个选项 B",)),
    Snippet("two keys", "1. 甲是（ A ）。\nA. 一 B. 二\n答案：B", (item("single", "甲是（　　）。", "B", ("一", "二")),), ("两个不同的答案",)),
    Snippet("a number twice", "1. 甲是（ A ）。\nA. 一 B. 二\n1. 乙是（ B ）。\nA. 一 B. 二",
            (item("single", "甲是（　　）。", "A", ("一", "二")), item("single", "乙是（　　）。", "B", ("一", "二"))),
            ("题号 1 出现了两次（第 1 行和第 3 行）",)),
    Snippet("a gap in the numbers", "1. 甲是（ A ）。\nA. 一 B. 二\n3. 乙是（ B ）。\nA. 一 B. 二",
            (item("single", "甲是（　　）。", "A", ("一", "二")), item("single", "乙是（　　）。", "B", ("一", "二"))), ("第 2 题没有找到",)),
    Snippet("a key for an item that is not there", "1. 甲是（ ）。\nA. 一 B. 二\n2. 乙是（ ）。\nA. 一 B. 二\n参考答案\n1-3 ABA",
            (item("single", "甲是（ ）。", "A", ("一", "二")), item("single", "乙是（ ）。", "B", ("一", "二"))), notes=("第 3 题（A），试卷里没有这道题",)),
    Snippet("fewer items than the heading says", "一、单选题（每题2分，共6分）\n1. 甲是（ A ）。\nA. 一 B. 二", (item("single", "甲是（　　）。",
            "A", ("一", "二")),),
            notes=("应有 3 题，读到 1 题",)),
    Snippet("text that belongs to nothing", "1. 甲是（ A ）。\nA. 一 B. 二\n\n本卷由教研室审核。\n2. 乙是（ B ）。\nA. 一 B. 二",
            (item("single", "甲是（　　）。", "A", ("一", "二")), item("single", "乙是（　　）。", "B", ("一",
            "二"))), notes=("第 4 行“本卷由教研室审核。”不属于任何题目",)),
)
