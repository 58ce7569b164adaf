"""tuspy against a server: a file in chunks, cut off in the middle, and gone on with by another client.

Arguments: base URL, API key, file. Prints one line of JSON.
"""

import hashlib
import json
import sys

import requests
from tusclient import client, exceptions

CHUNK_BYTES = 50_000


def main(url: str, key: str, file: str) -> None:
    uploads = f"{url}/api/calotype/uploads"
    headers = {"x-api-key": key}
    options = requests.options(uploads, timeout=60)
    mine = client.TusClient(uploads, headers=headers)
    metadata = {"filename": "with tus.jpg", "filetype": "image/jpeg"}
    first = mine.uploader(file, chunk_size=CHUNK_BYTES, metadata=metadata, upload_checksum=True)
    first.upload(stop_at=2 * CHUNK_BYTES)
    place = first.url
    # Another program knows nothing but where the upload is.
    second = client.TusClient(uploads, headers=headers).uploader(
        file, chunk_size=CHUNK_BYTES, url=place
    )
    resumed = second.offset
    second.upload()
    done = requests.get(place, headers=headers, timeout=60).json()
    original = requests.get(
        f"{url}/api/assets/{done['assetId']}/original", headers=headers, timeout=60
    )
    with open(file, "rb") as bytes_of_file:
        same = hashlib.sha1(bytes_of_file.read()).digest()
    try:
        mine.uploader(file, chunk_size=CHUNK_BYTES, metadata={"filename": "a.txt"}).upload()
        refused = None
    except exceptions.TusCommunicationError as error:
        refused = error.status_code
    print(
        json.dumps(
            {
                "extensions": options.headers["tus-extension"],
                "resumed": resumed,
                "status": done["status"],
                "id": done["assetId"],
                "same": hashlib.sha1(original.content).digest() == same,
                "refused": refused,
            }
        )
    )


main(*sys.argv[1:])
