#!/usr/bin/env python3
"""A real Odoo 19 Community with demo data, for tests and for ``make demo-odoo``.

    odoo19.py up       start it and print ODOO_URL, ODOO_DB, ODOO_LOGIN, ODOO_PASSWORD (the first time: 5 minutes)
    odoo19.py down     stop it and all it started
    odoo19.py reset    put its database back to the demo data (seconds)
    odoo19.py env      print the settings again
    odoo19.py key      make an API key for its administrator and print it
    odoo19.py run      run it in the foreground, until a signal
    odoo19.py install  fetch it and make the demo database, and stop there
    odoo19.py is-up    status 0 when it runs

Odoo comes from Docker's official image where a Docker engine works, otherwise from Debian's package ``odoo-19`` of the
unstable suite (unpacked, not installed; the mirror is the one among apt's sources) with its Python packages from PyPI.
Its PostgreSQL is the tower's own embedded one. Everything lies under CONTROLTOWER_ODOO_HOME (default
~/.cache/controltower-odoo19); removing that directory removes all of it. CONTROLTOWER_ODOO_NUMBER=2 speaks of a second
Odoo with a database of its own beside the first, and so on; they share the program and the PostgreSQL.
"""

import argparse
import contextlib
import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.request
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

BASE_DIR = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(BASE_DIR))

from controltower import embedded  # noqa: E402
from controltower.process import free_port, is_free  # noqa: E402

HOME = Path(os.environ.get("CONTROLTOWER_ODOO_HOME", Path.home() / ".cache" / "controltower-odoo19")).resolve()
MODULES = (
    "sale_management,sale_margin,sale_stock,purchase,purchase_stock,stock,stock_account,delivery,account,"
    "base_automation,helpdesk_mgmt,mrp,sale_mrp,purchase_mrp,stock_dropshipping"
)
# What Odoo's package links to instead of carrying it: without these its web client answers 500.
LINKED = (
    "libjs-jquery",
    "libjs-jquery-form",
    "libjs-underscore",
    "fonts-font-awesome",
    "fonts-inconsolata",
    "fonts-montserrat",
    "fonts-roboto-unhinted",
)
# Modules that are not Odoo's own, from PyPI: the helpdesk of the OCA, whose model Odoo Enterprise has too.
ADDONS = ("odoo-addon-helpdesk-mgmt==19.0.1.3.2",)
NUMBER = int(os.environ.get("CONTROLTOWER_ODOO_NUMBER", "1"))
# What each of several has to itself is named with its number.
SUFFIX = "" if NUMBER == 1 else f"_{NUMBER}"
IMAGE, CONTAINER = "odoo:19", f"controltower-odoo19-{os.getuid()}{SUFFIX}"
DATABASE, TEMPLATES = f"ct{SUFFIX}", "ct_template"
LOCK, LOG = HOME / f"run{SUFFIX}.lock", HOME / f"odoo{SUFFIX}.log"
# Named after what is in it: other modules make another template.
TEMPLATE = f"{TEMPLATES}_{zlib.crc32(','.join((MODULES, *ADDONS)).encode()):08x}"
VENV, ROOT, EXTRA = HOME / "venv", HOME / "root", HOME / "addons"
PACKAGES = "usr/lib/python3/dist-packages"
START_SECONDS, STOP_SECONDS = 180.0, 40.0


def say(text: str) -> None:
    """Tell the person; what is printed on standard output is for the shell."""
    print(text, file=sys.stderr, flush=True)


