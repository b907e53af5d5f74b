"""Verifies an evidence pack (归档卷) by itself: no database, no other module, only Python's standard library. Pure.

A copy of this file lies in every pack as ``verify.py``: ``python3 verify.py PACK.zip [--key THUMBPRINT] [--head HASH]``.
It reads as a stream, so a pack may be larger than the memory. Each formula is written down here once more, on purpose:
what the program wrote is checked by something that does not share its code.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import zipfile
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

MANIFEST, SIGNATURE, SUMS = "manifest.json", "manifest.sig.json", "SHA256SUMS"
OUTSIDE = {MANIFEST, SIGNATURE, SUMS}  # not listed in the manifest: it, its signature, and the same list for sha256sum
SHEETS, EVENTS, PAPERS, TRAIL = "rows/sheets.jsonl", "rows/answer_events.jsonl", "rows/papers.jsonl", "audit.jsonl"
SIGNED = {"rows/room_closings.jsonl": "考场情况记录单", "rows/mark_sheets.jsonl": "评分记录表", "rows/review_panels.jsonl": "综合评审会议记录"}
GENESIS = "0" * 64
BROKEN = (zipfile.BadZipFile, zlib.error, OSError, EOFError, NotImplementedError, RuntimeError, ValueError, KeyError, TypeError,
          AttributeError)
CHUNK = 2**20
MOST_HELD = 64 * 2**20  # of one file that is read as a whole, or of one row: what is larger is no pack of ours
SHA256_PREFIX = bytes.fromhex("3031300d060960864801650304020105000420")  # DigestInfo of RFC 8017, 9.2
ENTRY = ("actor_id", "actor_name", "action", "table_name", "row_key", "changes", "at")


@dataclass(frozen=True)
class Finding:
    """Something wrong. ``kind``: unreadable, missing, changed, extra, order, signature, chain, audit, paper."""

    kind: str
    name: str  # of the file, or of the sheet, entry or paper
    sentence: str


@dataclass
class Report:
    """What an examination found. ``notes`` are facts that a person should compare, not findings."""

    manifest: dict[str, Any] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    key: str = ""  # thumbprint of the key that signed; empty: no signature that holds
    files: int = 0
    sheets: int = 0
    events: int = 0
    entries: int = 0  # of the audit trail

    def add(self, kind: str, name: str, sentence: str) -> None:
        self.findings.append(Finding(kind, name, sentence))


def examine(stream: IO[bytes], *, keys: Collection[str] = (), heads: Collection[str] = ()) -> Report:
    """Check a pack. ``keys``: thumbprints of the school's keys, from its cover or its address; ``heads``: heads of the
    audit trail as printed on signed minutes; both come from outside the pack, which alone could be made anew as a whole."""
    report = Report()
    try:
        with zipfile.ZipFile(stream) as pack:
            _manifest(pack, report, keys)
            if report.manifest:
                _files(pack, report)
            if report.manifest.get("format", 1) >= 2:
                _sheets(pack, report)
                _trail(pack, report, heads)
                _papers(pack, report)
    except BROKEN as error:
        report.add("unreadable", "", f"归档卷无法读取：{error}")
    return report


def thumbprint(key: Mapping[str, str]) -> str:
    """RFC 7638: the name of a public key, the same wherever it is written down."""
    text = json.dumps({"e": key["e"], "kty": key["kty"], "n": key["n"]}, separators=(",", ":"))
    return _base64(hashlib.sha256(text.encode()).digest())


def _base64(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _manifest(pack: zipfile.ZipFile, report: Report, keys: Collection[str]) -> None:
    names = pack.namelist()
    for name in sorted(name for name, times in Counter(names).items() if times > 1):
        report.add("extra", name, f"卷内有两个同名文件：{name}")
    if MANIFEST not in names:
        report.add("missing", MANIFEST, "卷内没有目录（manifest.json），不能核验。")
        return
    content = _read(pack, MANIFEST)
    try:
        found = json.loads(content or b"")
        listed_of(found)
    except BROKEN:
        report.add("changed", MANIFEST, "目录（manifest.json）无法读取。")
        return
    report.manifest = found
    if found.get("format", 1) >= 2:
        _signature(pack, content or b"", report, keys)
    if SUMS in names and _read(pack, SUMS) != sums(listed_of(found)):
        report.add("changed", SUMS, "SHA256SUMS 与目录不一致：其中一个被改动过。")


def listed_of(manifest: Mapping[str, Any]) -> list[tuple[str, str, int]]:
    """(name, SHA-256, bytes) of each file, in the order of the pack; packs of the first format have no order of their own."""
    files = manifest["files"]
    if isinstance(files, dict):
        return [(str(name), str(one["sha256"]), int(one["bytes"])) for name, one in sorted(files.items())]
    return [(str(one["name"]), str(one["sha256"]), int(one["bytes"])) for one in files]


def sums(listed: Collection[tuple[str, str, int]]) -> bytes:
    """The file list as ``sha256sum -c`` reads it."""
    return "".join(f"{digest}  {name}\n" for name, digest, _ in sorted(listed)).encode()


def _signature(pack: zipfile.ZipFile, content: bytes, report: Report, keys: Collection[str]) -> None:
    try:
        found = json.loads(_read(pack, SIGNATURE) or b"")
        key, signed = found["key"], _bytes(found["signature"])
        name = thumbprint(key)
        holds = _verified(int.from_bytes(_bytes(key["n"])), int.from_bytes(_bytes(key["e"])), content, signed)
    except BROKEN:
        report.add("signature", SIGNATURE, "目录没有签名，或签名无法读取。")
        return
    if not holds:
        report.add("signature", MANIFEST, "目录的签名不成立：目录在签名以后被改动过。")
        return
    report.key = name
    if keys and name not in keys:
        report.add("signature", SIGNATURE, f"目录由另一把密钥签名（{name}）：整卷可能是重新制作的。")
    elif not keys:
        report.notes.append(f"签名密钥 {name}：请与卷皮或学校公布的密钥指纹核对。")


def _verified(modulus: int, exponent: int, content: bytes, signed: bytes) -> bool:
    """RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, 8.2.2): the padding is rebuilt and compared whole."""
    size = (modulus.bit_length() + 7) // 8
    if modulus.bit_length() < 2048 or len(signed) != size:
        return False
    told = SHA256_PREFIX + hashlib.sha256(content).digest()
    padded = b"\x00\x01" + b"\xff" * (size - len(told) - 3) + b"\x00" + told
    return pow(int.from_bytes(signed), exponent, modulus).to_bytes(size) == padded


def _files(pack: zipfile.ZipFile, report: Report) -> None:
    listed = listed_of(report.manifest)
    held = [name for name in pack.namelist() if name not in OUTSIDE]
    wanted = {name for name, _, _ in listed}
    for name in sorted(set(held) - wanted):
        report.add("extra", name, f"卷内有、目录中没有：{name}")
    for name, digest, size in listed:
        if name not in set(held):
            report.add("missing", name, f"目录中有、卷内没有：{name}")
        elif _measured(pack, name) != (digest, size):
            report.add("changed", name, f"内容被改动：{name}")
        report.files += 1
    both = [name for name in held if name in wanted]
    if isinstance(report.manifest["files"], list) and both != [name for name, _, _ in listed if name in set(held)]:
        report.add("order", MANIFEST, "卷内文件的顺序与目录不一致。")


def _measured(pack: zipfile.ZipFile, name: str) -> tuple[str, int]:
    digest, size = hashlib.sha256(), 0
    try:
        with pack.open(name) as stream:
            while chunk := stream.read(CHUNK):
                digest.update(chunk)
                size += len(chunk)
    except BROKEN:
        return "unreadable", -1
    return digest.hexdigest(), size


def _read(pack: zipfile.ZipFile, name: str) -> bytes | None:
    try:
        if pack.getinfo(name).file_size > MOST_HELD:
            return None
        return pack.read(name)
    except BROKEN:
        return None


def _lines(pack: zipfile.ZipFile, name: str, report: Report) -> Iterator[dict[str, Any]]:
    """The rows of a table. One that cannot be read ends the reading with a finding."""
    if name not in pack.namelist():
        return
    try:
        with pack.open(name) as stream:
            while line := stream.readline(MOST_HELD):
                yield json.loads(line)
    except BROKEN:
        report.add("chain", name, f"{name} 无法逐行读取，不能重算。")


def _sheets(pack: zipfile.ZipFile, report: Report) -> None:
    """Every sheet's chain of answer events, recomputed from the events."""
    ends = {row["id"]: (row["chain"], row["highest"]) for row in _lines(pack, SHEETS, report)}
    reached: dict[int, tuple[str, int]] = dict.fromkeys(ends, (GENESIS, 0))
    broken: set[int] = set()
    for row in _lines(pack, EVENTS, report):
        sheet = row["sheet_id"]
        head, highest = reached.get(sheet, (GENESIS, 0))
        text = f"{head}\x1f{sheet}\x1f{row['sequence']}\x1f{row['number']}\x1f{row['flagged']:d}\x1f{row['received_at']}\x1f{row['answer']}"
        if hashlib.sha256(text.encode()).hexdigest() != row["chain"] and sheet not in broken:
            broken.add(sheet)
            report.add("chain", f"答卷 {sheet}", f"答卷 {sheet} 的第 {row['sequence']} 号作答记录与前面不衔接：有记录被改动、删除、插入或改变了顺序。")
        reached[sheet] = row["chain"], max(highest, row["sequence"])
        report.events += 1
    for sheet, end in ends.items():
        if reached[sheet] != end and sheet not in broken:
            report.add("chain", f"答卷 {sheet}", f"答卷 {sheet} 的作答记录在末尾不完整：与答卷上的链首不符。")
    report.sheets = len(ends)


