"""What the doctor sees of this machine: disk, fonts, keys, certificate, size, clock. Every call runs on Windows too."""

from __future__ import annotations

import ctypes
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

from qbank.kernel import printing, tls
from qbank.kernel.finding import Finding
from qbank.kernel.refused import Refused
from qbank.kernel.settings import Settings

LEAST_FREE_BYTES = 500_000_000
LEAST_PROCESSORS, LEAST_MEMORY = 2, 3.5e9  # what is sold as 4 GB has a little less
CANDIDATES_A_PROCESSOR = 1000  # answering at once: half of what was measured on two, see the README's figures
KEYS = {"secret.key": 1, "identity.key": 0, "papers.key": 0, "codes.key": 2}  # name → how many times 32 bytes; 0: any number of keys
KEY_BYTES = 32
ASKED = 3.0  # seconds that another program may take to answer


def look(settings: Settings, *, now: datetime) -> Iterator[Finding]:
    """Findings in the order in which they are shown."""
    yield _disk(settings.folder)
    yield _fonts()
    yield _keys(settings.folder)
    yield _certificate(settings, now)
    yield _size()
    yield _time_service()


def _disk(folder: Path) -> Finding:
    free = shutil.disk_usage(folder).free
    return Finding("disk", free > LEAST_FREE_BYTES, f"{folder} 还剩 {free / 1e9:.1f} GB", "至少腾出 0.5 GB：写不进磁盘的答案不会被确认")


def _fonts() -> Finding:
    install = f"运行 pip install {printing.FONT_WHEEL.replace('_', '-')}"
    try:
        family = printing.font_family()
    except Refused as refusal:
        return Finding("fonts", False, refusal.sentence, install)
    return Finding("fonts", True, family, advice="" if printing.wheel_folder() else f"用的是系统字体，各台机器打印出来可能不同；{install}")


def _keys(folder: Path) -> Finding:
    """Each key file that is there: readable, of its length, and of nobody else's business."""
    held = {file.relative_to(folder).as_posix(): file for file in sorted((*folder.glob("*.key"), *folder.glob("tls/*.key")))}
    wrong = [f"{name}：{problem}" for name, file in held.items() if (problem := _wrong_with(file, KEYS.get(name)))]
    return Finding("keys", not wrong, "；".join(wrong or held) or "都在环境变量里", "从备份恢复损坏的密钥文件；密钥文件只许运行本程序的用户读写（chmod 600）")


def _wrong_with(file: Path, times: int | None) -> str:
    try:
        content = file.read_bytes()
    except OSError as error:
        return f"读不了（{error.strerror}）"
    if not content:
        return "是空的"
    if times is not None and (len(content) % KEY_BYTES or (times and len(content) != times * KEY_BYTES)):
        return f"长度不对（{len(content)} 字节）"
    if os.name == "posix" and stat.S_IMODE(file.stat().st_mode) & 0o077:  # Windows keeps rights elsewhere: its folder's owner has them
        return f"其他用户也能读（{stat.S_IMODE(file.stat().st_mode):o}）"
    return ""


def _certificate(settings: Settings, now: datetime) -> Finding:
    file = settings.tls_folder / "server.pem"
    renew = "重新启动 examroom serve --tls，证书会自动换新"
    if not file.exists():
        safe = settings.secure_cookies or settings.proxies > 0
        return Finding("certificate", True, "由前面的代理提供" if safe else "没有使用 TLS",
                       advice="" if safe else "密码和答案在网络上不加密：用 examroom serve --tls，或在前面放 nginx")
    try:
        left = tls.ends_at(file) - now
    except (OSError, ValueError) as error:
        return Finding("certificate", False, f"{file.name} 读不了：{error}", "删除 tls/server.pem，用 examroom serve --tls 重新启动")
    if left <= timedelta(0):
        return Finding("certificate", False, f"{file.name} 已过期", renew)
    return Finding("certificate", True, f"{file.name} 还有 {left.days} 天到期", advice=renew if left < timedelta(days=tls.RENEW_DAYS) else "")


