"""The practice bank of the demo: a few items of 电工 level 4 that candidates may see."""

from __future__ import annotations

from qbank.items.draft import Draft

BOOK = "《电工（四级）》培训教材"


def _single(place: str, point: str, stem: str, options: str, key: str, why: str) -> Draft:
    return Draft(kind="single", stem=stem, options=tuple(options.split("|")), key=key, explanation=why, source=BOOK,
                 difficulty=2, range_path=place, point_segment=point)


def _judge(place: str, point: str, stem: str, key: str, why: str) -> Draft:
    return Draft(kind="judge", stem=stem, options=(), key=key, explanation=why, source=BOOK, difficulty=1, range_path=place,
                 point_segment=point)


ITEMS = (
    _single("A-B-A", "001", "练习：两个 6 Ω 的电阻并联，等效电阻是（　　）。", "3 Ω|6 Ω|12 Ω|36 Ω", "A", "两个相等的电阻并联，等效电阻是其中一个的一半。"),
    _single("A-B-A", "006", "练习：我国工频交流电的频率是（　　）。", "25 Hz|50 Hz|60 Hz|100 Hz", "B", "我国电网的额定频率为 50 Hz。"),
    _judge("A-B-C", "003", "练习：用万用表电阻挡测量前，必须断开被测电路的电源。", "T", "带电测量电阻会损坏仪表，读数也不准。"),
    _single("A-B-C", "004", "练习：测量 380 V 电动机的绝缘电阻，应选用（　　）的兆欧表。", "100 V|250 V|500 V|5000 V", "C",
            "500 V 以下的设备一般选用 500 V 兆欧表。"),
    _judge("A-B-C", "005", "练习：低压验电笔使用前，应先在确知有电的带电体上试验，确认完好。", "T", "先验证验电笔良好，避免误判无电。"),
    _single("A-B-E", "001", "练习：发现有人低压触电，首先应（　　）。", "用手把人拉开|设法切断电源|向伤者泼水|等待医生到场", "B",
            "先使触电者脱离电源，施救者不得直接用手接触。"),
    _single("A-B-E", "002", "练习：停电作业的安全技术措施依次是停电、（　　）、装设接地线、悬挂标示牌和装设遮栏。", "验电|登记|合闸|清扫", "A",
            "停电之后必须验电，确认无电才能装设接地线。"),
    _judge("A-B-E", "004", "练习：带电的电气设备着火时，可以直接用水扑救。", "F", "水导电，应先切断电源，使用干粉或二氧化碳灭火器。"),
    _single("B-A-A", "006", "练习：热继电器在电动机控制电路中用作（　　）保护。", "短路|过载|欠压|漏电", "B", "热继电器有热惯性，不能用作短路保护。"),
    _judge("B-A-B", "001", "练习：接触器自锁控制电路具有失压保护作用。", "T", "失压后接触器释放，恢复供电时电动机不会自行起动。"),
    _single("B-B-B", "006", "练习：4 极三相异步电动机接 50 Hz 电源，同步转速是（　　）r/min。", "750|1000|1500|3000", "C",
            "n = 60f / p = 60 × 50 / 2 = 1500。"),
    _single("B-B-C", "005", "练习：剩余电流动作保护器投入运行后，应（　　）用试验按钮检查动作是否可靠。", "不再|每月|每十年|只在触电后", "B",
            "每月至少按一次试验按钮。"),
    _judge("B-C-A", "002", "练习：PLC 采用循环扫描的工作方式。", "T", "输入采样、程序执行、输出刷新依次循环。"),
    _single("B-C-C", "001", "练习：电感式接近开关能检测（　　）。", "木材|塑料|金属|纸张", "C", "它靠金属物体中的涡流改变振荡。"),
)
