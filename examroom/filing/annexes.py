"""What the notice's two annexes ask for, as data: fields, tables with their columns, the plan's six parts, materials (pure).

The form's editor, the import, the completeness check, the PDF and the Word document are all made from these lists.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Field:
    """One box: where it is kept, how the annex calls it; ``choices``: what it is chosen from; ``annex``: printed there."""

    key: str
    title: str
    required: bool = True
    width: int = 14
    choices: tuple[str, ...] = ()
    annex: bool = True


@dataclass(frozen=True)
class Part:
    """One table of annex 1: its heading, what it is called for short, its columns, the least number of rows."""

    key: str
    heading: str
    short: str
    columns: tuple[Field, ...]
    least: int = 1
    people: bool = False  # rows are persons: an identity number is kept, encrypted, beside them


OFFICE, PAPERS, THEORY_ROOM, WORKSHOP = "办公场所", "试卷档案保管场所", "理论考场", "操作技能考核场地"
EXAM_COMPUTERS, VIDEO = "计算机考务管理", "视频监控"
OWNERSHIPS = ("自有", "租用", "共建共用", "借用")
EDUCATION = ("研究生", "大学本科", "大学专科", "中专（中技）", "高中", "其他")

UNIT: tuple[Field, ...] = (
    Field("name", "名称"), Field("address", "地址"), Field("registration", "注册登记机构"), Field("credit_code", "统一社会信用代码"),
    Field("contact", "联系人"), Field("post", "职务"), Field("landline", "座机"), Field("mobile", "手机"), Field("email", "电子邮箱"),
    Field("rules", "规章制度文件（另附）"),
    Field("station", "原职业技能鉴定所（站）名称", annex=False), Field("station_licence", "鉴定许可证编号", annex=False),
    Field("station_since", "开展鉴定工作起始年份", annex=False),
)
STRENGTHS, SITES_NOTE, IT_NOTE = "strengths", "sites_note", "it_note"
PROSE: tuple[Field, ...] = (
    Field(STRENGTHS, "三、院校主干专业范围及具备的组织优势、专业优势等"),
    Field(SITES_NOTE, "（一）场地情况说明", required=False), Field(IT_NOTE, "（三）计算机考务管理及视频监控设备配置说明", required=False),
)
_PERSON = (Field("name", "姓名"), Field("identity", "身份证号", width=27))
PARTS: tuple[Part, ...] = (
    Part("sites", "四（一）场地情况", "场地", (
        Field("use", "用途", choices=(OFFICE, PAPERS, THEORY_ROOM, WORKSHOP, "其他"), width=18), Field("name", "名称", width=20),
        Field("address", "地点", width=20), Field("area", "面积（平方米）"), Field("places", "工位（座位）数", required=False),
        Field("owner", "所有权归属", choices=OWNERSHIPS))),
    Part("equipment", "四（二）设施设备情况", "设施设备", (
        Field("name", "名称", width=20), Field("brand", "品牌"), Field("model", "规格型号", width=18), Field("number", "数量", width=8),
        Field("owner", "所有权归属", choices=OWNERSHIPS))),
    Part("it", "四（三）计算机考务管理及视频监控设备配置情况", "考务与监控设备", (
        Field("use", "类别", choices=(EXAM_COMPUTERS, VIDEO, "其他"), width=16), Field("name", "名称", width=20), Field("brand", "品牌"),
        Field("model", "规格型号", width=18), Field("number", "数量", width=8), Field("place", "安装位置", required=False, width=18))),
    Part("staff", "五（一）专职工作人员情况", "专职工作人员", (
        *_PERSON, Field("post", "职务/职称", width=16), Field("education", "学历", choices=EDUCATION), Field("duties", "主要工作职责", width=30)),
        people=True),
    Part("experts", "五（二）专家情况", "专家", (
        *_PERSON, Field("unit", "所在单位", width=20), Field("post", "职务/职称技能等级", width=18), Field("education", "学历", choices=EDUCATION),
        Field("field", "专业方向", width=18)), people=True),
    Part("assessors", "五（三）考评人员情况", "考评人员", (
        *_PERSON, Field("unit", "所在单位", width=20), Field("post", "职务/职称技能等级", width=18), Field("education", "学历", choices=EDUCATION),
        Field("field", "考评职业领域", width=18)), people=True),
)
PART_OF = {part.key: part for part in PARTS}
MOST_ROWS = 500

PLAN: tuple[Field, ...] = (
    Field("profile", "（一）申请试点单位基本情况：学校简介、专业设置、职业技能鉴定所（站）工作开展情况等"),
    Field("bodies", "（二）试点工作机构情况（领导小组或工作组）"),
    Field("scope", "（三）工作范围（认定人员范围与认定职业范围）"),
    Field("work", "（四）主要工作内容"), Field("quality", "（五）质量管控措施"), Field("schedule", "（六）时间安排"),
)


@dataclass(frozen=True)
class Paper:
    """One line of annex 2's list, or proof that annex 1 wants attached. ``each``: for every standard that is applied for."""

    key: str
    title: str
    clause: str
    each: bool = False
    required: bool = True
    renewal: bool = True  # asked again when a filing is extended


