"""``python -m controltower.settings_doc`` prints docs/settings.md, written from :class:`controltower.env.Env`."""

from controltower.env import BASE_DIR, Env

HEAD = """# Settings

Every setting is an environment variable. This table is written from `controltower/env.py` by `make settings-doc`.

| variable | default | meaning |
| --- | --- | --- |
"""


def text() -> str:
    """The document."""
    rows = []
    for name, field in Env.model_fields.items():
        value = field.default
        if isinstance(value, list):
            value = ",".join(value)
        shown = "" if str(value) in {"", "."} else f"`{str(value).removeprefix(f'{BASE_DIR}/')}`"
        rows.append(f"| `{name.upper()}` | {shown} | {field.description} |\n")
    return HEAD + "".join(rows)


if __name__ == "__main__":
    print(text(), end="")
