"""A bucket that speaks S3: AWS, MinIO, Ceph, or a cloud's own. Keys of access come from the places where boto3 looks for them."""

from __future__ import annotations

import base64
import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import IO, Any

from qbank.kernel.refused import Refused

CHUNK = 2**20
CONNECT_SECONDS, READ_SECONDS, ATTEMPTS = 3, 30, 3
GONE = {"NoSuchKey", "404", "NotFound"}
_making = threading.Lock()


class Bucket:
    """Objects under a prefix of a bucket, each named after the hash of its content."""

    def __init__(self, name: str, prefix: str, endpoint: str, addressing: str) -> None:
        self.name, self.prefix, self.endpoint, self.addressing = name, prefix, endpoint, addressing

    @classmethod
    def at(cls, url: str, endpoint: str, addressing: str) -> Bucket:
        name, _, prefix = url.removeprefix("s3://").partition("/")
        return cls(name, f"{prefix.strip('/')}/" if prefix.strip("/") else "", endpoint, addressing)

    @property
    def told(self) -> str:
        return f"s3://{self.name}/{self.prefix}" + (f" at {self.endpoint}" if self.endpoint else "")

    def put(self, name: str, stream: IO[bytes]) -> None:
        """One request, with a checksum that the other side compares: whole or not at all."""
        checked = base64.b64encode(hashlib.file_digest(stream, lambda: hashlib.md5(usedforsecurity=False)).digest()).decode()  # type: ignore[arg-type]  # any stream
        stream.seek(0)
        with _said():
            self._client.put_object(Bucket=self.name, Key=self._key(name), Body=stream, ContentMD5=checked)

    def pieces(self, name: str) -> Iterator[bytes]:
        """The content of an object; nothing for one that is not there."""
        with _said():
            try:
                found = self._client.get_object(Bucket=self.name, Key=self._key(name))
            except self._client.exceptions.ClientError as error:
                if error.response.get("Error", {}).get("Code") in GONE:
                    return
                raise
            with found["Body"] as body:
                while piece := body.read(CHUNK):
                    yield piece

    def remove(self, name: str) -> None:
        with _said():
            self._client.delete_object(Bucket=self.name, Key=self._key(name))

    def names(self) -> Iterator[tuple[str, float]]:
        """Each object's name, and of when it is."""
        with _said():
            for page in self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=self.prefix):
                for one in page.get("Contents", ()):
                    yield one["Key"].rpartition("/")[2], one["LastModified"].timestamp()

    def _key(self, name: str) -> str:
        return f"{self.prefix}{name[:2]}/{name}"

    @cached_property
    def _client(self) -> Any:
        try:
            import boto3
            from botocore.config import Config
        except ImportError as error:
            raise Refused("no_boto3", "没有安装 S3 所需的组件。请在服务器上运行 pip install 'examroom[s3]' 后重试。") from error
        with _making:  # making a client is not safe in several threads, using it is
            return boto3.session.Session().client("s3", endpoint_url=self.endpoint or None, config=Config(
                connect_timeout=CONNECT_SECONDS, read_timeout=READ_SECONDS, retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                max_pool_connections=32, s3={"addressing_style": self.addressing},
                # Other makers' stores do not know the checksums that newer versions add unasked.
                request_checksum_calculation="when_required", response_checksum_validation="when_required"))


@contextmanager
def _said() -> Iterator[None]:
    """What the other side or the way to it lacks, as a sentence."""
    try:
        yield
    except Exception as error:
        if not type(error).__module__.startswith(("botocore", "boto3", "urllib3")):
            raise
        raise Refused("store_unreachable", "存放附件的对象存储没有回应或拒绝了请求，本次操作没有写入。请稍后重试；仍不成功请联系系统管理员。",
                      [type(error).__name__]) from error
