"""Steers ``shim.c``: what a program's disk and clock do wrong, changed while it runs."""

from __future__ import annotations

import mmap
import shutil
import struct
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).with_name("shim.c")
FIELDS = ("delay_us", "sync_errno", "write_errno", "clock_seconds", "syncs")
MISSING = "" if shutil.which("gcc") else "gcc is not installed: the drills with a slow, full or failing disk and a moved clock CANNOT RUN"


@dataclass
class Shim:
    """Compiled below ``folder``; ``match`` is a part of the names of the files that it breaks."""

    folder: Path
    match: str = ".sqlite3"
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        library, control = self.folder / "shim.so", self.folder / "shim.control"
        self.folder.chmod(0o755)
        subprocess.run(["gcc", "-shared", "-fPIC", "-O2", "-w", "-o", library, SOURCE, "-ldl"], check=True, timeout=120)
        control.write_bytes(bytes(8 * len(FIELDS)))
        control.chmod(0o666)
        with control.open("r+b") as stream:
            self._memory = mmap.mmap(stream.fileno(), 8 * len(FIELDS))
        self.environment = {"LD_PRELOAD": str(library), "DRILL_SHIM_CONTROL": str(control), "DRILL_SHIM_MATCH": self.match}

    def set(self, **values: int) -> None:
        for name, value in values.items():
            struct.pack_into("q", self._memory, 8 * FIELDS.index(name), value)

    @property
    def syncs(self) -> int:
        """How often the matching files were synced."""
        found: int = struct.unpack_from("q", self._memory, 8 * FIELDS.index("syncs"))[0]
        return found

    def close(self) -> None:
        self._memory.close()
