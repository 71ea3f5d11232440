"""Media that customers upload."""

from msgspec import Struct


class Upload(Struct, kw_only=True):
    """A medium that was uploaded, to be sent by its `url`."""

    id: str
    customer_id: str
    url: str
    """Where it can be fetched for some days: renewed whenever the upload is read. Empty where it is kept no more."""
    type: str
    """By its content."""
    size: int
    """In octets."""
    name: str
    """What its file was called, without folders and signs that could do harm; it may be empty."""
    tm_create: str
    tm_delete: str
