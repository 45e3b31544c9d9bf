"""Pictures in SeaweedFS, or in any other store that speaks S3."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from urllib.parse import unquote, urlsplit

from obstore.exceptions import NotFoundError
from obstore.store import S3Store

from tenfold.kernel import Duration
from tenfold.protect.reads.found import UNKNOWN, Found

UPLOADS_MAX = 32
TIMEOUT = Duration.from_s(2)


class PictureStore:
    """A rung of the picture ladder, and where the seed puts pictures.

    `url` carries the keys: `http://ACCESS:SECRET@HOST:PORT`. A reader tries nothing twice: the
    ladder has a placeholder.
    """

    name = "objects"

    def __init__(self, url: str, bucket: str, *, timeout: Duration = TIMEOUT, retries_max: int = 0) -> None:
        parts = urlsplit(url)
        self._store = S3Store(
            bucket,
            endpoint=f"{parts.scheme}://{parts.hostname}:{parts.port}",
            access_key_id=unquote(parts.username or ""),
            secret_access_key=unquote(parts.password or ""),
            region="us-east-1",
            virtual_hosted_style_request=False,
            client_options={"allow_http": parts.scheme == "http", "timeout": timedelta(seconds=timeout.s)},
            retry_config={"max_retries": retries_max},
        )

    async def read(self, key: str, not_before: int = UNKNOWN) -> Found | None:  # pictures have no versions
        try:
            found = await self._store.get_async(key)
            return Found(bytes(await found.bytes_async()))
        except (FileNotFoundError, NotFoundError):
            return None

    async def fill(self, found: Mapping[str, Found]) -> None:
        """Nothing: the store is where pictures come from."""

    async def put_all(self, pictures: Mapping[str, bytes]) -> None:
        """Store every picture; the first failure ends it, and doing it again is harmless."""
        waiting = iter(pictures.items())

        async def upload() -> None:
            for key, picture in waiting:
                await self._store.put_async(key, picture, use_multipart=False)

        async with asyncio.TaskGroup() as uploads:
            for _ in range(UPLOADS_MAX):
                uploads.create_task(upload())
