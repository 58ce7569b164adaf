"""aioimmich against a server: about, me, upload, a thumbnail.

Arguments: host, port, API key, file. Prints one line of JSON.
"""

import asyncio
import json
import sys

from aiohttp import ClientSession
from aioimmich import Immich
from aioimmich.exceptions import ImmichError

TRIES_MAX = 600
PAUSE_S = 0.1


async def thumbnail(immich: Immich, asset_id: str) -> bytes:
    for _ in range(TRIES_MAX):
        try:
            return await immich.assets.async_view_asset(asset_id)
        except ImmichError:
            await asyncio.sleep(PAUSE_S)
    raise TimeoutError("the thumbnail did not come")


async def main(host: str, port: str, key: str, file: str) -> None:
    async with ClientSession() as session:
        immich = Immich(session, key, host, int(port), use_ssl=False)
        await immich.async_setup()
        about = await immich.server.async_get_about_info()
        me = await immich.users.async_get_my_user()
        storage = await immich.server.async_get_storage_info()
        statistics = await immich.server.async_get_server_statistics()
        uploaded = await immich.assets.async_upload_asset(file)
        picture = await thumbnail(immich, uploaded.asset_id)
        again = await immich.assets.async_upload_asset(file)
        print(
            json.dumps(
                {
                    "version": about.version,
                    "me": me.email,
                    "disk": storage.disk_size_raw > 0,
                    "photos": statistics.photos,
                    "status": uploaded.status.value,
                    "again": again.status.value,
                    "webp": picture[8:12] == b"WEBP",
                }
            )
        )


asyncio.run(main(*sys.argv[1:]))
