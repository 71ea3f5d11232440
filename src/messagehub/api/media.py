"""Uploads over HTTP."""

from functools import partial

from messagehub import shapes
from messagehub.api import paging, uploading
from messagehub.api.endpoint import PAGING, WHOSE, Call, Endpoint, File, Page
from messagehub.clock import NEVER, plain
from messagehub.uploads import Upload


async def create(call: Call) -> shapes.Upload:
    uploads = call.services.uploads
    async with uploads.receiving(call.customer_id) as receiving:
        form = await uploading.take(call.body, receiving, uploads.most)
        return _shape(await uploads.add(call.customer_id, receiving, form.file_type, form.file_name, call.now))


async def page(call: Call) -> Page[shapes.Upload]:
    return await paging.newest_first(call, partial(call.services.uploads.page, call.whose, call.now), _shape)


async def one(call: Call) -> shapes.Upload:
    return _shape(await call.services.uploads.get(call.id, call.owner, call.now))


async def delete(call: Call) -> shapes.Upload:
    upload = await call.services.uploads.get(call.id, call.owner, call.now)
    await call.services.uploads.remove(upload.id)
    return _shape(upload, call.now)


def _shape(upload: Upload, tm_delete: int = NEVER) -> shapes.Upload:
    same = {name: getattr(upload, name) for name in ("id", "customer_id", "url", "type", "size", "name")}
    return shapes.Upload(**same, tm_create=plain(upload.tm_create), tm_delete=plain(tm_delete))


ID = ("INVALID_ID", "RESOURCE_NOT_FOUND")
DETAIL = """\
A form with one file, as `curl -F file=@cat.jpg` sends it. What it is is known by its content: JPEG, PNG, GIF, MP4,
3GP, MP3, WAV, PDF or vCard. It is kept as it is, and made to fit when it is sent. `url` is what `medias` of a message
takes; it can be used for some days, and is renewed whenever the upload is read."""

ENDPOINTS = [
    Endpoint(
        method="POST", path="/media", summary="Upload a medium", takes=File, gives=shapes.Upload,
        reasons=("MEDIA_UNSUPPORTED", "MEDIA_TYPE_MISMATCH", "MEDIA_BROKEN"), detail=DETAIL, handler=create,
    ),
    Endpoint(
        method="GET", path="/media", summary="List uploads, newest first", gives=Page[shapes.Upload],
        parameters=(*PAGING, WHOSE), reasons=("INVALID_REQUEST_PARAMETER",), handler=page,
    ),
    Endpoint(
        method="GET", path="/media/{id}", summary="Get an upload", gives=shapes.Upload, reasons=ID, handler=one,
    ),
    Endpoint(
        method="DELETE", path="/media/{id}", summary="Forget an upload; messages that have it keep it",
        gives=shapes.Upload, reasons=ID, handler=delete,
    ),
]  # fmt: skip