def run(*command: object, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command to its end; SystemExit with its words unless it succeeds."""
    done: subprocess.CompletedProcess[str] = subprocess.run([str(word) for word in command], text=True, **options)  # type: ignore[call-overload]
    if done.returncode:
        raise SystemExit(f"odoo19: {' '.join(map(str, command[:4]))} … failed ({done.returncode}). {done.stderr or ''}")
    return done


def has_docker() -> bool:
    """Whether a Docker engine answers."""
    return bool(shutil.which("docker")) and not subprocess.run(["docker", "info"], capture_output=True).returncode


class Server:
    """The place where Odoo's database is: the embedded PostgreSQL, leased as long as this object lives."""

    def __init__(self) -> None:
        self.lease = embedded.use(HOME, fsync=False)
        url = urlsplit(self.lease.services.database_url)
        # The host is the directory of the socket, quoted.
        self.host, self.user, self.password = unquote(url.netloc.rpartition("@")[2]), url.username, url.password

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        """Run one statement outside any transaction."""
        import psycopg

        address = psycopg.conninfo.make_conninfo(host=self.host, user=self.user, password=self.password, dbname="postgres")
        with psycopg.connect(address, autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def has(self, database: str) -> bool:
        """Whether ``database`` exists."""
        return bool(self.sql(f"select 1 from pg_database where datname = '{database}'"))

    def copy(self, source: str, target: str) -> None:
        """Make ``target`` anew as a copy of ``source``, with its files."""
        for database in (source, target):
            self.sql(f"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database}'")
        self.sql(f'drop database if exists "{target}"')
        self.sql(f'create database "{target}" template "{source}"')
        files = HOME / "data" / "filestore"
        shutil.rmtree(files / target, ignore_errors=True)
        if (files / source).exists():
            shutil.copytree(files / source, files / target)

    def odoo(self, *arguments: str, port: int = 0) -> tuple[list[str], dict[str, str]]:
        """Command line and environment of Odoo."""
        docker = has_docker()
        packages = Path("/") / PACKAGES if docker else ROOT / PACKAGES
        (HOME / "data").mkdir(exist_ok=True)
        settings = {
            "addons_path": f"{packages / 'odoo/addons'},{EXTRA / 'odoo/addons'}",
            "data_dir": HOME / "data",
            "db_host": self.host,
            "db_user": self.user,
            "db_password": self.password,
            "http_interface": "127.0.0.1",
            "http_port": port or free_port(),
            "gevent_port": free_port(),
            "workers": 2,
            "max_cron_threads": 1,
            "limit_time_real": 600,
            "limit_time_cpu": 600,
        }
        configuration = HOME / f"{arguments[0]}{SUFFIX}.conf"
        configuration.touch(mode=0o600)
        configuration.write_text("[options]\n" + "".join(f"{name} = {value}\n" for name, value in settings.items()))
        # A subcommand, where there is one, comes before all else.
        words = [*arguments[:1], "-c", str(configuration), *arguments[1:]]
        if not docker:
            return [str(VENV / "bin/python"), str(ROOT / "usr/bin/odoo"), *words], {"PYTHONPATH": str(packages)}
        # The socket's directory is open to PostgreSQL's own user alone.
        owner = Path(self.host).stat()
        for path in (configuration, HOME / "data"):
            os.chown(path, owner.st_uid, owner.st_gid)
        # The host's network: webhooks must reach the tower on 127.0.0.1.
        mounts = [word for path in (HOME, self.host) for word in ("-v", f"{path}:{path}")]
        container = ["docker", "run", "--rm", "-i", "--init", "--name", f"{CONTAINER}-{arguments[0]}"]
        container += ["--network", "host", "--user", f"{owner.st_uid}:{owner.st_gid}", "-e", f"HOME={HOME}/data"]
        return [*container, *mounts, "--entrypoint", "odoo", IMAGE, *words], {}


def fetch() -> None:
    """Get Odoo's program onto this machine, unless it is there."""
    HOME.mkdir(parents=True, exist_ok=True)
    if has_docker():
        run("docker", "pull", "--quiet", IMAGE, stdout=subprocess.DEVNULL)
        fetch_addons()
        return
    if not (ROOT / "usr/share/javascript/jquery/jquery.js").exists():
        if not shutil.which("apt-get"):
            raise SystemExit("odoo19: needs a Docker engine or Debian's apt-get. Or set ODOO_URL to an Odoo 19.")
        say("odoo19: fetching Debian's package odoo-19")
        fetch_package()
    if not (VENV / "installed").exists():
        say("odoo19: installing its Python packages")
        run(sys.executable, "-m", "venv", "--clear", VENV)
        pip = (VENV / "bin/python", "-m", "pip", "install", "-qq", "--disable-pip-version-check")
        run(*pip, "-r", BASE_DIR / "deploy" / "odoo19-requirements.txt")
        (VENV / "installed").touch()
    fetch_addons()


def fetch_addons() -> None:
    """Unpack the modules that are not Odoo's own, unless just these are there."""
    wanted, note = "\n".join(ADDONS), EXTRA / "installed"
    if note.exists() and note.read_text() == wanted:
        return
    say("odoo19: fetching further modules")
    shutil.rmtree(EXTRA, ignore_errors=True)
    if not (VENV / "bin/python").exists():
        run(sys.executable, "-m", "venv", VENV)
    pip = (VENV / "bin/python", "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--no-deps")
    run(*pip, "--target", EXTRA, *ADDONS)
    note.write_text(wanted)


def fetch_package() -> None:
    """Unpack Debian's packages of the unstable suite, with lists of their own so that the machine's apt stays as it is.

    Odoo's own, and the fonts and scripts that its web client's pages are links into; its Python packages come from PyPI.
    """
    apt, etc = HOME / "apt", Path("/etc/apt")
    (apt / "lists/partial").mkdir(parents=True, exist_ok=True)
    sources = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("*"))]
    text = "\n".join(path.read_text() for path in sources if path.is_file()) + "\n"
    mirror = re.search(r"https?://\S+/debian/?(?=\s)", text)
    if not mirror:
        raise SystemExit("odoo19: there is no Debian mirror among apt's sources. Set ODOO_URL to an Odoo 19 instead.")
    keys = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    trust = f"signed-by={keys}" if keys.exists() else "trusted=yes"
    (apt / "sources.list").write_text(f"deb [{trust}] {mirror.group()} sid main\n")
    places = {
        "Dir::Etc::sourcelist": apt / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::State::Lists": apt / "lists",
        "APT::Sandbox::User": "root",
    }
    options = [word for name, value in places.items() for word in ("-o", f"{name}={value}")]
    run("apt-get", *options, "-qq", "update")
    shown = run("apt-cache", *options, "show", "--no-all-versions", "odoo-19", stdout=subprocess.PIPE).stdout
    depends = re.search(r"^Depends: (.*)$", shown, re.MULTILINE)
    assets = sorted({*LINKED, *re.findall(r"(?:^|, )((?:fonts|libjs)-[a-z0-9-]+)", depends[1] if depends else "")})
    fresh, packages = HOME / "root.new", HOME / "packages"
    for directory in (fresh, packages, ROOT):
        shutil.rmtree(directory, ignore_errors=True)
    packages.mkdir()
    run("apt-get", *options, "-qq", "download", "odoo-19", *assets, cwd=packages)
    for package in packages.glob("*.deb"):
        run("dpkg", "-x", package, fresh)
    fresh.rename(ROOT)
    shutil.rmtree(packages)


