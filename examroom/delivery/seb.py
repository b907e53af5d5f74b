"""Safe Exam Browser (SEB): the configuration file of a sitting, and whether a request comes from a browser that runs it. Pure.

A deterrent, not a proof: the Config Key is a number that a changed browser can compute as well, and SEB says nothing
about a second device. It keeps an honest computer shut, and makes cheating deliberate.

The Config Key follows SEB's documentation ("Config Key", safeexambrowser.org/developer): SHA-256 over the settings as JSON
with keys sorted without regard to case, no white space, no escaping, without ``originatorVersion`` and empty dictionaries.
A request carries ``X-SafeExamBrowser-ConfigKeyHash`` = SHA-256(absolute address without fragment + Config Key).
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import plistlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import urldefrag, urlsplit

from qbank.kernel.refused import Refused

HEADER = "X-SafeExamBrowser-ConfigKeyHash"
REFUSAL = ("本场考试须在 Safe Exam Browser（锁定浏览器）中进行，当前浏览器没有通过核对。"
           "请关闭本窗口，双击桌面上本场次的 .seb 配置文件重新进入；仍不能进入时请举手。")


def settings_of(address: str, quit_hash: str) -> dict[str, Any]:
    """SEB's settings for candidates of this server at ``address``; ``quit_hash`` is the SHA-256 of the quit password."""
    host = urlsplit(address).netloc
    return {
        "originatorVersion": "examroom", "sebConfigPurpose": 0, "startURL": f"{address}/exam", "sendBrowserExamKey": True,
        "quitURL": f"{address}/exam/quit", "quitURLConfirm": True, "allowQuit": bool(quit_hash), "ignoreExitKeys": True,
        "hashedQuitPassword": quit_hash, "hashedAdminPassword": "",
        "browserViewMode": 1, "browserWindowAllowReload": True, "showReloadButton": True, "showTaskBar": True, "showTime": True,
        "browserWindowWebView": 2, "newBrowserWindowByLinkPolicy": 0, "newBrowserWindowByScriptPolicy": 0,
        "URLFilterEnable": True, "URLFilterEnableContentFilter": False,
        "URLFilterRules": [{"action": 1, "active": True, "expression": f"{host}/*", "regex": False}],
        "allowSpellCheck": False, "allowDictionaryLookup": False, "allowScreenSharing": False, "allowVirtualMachine": False,
        "allowSwitchToApplications": False, "enablePrintScreen": False, "enablePrivateClipboard": True,
        # The page keeps unsent answers in the browser, and saves an answer file there when the server is gone.
        "removeLocalStorage": False, "removeBrowserProfile": False, "allowDownUploads": True,
        "examSessionClearCookiesOnStart": True,
    }


def file_of(settings: dict[str, Any]) -> bytes:
    """The ``.seb`` file: an unencrypted property list, which SEB reads as it is."""
    return plistlib.dumps(settings, sort_keys=True)


def config_key(settings: dict[str, Any]) -> str:
    """The Config Key of these settings, as SEB computes it on every platform."""
    kept = {name: value for name, value in settings.items() if name != "originatorVersion"}
    return hashlib.sha256(_json(kept).encode()).hexdigest()


def header_for(address: str, key: str) -> str:
    """What SEB sends for a request to ``address``."""
    return hashlib.sha256((urldefrag(address).url + key).encode()).hexdigest()


def require(required: bool, quit_hash: str, home: str, addresses: Iterable[str], header: str) -> None:
    """Refuse a request that does not come from SEB with the sitting's file.

    ``home`` is the address that the file was made for; ``addresses`` are the request's address as the server and as
    people outside see it.
    """
    if not required:
        return
    key = config_key(settings_of(home, quit_hash))
    if not any(hmac.compare_digest(header_for(address, key), header.strip().lower()) for address in addresses):
        raise Refused("seb", REFUSAL)


def _json(value: Any) -> str:
    """SEB's JSON: strings stand as they are, without any escaping."""
    if isinstance(value, dict):
        kept = sorted(((name, item) for name, item in value.items() if item != {}), key=lambda pair: _order(pair[0]))
        return "{" + ",".join(f'"{name}":{_json(item)}' for name, item in kept) + "}"
    if isinstance(value, list):
        return "[" + ",".join(_json(item) for item in value) + "]"
    if isinstance(value, bytes):
        return f'"{base64.b64encode(value).decode()}"'
    if isinstance(value, datetime):
        return f'"{value.isoformat()}"'
    return f'"{value}"' if isinstance(value, str) else json.dumps(value)


def _order(name: str) -> tuple[str, str]:
    """Without regard to case; of two that differ only in case the one with lower case first (allowWlan, allowWLAN)."""
    return name.lower(), name.swapcase()