def _trail(pack: zipfile.ZipFile, report: Report, heads: Collection[str]) -> None:
    """The trail from the first entry about this batch to the head, other entries by their hash only; each head that was
    printed on a signed form must come by."""
    wanted: dict[str, list[str]] = {head: ["签字记录单上的审计链"] for head in heads}
    for file, name in SIGNED.items():
        for row in _lines(pack, file, report):
            if row["audit_head"]:
                wanted.setdefault(row["audit_head"], []).append(f"{name} {row['id']}")
    before = report.manifest.get("audit_start", GENESIS)
    wanted.pop(before, None)
    taken = 0
    for row in _lines(pack, TRAIL, report):
        digest = row.get("digest", "")
        if "folded" in row:
            before = hashlib.sha256((before + row["folded"]).encode()).hexdigest()
        elif "at" in row:
            if not _follows(before, row):
                report.add("audit", f"审计留痕第 {row['id']} 条", f"审计留痕第 {row['id']} 条与前面不衔接或内容被改动。")
            before = digest
        else:
            before, taken = digest, taken + 1
        wanted.pop(before, None)
        report.entries += 1
    if before != report.manifest.get("audit_head"):
        report.add("audit", TRAIL, "重算的审计链末端与目录所记的不一致：留痕被截断或改动过。")
    for head, names in wanted.items():
        name = "、".join(names[:3]) + (f"等 {len(names)} 份" if len(names) > 3 else "")
        report.add("audit", name, f"审计链中没有 {name} 所记的链首 {head[:16]}…：此前的留痕被改动过。")
    if taken:
        report.notes.append(f"{taken} 条与本批次无关的旧版留痕只核对衔接，不能重算。")