def make_template(server: Server) -> bool:
    """Make the database that copies are taken of, unless it is there: the modules, with demo data; whether it was made.

    One of other modules goes: what it was for is no longer asked for.
    """
    if server.has(TEMPLATE):
        return False
    say("odoo19: making the demo database (about 4 minutes)")
    building = f"{TEMPLATE}_building"
    server.sql(f'drop database if exists "{building}"')
    command, environment = server.odoo("server", "-d", building, "-i", MODULES, "--with-demo", "--stop-after-init")
    log = HOME / "install.log"
    with (
        log.open("w") as written,
        subprocess.Popen(
            command,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=embedded.die_with_parent(signal.SIGTERM),
        ) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            written.write(line)
            if counted := re.search(r"Loading module (\w+) \((\d+)/(\d+)\)", line):
                is_terminal = sys.stderr.isatty()
                if is_terminal or int(counted[2]) % 20 == 0:
                    words = f"  module {counted[2]} of {counted[3]}: {counted[1]:<30}"
                    print(words, end="\r" if is_terminal else "\n", file=sys.stderr, flush=True)
    if process.returncode or not server.has(building):
        raise SystemExit(f"odoo19: the demo database could not be made. Read {log}.")
    server.sql(f'alter database "{building}" rename to "{TEMPLATE}"')
    files = HOME / "data" / "filestore"
    if (files / building).exists():
        (files / building).rename(files / TEMPLATE)
    for (old,) in server.sql(f"select datname from pg_database where datname ~ '^{TEMPLATES}' and datname <> '{TEMPLATE}'"):
        server.sql(f'drop database "{old}"')
        shutil.rmtree(files / old, ignore_errors=True)
    return True


def install() -> None:
    """Everything that takes long, once."""
    fetch()
    server = Server()
    try:
        if make_template(server) or not server.has(DATABASE):
            server.copy(TEMPLATE, DATABASE)
    finally:
        server.lease.release()


def is_alone() -> bool:
    """Whether no other Odoo runs here, so that the PostgreSQL ends with this one."""
    for path in HOME.glob("run*.lock"):
        with path.open() as handle:
            try:
                fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
    return True


def state() -> dict[str, int]:
    """Process and port of the Odoo that runs; empty when none does."""
    with contextlib.suppress(FileNotFoundError, ValueError), LOCK.open() as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            running: dict[str, int] = json.loads(handle.read())
            return running
    return {}


def foreground(port: int) -> int:
    """Run Odoo until it ends or a signal tells it to; the exit status."""
    install()
    lock = LOCK.open("a+")
    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    lock.truncate(0)
    lock.write(json.dumps({"pid": os.getpid(), "port": port}))
    lock.flush()
    server = Server()
    if has_docker():  # One that a kill left behind.
        subprocess.run(["docker", "rm", "-f", f"{CONTAINER}-server"], capture_output=True)
    command, environment = server.odoo("server", "-d", DATABASE, "--db-filter", f"^{DATABASE}$", port=port)
    odoo = subprocess.Popen(
        command,
        env=os.environ | environment,
        stdin=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=embedded.die_with_parent(signal.SIGTERM),
    )
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: odoo.terminate())
    try:
        return odoo.wait()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(odoo.pid, signal.SIGKILL)
        server.lease.release()


