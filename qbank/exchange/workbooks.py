"""The workbooks that go out: the template to fill in, and the rows that could not be imported."""

from __future__ import annotations

from collections.abc import Sequence

from qbank.exchange.mapping import COLUMNS
from qbank.exchange.rows import EXAMPLE, WORDS
from qbank.exchange.tabular import WIDTHS
from qbank.items.draft import KINDS
from qbank.items.models import ImportRow
from qbank.kernel.export import Table
from qbank.standards.models import Point, WeightTable

GRADES = ("易", "较易", "中", "较难", "难")
NOTES = (
    ("鉴定范围", "必填", "细目表中最末一级范围的编码，各级用 - 连接，例如 B-A-C。鉴定点从下拉表里选了全称时可以空着。"),
    ("鉴定点", "必填", "范围内的三位编号，例如 001（写成 1 也可以）；或从下拉表里选全称，例如“B-A-C-001 电阻的串联”。"),
    ("题型", "必填", "单选题、多选题、判断题、填空题、简答题 或 论述题，可以从下拉表里选。"),
    ("题干", "必填", "不超过 2000 字。填空题用下划线 ____ 标出每个空。公式可以写成 $U=IR$，加粗写成 **文字**。"),
    ("选项A～选项J", "选择题必填", "2～10 个，依次填写，中间不能空；其他题型留空。“以上都对”一类选项在考试打乱顺序时始终排在最后。"),
    ("答案", "必填", "单选题填一个字母，多选题填全部字母（如 ACD），判断题填 对 或 错。填空题每个空一行（单元格内 Alt+回车），几种写法用 | 隔开，"
                  "数值写成 =220±5% V。简答题、论述题写参考答案。"),
    ("难度", "必填", "1～5，或 易、较易、中、较难、难。"),
    ("解析", "可空", "说明为什么是这个答案。"),
    ("评分标准", "简答题、论述题必填", "每行一个得分点：分值|内容，例如 2|切断电源并验电。"),
    ("共用题干", "可空", "几道题共用的材料，每道题都写上同样的文字。"),
    ("出处、出处页码、出处作者", "可空", "答案的依据，例如标准号、教材名称，第几页，谁编写。"),
    ("注意", "", "表头须在前 10 行内，列的先后不限；可以有多个工作表；不要合并单元格；数字、分数选项（如 1/2）请设为文本格式。"),
    ("注意", "", "单元格里的图片不会导入；题里有图片的，请用 Word 文档导入，或导入后再插入图片。"),
    ("注意", "", "同一道题在文件内重复或题库中已有的，会自动跳过；同一个文件导入两次不会重复入库。"),
)


def template(table: WeightTable | None, points: Sequence[Point]) -> list[Table]:
    """The workbook to fill in: lists to choose from, one example of each kind, notes, and for a certain table its points."""
    first = points[0] if points else None
    place = {"鉴定范围": first.range.path, "鉴定点": first.segment} if first else {"鉴定范围": "A-B-C", "鉴定点": "001"}
    lists: dict[str, Sequence[str] | str] = {"题型": list(KINDS.values()), "难度": GRADES}
    if points:
        lists["鉴定点"] = f"='鉴定点一览'!$F$3:$F${len(points) + 2}"
    sheets = [Table("题目", _columns(COLUMNS), [[(place | one).get(title) for title in COLUMNS] for one in _examples()], lists=lists),
              Table("填写说明", [("列", 24), ("是否必填", 18), ("怎样填写", 90)], NOTES)]
    if table is not None:
        codes = [[point.range.path, point.range.name, point.segment, point.name, point.importance.value, point.label]
                 for point in points]
        sheets.append(Table("鉴定点一览", [("鉴定范围", 12), ("范围名称", 30), ("鉴定点", 8), ("鉴定点名称", 40), ("重要程度", 9),
                                      ("全称（填在鉴定点列）", 50)], codes, title=table.label))
    return sheets


def _examples() -> list[dict[str, str]]:
    examples = [
        {"题型": "单选题", "题干": "在额定电压 220 V 下，一只 40 Ω 的电阻通过的电流是（　　）。", "选项A": "4.5 A", "选项B": "5.5 A",
         "选项C": "6.5 A", "选项D": "7.5 A", "答案": "B", "难度": "较易", "解析": "$I=\\frac{U}{R}=\\frac{220}{40}=5.5$ A。"},
        {"题型": "多选题", "题干": "下列属于绝缘材料的有（　　）。", "选项A": "橡胶", "选项B": "陶瓷", "选项C": "铝", "选项D": "云母",
         "答案": "ABD", "难度": "中", "解析": "铝是导体。"},
        {"题型": "判断题", "题干": "停电检修时，验电前应先在有电设备上确认验电器完好。", "答案": "对", "难度": "易"},
        {"题型": "填空题", "题干": "我国工频交流电的频率是____，周期是____。", "答案": "=50 Hz|=50 赫兹\n=0.02 s|=20 ms", "难度": "较易"},
        {"题型": "简答题", "题干": "停电检修前应采取哪些安全措施？", "答案": "停电、验电、挂接地线、悬挂标示牌和装设遮栏。",
         "评分标准": "2|停电并验电\n2|挂接地线\n1|悬挂标示牌、装设遮栏", "难度": "中"},
        {"题型": "论述题", "共用题干": "某车间一台 7.5 kW 三相异步电动机起动时熔断器熔断。", "题干": "分析可能的原因，并说明排查步骤。",
         "答案": "从电源、负载、电动机本体和保护整定四方面分析。", "评分标准": "5|列出可能的原因\n5|排查步骤合理", "难度": "较难"},
    ]
    return [one | {"出处": EXAMPLE} for one in examples]


def error_table(wrong: Sequence[ImportRow]) -> Table:
    """The rows that could not be imported, as they are now, with what is wrong; mended, the file can be imported again."""
    used = {title for row in wrong for title in row.cells} - {WORDS}
    own = [title for title in used if title not in COLUMNS]
    titles = [*(title for title in COLUMNS if title in used), *sorted(own)]
    body = [["\n".join(sentence for _, sentence in spoken_errors(row)), row.sheet_name or row.place, row.row_number,
             *(row.cells.get(title) for title in titles)] for row in wrong]
    return Table("有错误的行", [("错误", 50), ("原工作表", 12), ("原行号", 8), *_columns(titles)], body)


def spoken_errors(row: ImportRow) -> list[tuple[str, str]]:
    """(column title or "", sentence); rows of the first release kept sentences only."""
    return [("", one) if isinstance(one, str) else (one[0], one[1]) for one in row.errors]


def _columns(titles: Sequence[str]) -> list[tuple[str, int]]:
    return [(title, WIDTHS.get(title, 9)) for title in titles]