def _follows(before: str, row: Mapping[str, Any]) -> bool:
    entry = {name: row[name] for name in ENTRY}
    if row["digest"] == hashlib.sha256((before + hashlib.sha256(_text(entry)).hexdigest()).encode()).hexdigest():
        return True
    return bool(row["digest"] == hashlib.sha256(_text([before, entry])).hexdigest())  # of earlier releases


def _text(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _papers(pack: zipfile.ZipFile, report: Report) -> None:
    """Each opened paper is, to the byte, what was sealed."""
    held = {name.removesuffix(".json").rpartition("-")[2]: name for name in pack.namelist()
            if name.startswith("papers/") and name.endswith(".json")}
    for row in _lines(pack, PAPERS, report):
        name = held.get(str(row["id"]))
        if name and row["opened_at"] and _measured(pack, name)[0] != row["fingerprint"]:
            report.add("paper", name, f"试卷 {name} 与封存时的指纹不一致。")


def main(arguments: list[str]) -> int:
    """The command line of the copy in a pack."""
    options = list(itertools.pairwise(arguments))
    keys, heads = ([value for name, value in options if name == asked] for asked in ("--key", "--head"))
    with open(arguments[0], "rb") as stream:  # noqa: PTH123  # a pure module knows no paths
        report = examine(stream, keys=keys, heads=heads)
    print("\n".join(told(report)))
    return 1 if report.findings else 0


def told(report: Report) -> list[str]:
    """The report as lines for a person."""
    about = report.manifest
    lines = [f"{about.get('title', '')}（{about.get('plan', '')}）　归档 {about.get('packed_at', '')}　{about.get('packed_by', '')}",
             f"核对 {report.files} 个文件；重算 {report.sheets} 份答卷的 {report.events} 条作答记录、{report.entries} 条审计留痕。"]
    lines += [f"审计链首 {about.get('audit_head', '')}"] if about else []
    lines += [f"注意：{note}" for note in report.notes]
    lines += [f"不符：{finding.sentence}" for finding in report.findings]
    return [*lines, "核验没有通过。" if report.findings else "核验通过。"]


if __name__ == "__main__":
    import sys

    sys.exit(main(sys.argv[1:]))
