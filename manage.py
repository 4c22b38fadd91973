#!/usr/bin/env python
"""The tower's command line: Django's own commands and the project's."""

import os
import sys

# Commands that read no row: they must not start servers, and must work where none can run (an image's build).
NEED_NO_SERVERS = {
    "",
    "--help",
    "--version",
    "help",
    "version",
    "collectstatic",
    "compilemessages",
    "diffsettings",
    "findstatic",
    "makemessages",
    "sandbox",
    "startapp",
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "controltower.settings")
    from controltower import embedded

    command = sys.argv[1] if len(sys.argv) > 1 else ""
    if command in NEED_NO_SERVERS or {"--help", "-h"} & set(sys.argv):
        execute()
        return
    try:
        lease = embedded.use_unless_named()
    except embedded.EmbeddedServerError as error:
        sys.exit(str(error))
    try:
        execute()
    finally:
        if lease:
            embedded.close_pools()
            lease.release()


def execute() -> None:
    """Hand the command line to Django. Imports it here, because importing reads the settings."""
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
