"""immichpy against a server, as far as its models of Immich 3.3 take what 3.1 answers.

Arguments: base URL, API key, file. Prints one line of JSON.
"""

import asyncio
import json
import sys

from immichpy import AsyncClient


async def main(url: str, key: str, file: str) -> None:
    async with AsyncClient(api_key=key, base_url=url) as client:
        about = await client.server.get_about_info()
        features = await client.server.get_server_features()
        uploaded = await client.assets.upload([file])
        again = await client.assets.upload([file])
        asset = await client.assets.get_asset_info(uploaded.uploaded[0].asset.id)
        buckets = await client.timeline.get_time_buckets()
        statistics = await client.assets.get_asset_statistics()
        keys = await client.api_keys.get_api_keys()
        told = await client.notifications.get_notifications()
        queues = await client.queues.get_queues()
        print(
            json.dumps(
                {
                    "version": about.version,
                    "trash": features.trash,
                    "uploaded": len(uploaded.uploaded),
                    "again": len(again.uploaded),
                    "name": asset.original_file_name,
                    "shown": sum(bucket.count for bucket in buckets),
                    "images": statistics.images,
                    "keys": len(keys),
                    "told": len(told),
                    "queues": len(queues),
                }
            )
        )


asyncio.run(main(*sys.argv[1:]))