def _size() -> Finding:
    processors, held = processor_count(), memory()
    told = f"{processors} 个处理器" + (f"，{held / 1e9:.1f} GB 内存" if held else "，内存大小未知")
    small = processors < LEAST_PROCESSORS or 0 < held < LEAST_MEMORY
    return Finding("size", True, f"{told}，约可供 {processors * CANDIDATES_A_PROCESSOR} 名考生同时作答",
                   advice=f"建议至少 {LEAST_PROCESSORS} 个处理器、4 GB 内存；人数多时加处理器，或用多台主机" if small else "")


def processor_count() -> int:
    """Those that this process may use."""
    if sys.platform != "win32" and hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory() -> int:
    """Bytes of this machine, or what a container leaves of them; 0 where that cannot be learned."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return 0
    limit = Path("/sys/fs/cgroup/memory.max")
    given = limit.read_text("ascii").strip() if limit.exists() else "max"
    return min(whole, int(given)) if given.isdecimal() else whole


def _windows_memory() -> int:
    """What Windows says in its MEMORYSTATUSEX: the second of its wide fields."""
    status = (ctypes.c_ulonglong * 8)()
    ctypes.cast(status, ctypes.POINTER(ctypes.c_ulong))[0] = ctypes.sizeof(status)
    windows = getattr(ctypes, "windll", None)
    return int(status[1]) if windows and windows.kernel32.GlobalMemoryStatusEx(ctypes.byref(status)) else 0


def _time_service() -> Finding:
    """Whether somebody keeps this machine's clock right. What cannot be learned is said."""
    advice = "考试前核对时钟；Windows 用 w32tm /query /status 查看，Linux 启用 systemd-timesyncd 或 chrony"
    program = shutil.which("timedatectl")
    if program is None:
        return Finding("time service", True, "不知道这台机器是否与时间服务器同步", advice=advice)
    try:
        said = subprocess.run([program, "show", "--property=NTPSynchronized", "--value"],  # noqa: S603  # of the system, no input
                              capture_output=True, text=True, timeout=ASKED, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        said = ""
    told = {"yes": "与时间服务器同步", "no": "没有与时间服务器同步"}.get(said, "不知道这台机器是否与时间服务器同步")
    return Finding("time service", True, told, advice="" if said == "yes" else advice)


def port(host: str, number: int) -> Finding:
    """Whether people can be served at ``host:number``: nobody has it, or it is an examroom that answers."""
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1", "": "127.0.0.1"}.get(host, host)  # noqa: S104  # what is asked, not what is bound
    try:
        with socket.create_connection((reached, number), timeout=ASKED) as asked:
            asked.sendall(f"GET /healthz/live HTTP/1.0\r\nHost: {reached}\r\n\r\n".encode())
            ours = _said(asked).find(b'"status"') >= 0
    except ConnectionRefusedError:
        return free(host, number)
    except OSError as error:
        return Finding("port", False, f"{host}:{number} 连接不上：{error}", "检查地址和防火墙")
    return Finding("port", ours, f"{host}:{number} 由考评通占用" if ours else f"{host}:{number} 被其他程序占用（或已启用 TLS 的考评通）",
                   "停掉占用端口的程序，或用 --port 换一个端口")


def _said(asked: socket.socket) -> bytes:
    said = b""
    while len(said) < 4096 and (piece := asked.recv(4096)):
        said += piece
    return said


def free(host: str, number: int) -> Finding:
    """Whether a server may begin to listen there: a second one beside it would get every other connection."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_STREAM) as tried:  # connections that are just ending do not matter, listeners do
            tried.setsockopt(socket.SOL_SOCKET, getattr(socket, "SO_EXCLUSIVEADDRUSE", socket.SO_REUSEADDR), 1)
            tried.bind((host, number))
            tried.listen(1)
    except OSError as error:
        return Finding("port", False, f"{host}:{number} 不能使用：{error.strerror}", "用 --host 换成本机的地址，或用 --port 换一个端口（1024 以上）")
    return Finding("port", True, f"{host}:{number} 空闲")
