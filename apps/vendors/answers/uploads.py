"""Files that vendors send: few, small, of known kinds, under harmless names. They are kept and handed out as they are."""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext

from apps.vendors.answers.receiving import File

MOST_FILES, LARGEST_FILE = 3, 5 * 1024 * 1024
# What the content begins with, of each ending that is taken; text has no such beginning.
BEGINNINGS: dict[str, tuple[bytes, ...]] = {
    ".pdf": (b"%PDF-",),
    ".png": (b"\x89PNG\r\n\x1a\n",),
    ".jpg": (b"\xff\xd8\xff",),
    ".jpeg": (b"\xff\xd8\xff",),
    ".xlsx": (b"PK\x03\x04",),
    ".docx": (b"PK\x03\x04",),
    ".csv": (),
    ".txt": (),
}
UNSAFE = re.compile(r"[^\w.() -]+")
LONGEST_NAME = 80


class FileRefusedError(ValueError):
    """The file is not taken; the message says why, in the active language."""


def read(files: Iterable["UploadedFile[Any]"]) -> list[File]:
    """Return the files as they are kept. Raises FileRefusedError."""
    sent = [file for file in files if file.name or file.size]
    if len(sent) > MOST_FILES:
        raise FileRefusedError(gettext("At most %(most)s files can be sent with one answer.") % {"most": MOST_FILES})
    return [_read(file) for file in sent]


def _read(file: "UploadedFile[Any]") -> File:
    name = neutral(file.name or "")
    ending = PurePosixPath(name).suffix.lower()
    if (file.size or 0) > LARGEST_FILE:
        raise FileRefusedError(gettext("%(name)s is larger than 5 MB.") % {"name": name})
    content = file.read()
    beginnings = BEGINNINGS.get(ending)
    if beginnings is None or not content or not _fits(content, beginnings):
        kinds = ", ".join(sorted(one.removeprefix(".") for one in BEGINNINGS))
        raise FileRefusedError(gettext("%(name)s is not one of: %(kinds)s.") % {"name": name, "kinds": kinds})
    return File(name=name, content=content)


def _fits(content: bytes, beginnings: tuple[bytes, ...]) -> bool:
    """Return True where the content is of the kind that the ending says: by its beginning, or text without a NUL."""
    if beginnings:
        return content.startswith(beginnings)
    try:
        return "\0" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return b"\0" not in content


def neutral(name: str) -> str:
    """Return a name without folders, control characters and signs that mean something to a shell, a header or a page."""
    plain = UNSAFE.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    stem, dot, ending = plain.rpartition(".")
    if not dot:
        stem, ending = plain, ""
    # One ending alone counts: what stands before it is no second one.
    stem = stem.replace(".", "_")[:LONGEST_NAME] or "file"
    return f"{stem}.{ending[:8].lower()}" if ending else stem