MATERIALS: tuple[Paper, ...] = (
    Paper("form", "《试点技工院校职业技能等级认定备案申请表》（盖章扫描件）", "附件2 一"),
    Paper("legal", "事业单位法人证书", "附件2 二", renewal=False),
    Paper("plan", "《职业技能等级认定试点工作实施方案》（盖章扫描件，正文在系统中填写）", "附件2 三", required=False),
    Paper("standard", "申请开展评价职业（工种）的国家职业技能标准（没有国家标准的附评价规范）", "附件2 四（一）", each=True),
    Paper("training", "认定职业的培训教程及试题样本", "附件2 四（二）", each=True),
    Paper("assessors", "考评员名录及技术技能水平证明、考评员证等", "附件2 四（三）"),
    Paper("rules", "职业技能等级认定相关工作的规章制度汇编", "附件2 四（四）", renewal=False),
    Paper("it", "信息化管理方案、场地设施设备资产情况", "附件2 四（五）"),
    Paper("ownership", "场地、设施设备权属证明材料", "附件1 四", renewal=False),
    Paper("skills", "专职工作人员、专家的技术技能水平证明复印件", "附件1 五"),
    Paper("other", "其他材料", "附件2", required=False),
)
MATERIAL_OF = {paper.key: paper for paper in MATERIALS}

# What the city looks at on the spot: (key, clause, question).
CHECKS: tuple[tuple[str, str, str], ...] = (
    ("lawful", "一（一）", "依法设立、管理规范、信用良好，正常办学且开展过职业技能鉴定工作"),
    ("formerly", "一（二）", "申报职业（工种）在原鉴定所（站）范围以内，开设相适应的专业课程，有一定影响力"),
    ("places", "一（三）", "有专门的办公场所、试卷档案保管场所，管理运行制度完善"),
    ("people", "一（三）", "配备与评价职业（工种）相适应的专职工作人员、专家技术人员、考评人员"),
    ("equipment", "一（四）", "有与评价职业（工种）相适应的场地、设施设备"),
    ("video", "一（四）", "视频监控系统覆盖考场和考核场地，录像能够保存"),
    ("basis", "二（二）", "评价依据符合要求：国家职业技能标准，没有的有依据行业标准制定的评价规范"),
    ("supervision", "一（六）", "自愿接受人力资源社会保障部门的监督管理"),
)
PLEDGE = ("本单位自愿申请职业技能等级认定备案，面向本院校学生开展认定，自愿接受人力资源社会保障部门的监督管理，不超备案范围、"
          "不授权或委托其他机构开展认定，所填内容和所附材料真实有效。")

# The parts of an evaluation report of the pilot (notice, part 五, last paragraph).
REPORT: tuple[Field, ...] = (
    Field("overview", "一、试点开展情况"), Field("organisation", "二、组织管理与制度执行"), Field("quality", "三、认定质量与质量监督情况"),
    Field("problems", "四、存在的问题与整改"), Field("advice", "五、评估意见和建议"),
)
