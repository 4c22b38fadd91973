"""Static files: collected, hashed and compressed once, then served before Django is asked.

``python -m controltower.static`` collects them, and does nothing where no file has changed since the last time.
"""

import hashlib
from typing import Any

import django
from django.conf import settings
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.handlers import ASGIStaticFilesHandler
from django.contrib.staticfiles.storage import ManifestFilesMixin
from django.core.handlers.asgi import ASGIHandler
from django.core.management import call_command
from servestatic import ServeStaticASGI
from servestatic.storage import CompressedManifestStaticFilesStorage

HASHED = r"\.[0-9a-f]{12}\."


class HashedWhereCollected(CompressedManifestStaticFilesStorage):
    """Names with a hash of the content, so that browsers keep files for ever; plain names where nothing is collected.

    The latter is so in tests, which read the files where they are written.
    """

    # Libraries name source maps that their packages leave out; a browser asks for them in its developer tools only.
    patterns = tuple(
        (glob, tuple(pattern for pattern in patterns if "sourceMappingURL" not in str(pattern)))
        for glob, patterns in ManifestFilesMixin.patterns
    )

    # A module that a page loads and another imports is one file, and new where its content is.
    support_js_module_import_aggregation = True

    def stored_name(self, name: str) -> str:
        """The hashed name of ``name``. Raises ValueError for a file that was not collected, where others were."""
        return super().stored_name(name) if self.hashed_files else name


def with_static_files(application: ASGIHandler) -> Any:
    """``application``, with the static files before it."""
    if not (settings.STATIC_ROOT / "staticfiles.json").exists():
        return ASGIStaticFilesHandler(application)
    return ServeStaticASGI(
        application,
        root=settings.STATIC_ROOT,
        prefix=settings.STATIC_URL,
        immutable_file_test=HASHED,
        allow_all_origins=False,
    )


def collect() -> bool:
    """Collect the static files unless what lies collected is what would be; whether it had to be done."""
    digest = hashlib.sha256()
    for finder in get_finders():
        for path, storage in finder.list(settings.COLLECTSTATIC_IGNORE):
            digest.update(f"{path} {storage.size(path)} {storage.get_modified_time(path)}\n".encode())
    stamp = settings.STATIC_ROOT / ".stamp"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return False
    call_command("collectstatic", interactive=False, clear=True, verbosity=0, ignore_patterns=settings.COLLECTSTATIC_IGNORE)
    stamp.write_text(digest.hexdigest())
    return True


if __name__ == "__main__":
    django.setup()
    collect()
