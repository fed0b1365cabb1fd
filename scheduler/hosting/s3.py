"""Storage that speaks S3 as a publishing target."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from caur_ci.errors import ConfigError, ProcessError, TemporaryError
from scheduler.hosting.lease import PREFIX, leased, name_of, number_of
from scheduler.hosting.protocol import TargetError, nothing_to_check
from scheduler.hosting.receiving import received

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from scheduler.hosting.protocol import Change, Check, Upload, Uploader

T = TypeVar("T")

_AT_ONCE = 8
# As many as one request may name.
_REMOVED_AT_ONCE = 1000
_ACCESS = frozenset({"AccessDenied", "403", "InvalidAccessKeyId", "SignatureDoesNotMatch"})
_EXISTS = frozenset({"PreconditionFailed", "ConditionalRequestConflict", "412", "409"})
_UNKNOWN_CONDITION = frozenset({"NotImplemented", "501"})
_PASSING = frozenset({"InternalError", "SlowDown", "RequestTimeout", "ServiceUnavailable", "503"})
_KEYS = (
    "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY say who we are. They need the rights to list, "
    "get, put and delete objects there."
)


class S3Target:
    """A bucket, with PREFIX/R/A/NAME as keys. The keys of the account are in variables of AWS."""

    def __init__(
        self,
        bucket: str,
        prefix: str,
        *,
        endpoint: str = "",
        region: str = "",
        secrets: Mapping[str, str],
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        if endpoint and not re.fullmatch(r"https?://[^?#\s]+", endpoint):
            raise ConfigError(
                f"s3://{bucket} has the endpoint {endpoint!r}, which is no address of a server",
                hint="As ?endpoint=https://s3.example.org",
            )
        self._client = _client(endpoint, region, secrets)

    @property
    def address(self) -> str:
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    @property
    def server(self) -> str:
        # Also where a variable of AWS names it.
        endpoint = str(self._client.meta.endpoint_url).rstrip("/")
        if endpoint.endswith("amazonaws.com"):
            return f"https://{self._bucket}.s3.amazonaws.com/{self._prefix}$repo/$arch"
        return f"{endpoint}/{self._bucket}/{self._prefix}$repo/$arch"

    def listing(self, repository: str) -> Mapping[str, int]:
        found = self.sizes(f"{repository}/")
        leases = f"{repository}/{PREFIX}"
        return {path: size for path, size in found.items() if not path.startswith(leases)}

    def sizes(self, start: str) -> dict[str, int]:
        """Return the sizes of all files whose paths begin so."""
        with self._translated():
            pages = self._client.get_paginator("list_objects_v2").paginate(
                Bucket=self._bucket, Prefix=f"{self._prefix}{start}"
            )
            return {
                each["Key"].removeprefix(self._prefix): each["Size"]
                for page in pages
                for each in page.get("Contents", ())
            }

    def fetch(self, paths: Iterable[str], root: Path) -> None:
        def one(path: str) -> None:
            with received(root / path) as part:
                self._client.download_file(self._bucket, f"{self._prefix}{path}", str(part))

        self._many(one, paths)

    def admit(self, change: Change) -> None:
        """Take any file."""

    def held(self, repository: str, uploader: Uploader) -> AbstractContextManager[Check]:
        return leased(_Leases(self, f"{repository}/"), uploader, self.address)

    def apply(self, change: Change, check: Check = nothing_to_check) -> None:
        def one(upload: Upload) -> None:
            check()
            self._upload(upload)

        for stage in change.stages:
            self._many(one, stage)
        check()
        self.remove(change.removals)

    def read(self, path: str) -> bytes | None:
        """Return a small file; None where there is none."""
        with self._translated():
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=f"{self._prefix}{path}")
            except self._client.exceptions.NoSuchKey:
                return None
            content: bytes = answer["Body"].read()
            return content

    def write(self, path: str, content: bytes, **conditions: str) -> None:
        """Write a small file, under conditions of S3's."""
        with self._translated():
            self._client.put_object(
                Bucket=self._bucket,
                Key=f"{self._prefix}{path}",
                Body=content,
                ContentType="text/plain",
                CacheControl="no-cache",
                **conditions,
            )

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files, where they are there."""
        for start in range(0, len(paths), _REMOVED_AT_ONCE):
            self._remove(paths[start : start + _REMOVED_AT_ONCE])

    def _upload(self, upload: Upload) -> None:
        # Packages never change under their name; databases do, and must not be kept by a cache.
        is_package = ".pkg." in upload.path
        self._client.upload_file(
            str(upload.source),
            self._bucket,
            f"{self._prefix}{upload.path}",
            ExtraArgs={
                "ContentType": "application/octet-stream",
                "CacheControl": "max-age=86400" if is_package else "no-cache",
            },
        )

    def _remove(self, names: Iterable[str]) -> None:
        keys = [{"Key": f"{self._prefix}{name}"} for name in names]
        with self._translated():
            answer = self._client.delete_objects(
                Bucket=self._bucket, Delete={"Objects": keys, "Quiet": True}
            )
        for error in answer.get("Errors", ()):
            raise TargetError(f"{self.address}: {error.get('Key')} cannot be removed: {error}")

    def _many(self, do: Callable[[T], None], items: Iterable[T]) -> None:
        with self._translated(), ThreadPoolExecutor(_AT_ONCE) as pool:
            for _ in pool.map(do, items):
                pass

    @contextmanager
    def _translated(self) -> Iterator[None]:
        from boto3.exceptions import Boto3Error  # noqa: PLC0415 - slow to import
        from botocore.exceptions import (  # noqa: PLC0415
            BotoCoreError,
            ClientError,
            NoCredentialsError,
            ParamValidationError,
            PartialCredentialsError,
        )

        try:
            yield
        except ClientError as error:
            raise self._refusal(error.response.get("Error", {})) from error
        except Boto3Error as error:  # an upload: what it was stands behind it
            if isinstance(error.__context__, ClientError):
                raise self._refusal(error.__context__.response.get("Error", {})) from error
            raise TemporaryError(f"{self.address}: {error}") from error
        except (NoCredentialsError, PartialCredentialsError) as error:
            raise TargetError(f"{self.address}: {error}", hint=_KEYS) from error
        except ParamValidationError as error:
            raise TargetError(f"{self.address} cannot be asked for: {error}") from error
        except BotoCoreError as error:
            raise TemporaryError(
                f"{self.address} cannot be reached: {error}",
                hint="Check ?endpoint= in its address, and the network.",
            ) from error

    def _refusal(self, error: Mapping[str, Any]) -> Exception:
        code, said = str(error.get("Code", "")), error.get("Message", "")
        if code in _EXISTS:
            return _ExistsError(f"{self.address} answered with {code}: {said}")
        if code in _UNKNOWN_CONDITION:
            return _UnknownConditionError(f"{self.address} answered with {code}: {said}")
        if code in _PASSING:
            return TemporaryError(f"{self.address} answered with {code}: {said}")
        hint = ""
        if code in _ACCESS:
            hint = _KEYS
        if code == "NoSuchBucket":
            hint = "Make the bucket, and let everybody read it."
        return TargetError(f"{self.address} answered with {code}: {said}", hint=hint)


class _ExistsError(TemporaryError):
    """What was to be new is there."""


class _UnknownConditionError(TargetError):
    """This storage does not know what was asked for."""


@dataclass(frozen=True, slots=True)
class _Leases:
    """The leases in the folder `home`, which ends with a slash."""

    target: S3Target
    home: str

    def read(self) -> Mapping[int, str]:
        found = {}
        for path in self.target.sizes(f"{self.home}{PREFIX}"):
            number = number_of(path.removeprefix(self.home))
            content = self.target.read(path) if number is not None else None
            if number is not None and content is not None:
                found[number] = content.decode("ascii", "replace")
        return found

    def create(self, number: int, text: str) -> bool:
        path = f"{self.home}{name_of(number)}"
        try:
            self.target.write(path, text.encode(), IfNoneMatch="*")
        except _ExistsError:
            return False
        except _UnknownConditionError:
            # Whoever comes later sees that there are two.
            self.target.write(path, text.encode())
        return True

    def replace(self, number: int, text: str, obsolete: Collection[int]) -> None:
        self.target.write(f"{self.home}{name_of(number)}", text.encode())
        self.target.remove([f"{self.home}{name_of(each)}" for each in obsolete])


def _client(endpoint: str, region: str, secrets: Mapping[str, str]) -> Any:  # noqa: ANN401
    try:
        import boto3  # noqa: PLC0415 - an extra, and slow to import
        from botocore.config import Config  # noqa: PLC0415
    except ImportError as error:
        raise ProcessError(
            "a publishing target s3:// is wanted, but boto3 is not installed",
            hint="pipx install 'caur-ci[s3]'",
        ) from error
    return boto3.client(
        "s3",
        endpoint_url=endpoint or None,
        region_name=region or None,
        aws_access_key_id=secrets.get("AWS_ACCESS_KEY_ID"),
        aws_secret_access_key=secrets.get("AWS_SECRET_ACCESS_KEY"),
        aws_session_token=secrets.get("AWS_SESSION_TOKEN"),
        config=Config(
            connect_timeout=10,
            read_timeout=60,
            max_pool_connections=_AT_ONCE,
            # Others than Amazon do not know the newer checksums.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        ),
    )
