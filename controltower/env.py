"""Every setting of the tower, once: its environment variable, its default and its meaning.

``docs/settings.md`` is written from this class, and a test holds the two together.
"""

import json
from pathlib import Path
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

BASE_DIR = Path(__file__).resolve().parent.parent


class Env(BaseSettings):
    """The environment the tower runs in. Field names, in capitals, are the variables' names."""

    model_config = SettingsConfigDict(env_file=None, extra="ignore")

    controltower_home: Path = Field(
        BASE_DIR / ".data", description="Where the embedded servers keep their data, keys and checkpoints."
    )
    database_url: str = Field("", description="PostgreSQL to use. Empty: the embedded server in CONTROLTOWER_HOME.")
    redis_url: str = Field("", description="Valkey or Redis to use. Empty: the embedded server in CONTROLTOWER_HOME.")
    static_root: Path = Field(Path(), description="Where the collected static files lie. Empty: in CONTROLTOWER_HOME.")
    port: int = Field(
        8000, description="Port of the web process. Not set: the last one of the tower in CONTROLTOWER_HOME, else 8000."
    )
    intake_port: int = Field(
        0, description="Port of the intake process. 0: the last one of the tower in CONTROLTOWER_HOME, else a free one."
    )
    secret_key: str = Field("", description="Django's signing key. Empty: made once and kept in CONTROLTOWER_HOME.")
    encryption_keys: str = Field(
        "", description="Fernet keys for secrets at rest, newest first, comma-separated. Empty: made once and kept."
    )
    audit_key: str = Field("", description="Key of the audit trail's hash chain. Empty: made once and kept.")
    vapid_key: str = Field(
        "", description="Private key of web push: 32 bytes, base64url. Empty: made once and kept in CONTROLTOWER_HOME."
    )
    debug: bool = Field(False, description="Django's debug pages. Never in production.")
    allowed_hosts: Annotated[list[str], NoDecode] = Field(
        ["127.0.0.1", "localhost", "[::1]", "testserver"], description="Host names served, comma-separated."
    )
    public_url: str = Field("", description="Address people and Odoo reach the tower at. Empty: http://127.0.0.1:PORT.")
    intake_url: str = Field(
        "", description="Address Odoo's webhooks are sent to. Empty: PUBLIC_URL; without that, the intake process."
    )
    secure_cookies: bool = Field(False, description="Cookies over HTTPS only. On wherever the tower is behind TLS.")
    odoo_commands_per_second: int = Field(
        10, description="Commands begun in one Odoo each second at most, however many wait and whoever carries them out."
    )
    undo_seconds: int = Field(
        5, ge=1, le=60, description="Seconds in which a decision can be taken back; nothing of it leaves the tower before that."
    )
    webhook_allowed: Annotated[list[str], NoDecode] = Field(
        [], description="Hosts and networks that alerts and push messages may go to though they are not public, comma-separated."
    )
    email_url: str = Field(
        "console",
        description="smtp://, smtp+tls:// (STARTTLS) or smtps://user:password@host:port; or console to print messages.",
    )
    email_from: str = Field("Control Tower <tower@localhost>", description="Sender of the tower's e-mails.")
    time_zone: str = Field("UTC", description="Time zone of people who have not chosen one.")
    key_customer_classes: Annotated[list[str], NoDecode] = Field(
        ["Key account", "VIP"],
        description="Odoo's tags of customers whose exceptions weigh a step more, comma-separated. Empty: none.",
    )
    extensions_folder: Path = Field(
        Path(), description="Folder with packages that extend the tower and are installed nowhere (docs/extending.md). Empty: none."
    )
    log_level: str = Field("INFO", description="Level of the log.")

    @classmethod
    def settings_customise_sources(cls, settings_cls, init_settings, env_settings, dotenv_settings, file_secret_settings):  # type: ignore[no-untyped-def]
        return init_settings, env_settings

    def model_post_init(self, _context: object) -> None:
        if isinstance(self.allowed_hosts, str):
            self.allowed_hosts = [host.strip() for host in self.allowed_hosts.split(",") if host.strip()]
        if isinstance(self.key_customer_classes, str):
            self.key_customer_classes = [name.strip() for name in self.key_customer_classes.split(",") if name.strip()]
        if isinstance(self.webhook_allowed, str):
            self.webhook_allowed = [entry.strip() for entry in self.webhook_allowed.split(",") if entry.strip()]
        self.controltower_home = self.controltower_home.resolve()
        # A command typed beside a running tower must name the same addresses as the tower does.
        kept = self.controltower_home / "ports.json"
        ports = json.loads(kept.read_text()) if kept.exists() else {}
        if "port" not in self.model_fields_set:
            self.port = ports.get("web", self.port)
        self.intake_port = self.intake_port or ports.get("intake", 0)
        if not self.public_url and self.intake_port:
            self.intake_url = self.intake_url or f"http://127.0.0.1:{self.intake_port}"
        if self.static_root == Path():
            self.static_root = self.controltower_home / "static"
        self.public_url = (self.public_url or f"http://127.0.0.1:{self.port}").rstrip("/")
        self.intake_url = (self.intake_url or self.public_url).rstrip("/")

    def kept_secret(self, name: str, make: object) -> str:
        """The secret ``name`` from CONTROLTOWER_HOME, made by ``make`` the first time.

        Kept in a file only its owner can read, so that a second start decrypts what the first encrypted.
        """
        self.controltower_home.mkdir(parents=True, exist_ok=True)
        path = self.controltower_home / f"{name}.secret"
        if not path.exists():
            fresh = path.with_suffix(".new")
            fresh.touch(mode=0o600)
            fresh.write_text(make())  # type: ignore[operator]
            try:
                # A link fails where a file is, so two first starts agree on one secret.
                path.hardlink_to(fresh)
            except FileExistsError:
                pass
            finally:
                fresh.unlink(missing_ok=True)
        return path.read_text().strip()

    def service_urls(self) -> tuple[str, str]:
        """Where PostgreSQL and Valkey are: as set, or as the embedded servers of CONTROLTOWER_HOME wrote it down.

        Both are empty where neither is so. :mod:`controltower.embedded` starts servers; this only looks.
        """
        embedded = self.controltower_home / "services.json"
        known = json.loads(embedded.read_text()) if embedded.exists() else {}
        return self.database_url or known.get("database_url", ""), self.redis_url or known.get("redis_url", "")


env = Env()
