"""Days that do not end while a test counts what belongs to one."""

from datetime import UTC, datetime


def midday() -> str:
    """A time zone in which it is about noon."""
    ahead = 12 - datetime.now(UTC).hour
    return f"Etc/GMT{-ahead:+d}" if ahead else "UTC"  # where the sign is that of west