def up(port: int) -> None:
    """Start it in the background and wait until it answers."""
    if not state():
        install()
        with LOG.open("ab") as log:
            child = subprocess.Popen(
                [sys.executable, __file__, "run", "--port", str(port if is_free(port) else free_port())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while not answers():
            if child.poll() is not None or time.monotonic() > deadline:
                down()
                raise SystemExit(f"odoo19: it did not start. Read {LOG}.")
            time.sleep(0.2)
    environment()


def answers() -> bool:
    """Whether Odoo answers."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{state()['port']}/web/health", timeout=5) as answer:
            return bool(answer.status == 200)
    except (OSError, KeyError):
        return False


def down() -> None:
    """Stop it, and wait until all of it has ended."""
    running = state()
    if running:
        os.kill(running["pid"], signal.SIGTERM)
        if not embedded.until(lambda: not state(), seconds=STOP_SECONDS):
            os.kill(running["pid"], signal.SIGKILL)
    if is_alone():
        embedded.until(lambda: embedded.running(HOME) is None, seconds=STOP_SECONDS)


def reset() -> None:
    """The demo data again; it runs afterwards if it ran before."""
    running = state()
    down()
    install()
    server = Server()
    server.copy(TEMPLATE, DATABASE)
    server.lease.release()
    if running:
        up(running["port"])


def environment() -> None:
    """Print the settings as shell commands."""
    running = state()
    if not running:
        raise SystemExit("odoo19: it does not run. Start it with `odoo19.py up`.")
    url = f"http://127.0.0.1:{running['port']}"
    print(f"export ODOO_URL={url} ODOO_DB={DATABASE} ODOO_LOGIN=admin ODOO_PASSWORD=admin")


def key() -> None:
    """Make an API key, which Odoo does only from inside."""
    code = (
        "user = env.ref('base.user_admin')\n"
        "print('KEY', env['res.users.apikeys'].with_user(user)._generate('rpc', 'Control Tower', None))\n"
        "env.cr.commit()\n"
    )
    server = Server()
    try:
        command, variables = server.odoo("shell", "-d", DATABASE, "--no-http")
        done = run(*command, env=os.environ | variables, input=code, capture_output=True)
    finally:
        server.lease.release()
    made = re.search(r"KEY (\w+)", done.stdout)
    if not made:
        raise SystemExit("odoo19: Odoo made no key. Is its database whole? `odoo19.py reset` makes it anew.")
    print(made[1])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("command", choices=["up", "down", "reset", "env", "key", "run", "install", "is-up"])
    parser.add_argument("--port", type=int, default=8069, help="its port; where that is taken, `up` takes a free one")
    arguments = parser.parse_args()
    simple = {"down": down, "reset": reset, "env": environment, "key": key, "install": install}
    if arguments.command == "is-up":
        return 0 if state() else 1
    if arguments.command == "run":
        return foreground(arguments.port)
    if arguments.command == "up":
        up(arguments.port)
    else:
        simple[arguments.command]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
