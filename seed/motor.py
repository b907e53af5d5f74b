"""A set of items around one motor: shared material with a table and a drawing, a formula, a blank, a written item."""

from __future__ import annotations

from qbank.items import bank, pictures
from qbank.items.draft import Draft
from qbank.standards.models import WeightTable
from seed.stage import Stage

BOOK = "《电工（四级）》培训教材"
DRAWING = """<svg xmlns="http://www.w3.org/2000/svg" width="360" height="190" viewBox="0 0 360 190">
<rect width="360" height="190" fill="#ffffff"/>
<g fill="none" stroke="#1f2937" stroke-width="2">
<path d="M40 30V60M100 30V60M160 30V60"/><rect x="30" y="60" width="20" height="60"/><rect x="90" y="60" width="20" height="60"/>
<rect x="150" y="60" width="20" height="60"/><path d="M40 120V150H160V120M100 120V150"/>
<path d="M230 30V60M290 30V60M350 30V60" transform="translate(-10 0)"/><rect x="210" y="60" width="20" height="60"/>
<rect x="270" y="60" width="20" height="60"/><rect x="330" y="60" width="20" height="60"/>
<path d="M220 120V160H245V45H280M280 120V160H305V45H340M340 120V172H195V45H220"/></g>
<g font-family="sans-serif" font-size="14" fill="#1f2937"><text x="33" y="22">U</text><text x="94" y="22">V</text>
<text x="152" y="22">W</text><text x="213" y="22">U</text><text x="274" y="22">V</text><text x="334" y="22">W</text>
<text x="90" y="182">甲</text><text x="272" y="186">乙</text></g></svg>"""
PLATE = """某三相异步电动机的铭牌数据如下，甲、乙两图是它的定子绕组的两种接法。

| 项目 | 数值 | 项目 | 数值 |
|---|---|---|---|
| 额定功率 | 4 kW | 额定电压 | 380 V |
| 额定电流 | 8.8 A | 接法 | △ |
| 额定频率 | 50 Hz | 额定转速 | 1440 r/min |

![定子绕组的两种接法](media:HASH)"""


def _item(kind: str, stem: str, key: str, why: str, *, options: str = "", guide: str = "", stimulus: str = "",
          difficulty: int = 3) -> Draft:
    return Draft(kind=kind, stem=stem, options=tuple(options.split("|")) if options else (), key=key, explanation=why,
                 source=BOOK, source_page="第 96 页", difficulty=difficulty, range_path="B-B-B", point_segment="006",
                 guide=guide, stimulus=stimulus)


def write_set(stage: Stage, table_id: int) -> None:
    """Three items of one material, and one with a formula; two of them wait for the reviewers."""
    at = stage.days(-4)
    with stage.acting("author", at) as (session, who):
        table = session.get_one(WeightTable, table_id)
        school = who.institution_for(*(scope.role for scope in who.scopes)) or 0
        [sha] = pictures.keep(session, school, [DRAWING.encode()], who, now=at)
        plate = PLATE.replace("HASH", sha)
        written = [bank.add_item(session, table, school, draft, who, now=at) for draft in (
            _item("single", "按铭牌规定运行时，定子绕组应采用的接法是（　　）。", "B", "铭牌规定接成三角形，乙图首尾依次相连，是三角形接法。",
                  options="甲图，星形|乙图，三角形|甲图，三角形|乙图，星形", stimulus=plate, difficulty=2),
            _item("fill", "这台电动机的磁极对数为____，同步转速为____r/min。", "2|两\n=1500|=1500 r/min",
                  "额定转速略低于同步转速，50 Hz 时最接近的是 1500 r/min，p = 60 × 50 / 1500 = 2。", stimulus=plate),
            _item("short", "计算这台电动机的额定转差率，并说明它反映了什么。",
                  "$s_N=\\frac{n_0-n_N}{n_0}=\\frac{1500-1440}{1500}=0.04$，即 4 %。它反映转子转速比旋转磁场转速低的程度。",
                  "转差率随负载增大而增大；额定运行时一般为 0.01～0.06。",
                  guide="1|写出同步转速 1500 r/min\n2|写出转差率公式并代入\n1|结果 0.04（4 %）\n1|说明转差率的含义", stimulus=plate),
            _item("single", "三相异步电动机额定功率为 $P_N$、额定线电压为 $U_N$、效率为 $\\eta$、功率因数为 $\\cos\\varphi$，"
                            "它的额定线电流是（　　）。", "A", "三相功率 $P_1=\\sqrt{3}U_NI_N\\cos\\varphi$，而 $P_N=\\eta P_1$。",
                  options="$I_N=\\frac{P_N}{\\sqrt{3}U_N\\eta\\cos\\varphi}$|$I_N=\\frac{P_N}{3U_N\\eta\\cos\\varphi}$|"
                          "$I_N=\\frac{P_N\\eta}{\\sqrt{3}U_N\\cos\\varphi}$|$I_N=\\frac{P_N}{U_N\\eta}$", difficulty=4))]
        bank.submit_many(session, [written[0], written[3]], who, now=at)
