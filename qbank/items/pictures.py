"""Pictures of items: what may come in, where they are kept, and how a page gets at them."""

from __future__ import annotations

import base64
import hashlib
import warnings
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO

import sqlalchemy as sa
from PIL import Image, ImageOps
from sqlalchemy.orm import Session

from qbank.items import svg
from qbank.items.markup import pictures_in
from qbank.items.models import Picture
from qbank.kernel.access import Viewer, visible
from qbank.kernel.refused import Refused

LARGEST = 2 * 1024 * 1024  # bytes
WIDEST = 4000  # pixels on a side
MOST_PIXELS = 12_000_000
MEDIA_TYPES = {"PNG": "image/png", "JPEG": "image/jpeg"}
CONVERTED = ("GIF", "BMP", "WEBP")  # read, and kept as PNG
AT_ONCE = 1000


@dataclass(frozen=True)
class PictureFacts:
    """A picture that may be kept: ``content`` is what is kept, which is not always what came in."""

    content: bytes
    sha256: str
    media_type: str
    width: int
    height: int


def inspect(content: bytes) -> PictureFacts:
    """What ``content`` is, by itself and not by its name. Refuses all but PNG, JPEG, SVG and what becomes PNG (GIF, BMP, WebP).

    Inspecting kept content again gives the same facts.
    """
    if not content:
        raise Refused("empty_picture", "图片文件是空的，请重新选择。")
    if len(content) > LARGEST:
        raise Refused("picture_too_large", f"图片有 {len(content) / 2**20:.1f} MB，超过 {LARGEST // 2**20} MB。请缩小后再上传。")
    head = content[:1000].lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"<") and b"<svg" in content[:20_000]:
        cleaned, width, height = svg.clean(content)
        return PictureFacts(cleaned, hashlib.sha256(cleaned).hexdigest(), "image/svg+xml", width, height)
    return _raster(content)


def keep(session: Session, institution_id: int, contents: Collection[bytes], who: Viewer, *, now: datetime) -> dict[str, Picture]:
    """Store pictures in the school's bank: hash of the kept content → its row. One that is there already stays as it is."""
    facts = {found.sha256: found for found in map(inspect, contents)}
    kept = {picture.sha256: picture for picture in _held(session, institution_id, facts)}
    for sha256 in sorted(facts.keys() - kept.keys()):
        found = facts[sha256]
        kept[sha256] = Picture(institution_id=institution_id, sha256=sha256, media_type=found.media_type, width=found.width,
                               height=found.height, content=found.content, uploader_id=who.account_id, uploaded_at=now)
        session.add(kept[sha256])
    session.flush()
    return kept


def find(session: Session, sha256: str, viewer: Viewer) -> Picture | None:
    """A picture that ``viewer`` may see, whichever of the schools has it."""
    return session.scalar(visible(Picture, viewer).where(Picture.sha256 == sha256).order_by(Picture.id).limit(1))


def contents_of(session: Session, institution_id: int, texts: Iterable[str]) -> dict[str, bytes]:
    """Hash → content of the pictures that ``texts`` name and the school holds: for files that are written."""
    wanted = {sha256 for text in texts for sha256 in pictures_in(text)}
    return {picture.sha256: picture.content for picture in _held(session, institution_id, wanted)}


def missing(session: Session, institution_id: int, texts: Iterable[str]) -> list[str]:
    """One sentence for each picture that ``texts`` name and the school does not hold."""
    wanted = {sha256 for text in texts for sha256 in pictures_in(text)}
    if not wanted:
        return []
    query = sa.select(Picture.sha256).where(Picture.institution_id == institution_id, Picture.sha256.in_(wanted))
    return [f"图片 {sha256[:8]}… 不在本校题库里，请重新上传后插入，或删去这一处。"
            for sha256 in sorted(wanted - set(session.scalars(query)))]


def inline(session: Session, institution_id: int, texts: Iterable[str]) -> Callable[[str], str]:
    """For pages of people who cannot ask the bank: hash → an address that carries the picture itself."""
    wanted = {sha256 for text in texts for sha256 in pictures_in(text)}
    held = {picture.sha256: f"data:{picture.media_type};base64,{base64.b64encode(picture.content).decode()}"
            for picture in _held(session, institution_id, wanted)}
    return lambda sha256: held.get(sha256, "data:,")


def held(session: Session, institution_id: int, texts: Iterable[str]) -> list[Picture]:
    """The pictures that ``texts`` name, as far as the school holds them."""
    return _held(session, institution_id, {sha256 for text in texts for sha256 in pictures_in(text)})


def _held(session: Session, institution_id: int, hashes: Collection[str]) -> list[Picture]:
    wanted = sorted(hashes)
    found: list[Picture] = []
    for start in range(0, len(wanted), AT_ONCE):
        query = sa.select(Picture).where(Picture.institution_id == institution_id,
                                         Picture.sha256.in_(wanted[start:start + AT_ONCE]))
        found += session.scalars(query).all()
    return found


def _raster(content: bytes) -> PictureFacts:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd files; they are read to the end below or refused
            with Image.open(BytesIO(content), formats=(*MEDIA_TYPES, *CONVERTED)) as image:
                _check_size(*image.size)
                kind = image.format or ""
                image.load()
                return _facts(image, kind, content)
    except Image.DecompressionBombError:
        raise _too_many_pixels("太多") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, KeyError, OverflowError, MemoryError,
            ZeroDivisionError):
        raise Refused("bad_picture", "图片无法读取：只接收 PNG、JPEG、SVG（GIF、BMP、WebP 自动转为 PNG）。"
                      "请检查文件是否损坏，或用画图软件另存为 PNG。") from None


def _check_size(width: int, height: int) -> None:
    if max(width, height) > WIDEST or width * height > MOST_PIXELS:
        raise _too_many_pixels(f"{width}×{height}")


def _too_many_pixels(size: str) -> Refused:
    return Refused("picture_too_large", f"图片的像素（{size}）超过限度：每边最多 {WIDEST}，总数最多 {MOST_PIXELS // 10_000} 万。"
                   "请缩小后再上传。")


def _facts(image: Image.Image, kind: str, content: bytes) -> PictureFacts:
    if kind in CONVERTED:
        stream = BytesIO()
        still = image.convert("RGBA" if image.has_transparency_data else "RGB")
        ImageOps.exif_transpose(still).save(stream, "PNG")
        content, kind = stream.getvalue(), "PNG"
        if len(content) > LARGEST:
            raise Refused("picture_too_large", f"图片转为 PNG 后超过 {LARGEST // 2**20} MB，请缩小后再上传。")
    return PictureFacts(content, hashlib.sha256(content).hexdigest(), MEDIA_TYPES[kind], *image.size)
