"""Runs the whole tower on one machine, and stops the whole of it.

    python -m controltower.supervisor up          the tower alone, to be connected to an Odoo
    python -m controltower.supervisor demo        with a sandbox company
    python -m controltower.supervisor demo-odoo   with a real Odoo 19 and a light stream of business

Ctrl-C, TERM and HUP stop everything in order. Where this process is killed, the kernel ends its children, and the guard
of the embedded servers, seeing no lease, ends those: nothing is left running, and the next start finds the data whole.
"""

import argparse
import asyncio
import contextlib
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from controltower import embedded
from controltower.env import BASE_DIR, env
from controltower.process import Process, StartError, answers, free_port, is_free, last_words, says_ready

# How often it is looked whether the guard of the embedded servers lives.
GUARD_SECONDS = 1.0
SANDBOX = {"db": "sandbox", "login": "tower", "key": "sandbox-key"}


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)


def python(*arguments: str) -> list[str]:
    """A command line of this Python."""
    return [sys.executable, "-W", "ignore::DeprecationWarning", *arguments]


def manage(*arguments: str) -> list[str]:
    """A command line of manage.py."""
    return python(str(BASE_DIR / "manage.py"), *arguments)


class Tower:
    """The tower of one CONTROLTOWER_HOME while it runs."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.home = env.controltower_home
        self.logs = self.home / "logs"
        self.logs.mkdir(parents=True, exist_ok=True)
        self.environment = dict(os.environ)
        self.processes: list[Process] = []
        self.ports: dict[str, int] = {}
        self.company: Process | None = None
        self.lease: embedded.Lease | None = None
        self.named = ("", "")
        for log in self.logs.glob("*.log"):
            log.replace(log.with_suffix(".log.old"))

    async def run(self) -> None:
        """Start everything, say where it is, and keep it running until cancelled."""
        with self._alone():
            moved = self._choose_ports()
            begun = time.monotonic()
            async with self._servers(), self._stopped_at_the_end():
                facts = await self._prepare()
                company = await self._start_company()
                async with asyncio.TaskGroup() as starting:
                    for process in self._own_processes():
                        starting.create_task(self._start(*process))
                if company:
                    await self._connect(company, facts["connections"], moved)
                    await self._start_business(company)
                if self.has_clerks:
                    await self._start_clerks(facts["clerks"])
                self._greet(facts["sign_ins"], company, time.monotonic() - begun)
                await asyncio.gather(self._keep_servers(), *(process.keep() for process in self.processes))

    @contextlib.contextmanager
    def _alone(self):  # type: ignore[no-untyped-def]
        """One supervisor a home."""
        with (self.home / "supervisor.lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StartError(
                    f"The tower in {self.home} runs already. Stop it, or set another CONTROLTOWER_HOME and PORT."
                ) from None
            yield

    def _choose_ports(self) -> bool:
        """Find the ports, those of the last start where they are free; whether one that Odoo knows has changed.

        Written down in ``ports.json``, which is how commands typed beside the tower name the same addresses.
        """
        kept = self.home / "ports.json"
        before: dict[str, int] = json.loads(kept.read_text()) if kept.exists() else {}
        if not is_free(env.port):
            raise StartError(f"Port {env.port} is taken. Set PORT to a free one.")
        self.ports["web"] = env.port
        for name, wanted in (("intake", env.intake_port), ("company", 0)):
            port = wanted or before.get(name, 0)
            self.ports[name] = port if port and is_free(port) else free_port()
        kept.write_text(json.dumps(self.ports) + "\n")
        env.intake_port = self.ports["intake"]
        if not os.environ.get("INTAKE_URL") and not os.environ.get("PUBLIC_URL"):
            env.intake_url = f"http://127.0.0.1:{env.intake_port}"
        self.environment |= {
            "CONTROLTOWER_HOME": str(self.home),
            "PORT": str(env.port),
            "INTAKE_PORT": str(env.intake_port),
            "PUBLIC_URL": env.public_url,
            "INTAKE_URL": env.intake_url,
            "PYTHONUNBUFFERED": "1",
        }
        return before != {} and (before.get("web"), before.get("intake")) != (self.ports["web"], self.ports["intake"])

    @contextlib.asynccontextmanager
    async def _servers(self) -> AsyncIterator[None]:
        """PostgreSQL and Valkey: those named, or the embedded ones, which stop after everything else."""
        self.named = (env.database_url, env.redis_url)
        with step("PostgreSQL and Valkey"):
            self.lease = await asyncio.to_thread(embedded.use_unless_named)
        self.environment |= {"DATABASE_URL": env.database_url, "REDIS_URL": env.redis_url}
        try:
            yield
        finally:
            if self.lease:
                self.lease.release()

    async def _keep_servers(self) -> None:
        """Start the embedded servers again where their guard is gone, and with it they; all that used them begins anew."""
        while self.lease:
            await asyncio.sleep(GUARD_SECONDS)
            if await asyncio.to_thread(embedded.running, self.home):
                continue
            say("! The guard of PostgreSQL and Valkey ended; starting it again")
            await asyncio.to_thread(self.lease.release)
            env.database_url, env.redis_url = self.named
            self.lease = await asyncio.to_thread(embedded.use_unless_named)
            # The servers have other addresses now, which a process learns as it starts.
            self.environment |= {"DATABASE_URL": env.database_url, "REDIS_URL": env.redis_url}
            for process in self.processes:
                if process is not self.company:
                    process.begin_anew()

    @contextlib.asynccontextmanager
    async def _stopped_at_the_end(self) -> AsyncIterator[None]:
        """Stops all processes: the company last, which workers may be speaking to."""
        try:
            yield
        finally:
            say("\nStopping …")
            for process in self.processes:
                process.stopping = True
            await asyncio.gather(*(process.stop() for process in self.processes if process is not self.company))
            if self.company:
                await self.company.stop()

    async def _prepare(self) -> dict[str, Any]:
        with step("Tables, static files, people"):
            hurry = [] if self.kind == "up" else ["--hurry"]
            clerks = ["--clerks"] if self.has_clerks else []
            output = await self._finish(python("-m", "controltower.prepare", *hurry, *clerks), "prepare")
        facts: dict[str, Any] = json.loads(output.splitlines()[-1])
        return facts

    async def _finish(self, command: list[str], name: str, *, shown: bool = False) -> str:
        """Run a command to its end; its output, or nothing where it is shown. Raises StartError unless it succeeds."""
        log = self.logs / f"{name}.log"
        with log.open("ab") as errors:
            child = await asyncio.create_subprocess_exec(
                *command,
                cwd=BASE_DIR,
                env=self.environment,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=None if shown else asyncio.subprocess.PIPE,
                stderr=None if shown else errors,
                start_new_session=True,
                preexec_fn=embedded.die_with_parent(signal.SIGKILL),
            )
            try:
                output, _ = await child.communicate()
            except asyncio.CancelledError:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(child.pid, signal.SIGKILL)
                await child.wait()
                raise
        if child.returncode:
            where = "It says why above." if shown else last_words(log)
            raise StartError(f"`{' '.join(command[-3:])}` failed ({child.returncode}). {where}")
        return "" if output is None else output.decode()

    async def _start(self, name: str, command: list[str], is_ready: Callable[[Process], Awaitable[bool]], **alone: str) -> Process:
        """Start a process and wait for it; ``alone`` is what only its own environment says."""
        log = self.logs / f"{name.replace(' ', '-')}.log"
        # Shared, so that one that begins anew learns what has changed.
        environment = self.environment | alone if alone else self.environment
        process = Process(name=name, command=command, is_ready=is_ready, environment=environment, log=log)
        self.processes.append(process)
        with step(name):
            await process.start()
            await process.wait_until_ready()
        return process

    def _own_processes(self) -> list[tuple[str, list[str], Callable[[Process], Awaitable[bool]]]]:
        """Name, command and sign of readiness of what the tower itself consists of."""
        web, intake = self.ports["web"], self.ports["intake"]
        return [
            ("web", uvicorn("controltower.asgi:application", web), answers(web, "/healthz", status=200)),
            ("intake", uvicorn("apps.intake.asgi:application", intake), answers(intake, "/")),
            ("worker for people", worker("people", "tick,notify", at_once=4, pool="threads"), says_ready),
            ("fast workers", worker("fast", "decide,refresh", at_once=2), says_ready),
            ("slow workers", worker("slow", "sync,default", at_once=1), says_ready),
            ("beat", celery("beat", "--schedule", str(self.home / "beat-schedule"), "--pidfile="), says_ready),
        ]

    async def _start_company(self) -> dict[str, str] | None:
        """The Odoo beside the tower, as the arguments of ``connect_odoo``; None where a person will connect one."""
        port = self.ports["company"]
        if self.kind == "demo":
            self.company = await self._start(
                "sandbox company", manage("sandbox", "--port", str(port)), answers(port, "/web/health")
            )
            return {"name": "sandbox", "url": f"http://127.0.0.1:{port}", **SANDBOX}
        if self.kind == "demo-odoo":
            return await self._start_odoo(port)
        return None

    async def _start_odoo(self, port: int) -> dict[str, str]:
        """A real Odoo 19: the one ODOO_URL names, or one of our own that lives as long as the tower."""
        if os.environ.get("ODOO_URL"):
            return {
                "name": "odoo",
                "url": os.environ["ODOO_URL"],
                "db": os.environ.get("ODOO_DB", "ct"),
                "login": os.environ.get("ODOO_LOGIN", "admin"),
                "key": os.environ.get("ODOO_PASSWORD", "admin"),
            }
        say("· A real Odoo 19 (the first time takes about 5 minutes)")
        script = str(BASE_DIR / "deploy" / "odoo19.py")
        await self._finish(python(script, "install"), "odoo", shown=True)
        is_ready = answers(port, "/web/health", status=200)
        self.company = await self._start("Odoo 19", python(script, "run", "--port", str(port)), is_ready)
        key = (await self._finish(python(script, "key"), "odoo-key")).splitlines()[-1]
        return {"name": "odoo", "url": f"http://127.0.0.1:{port}", "db": "ct", "login": "admin", "key": key}

    async def _connect(self, company: dict[str, str], known: dict[str, str], moved: bool) -> None:
        """Connect, provision and first-sync the company, unless an earlier start has."""
        name, url = company["name"], company["url"]
        if known.get(name) == url and not moved:
            return
        say(f"· Connecting {name} at {url}")
        arguments = [f"--{key}={company[key]}" for key in ("url", "db", "login", "key")]
        await self._finish(manage("connect_odoo", name, *arguments, "--provision"), "connect", shown=True)
        if name not in known:
            await self._finish(manage("sync", name, "--full"), "sync", shown=True)

    async def _start_business(self, company: dict[str, str]) -> None:
        """People at work in the real Odoo; the sandbox company has its own."""
        if self.kind != "demo-odoo":
            return
        self.environment |= {f"ODOO_{key.upper()}": company[key] for key in ("url", "db", "login")}
        self.environment["ODOO_PASSWORD"] = company["key"]
        await self._start("business in Odoo", python(str(BASE_DIR / "deploy" / "odoo_business.py")), says_ready)

    @property
    def has_clerks(self) -> bool:
        """Whether people work in the tower beside the visitor: in the demonstration, unless ``CLERKS`` is 0."""
        return self.kind == "demo" and os.environ.get("CLERKS", "1") != "0"

    async def _start_clerks(self, tokens: dict[str, str]) -> None:
        """Those who work in the tower beside the visitor of a demonstration."""
        web = f"http://127.0.0.1:{self.ports['web']}"
        await self._start("clerks", python("-m", "sandbox.clerks", web), says_ready, CLERK_TOKENS=json.dumps(tokens))

    def _greet(self, sign_ins: dict[str, str], company: dict[str, str] | None, seconds: float) -> None:
        say(f"\nThe tower runs at {env.public_url} (started in {seconds:.0f} s). Sign in as\n")
        for username, password in sign_ins.items():
            say(f"    {username:<12} {password or '(the password this person has chosen)'}")
        if company and self.kind == "demo":
            say(
                f"\nThe company's Odoo is a stand-in without pages, for API calls alone: {company['url']}, database "
                f"{company['db']}, login {company['login']}, key {company['key']}."
            )
        elif company:
            password = "" if os.environ.get("ODOO_URL") else ", password admin"
            say(f"\nThe company's Odoo is at {company['url']}, database {company['db']}, login {company['login']}{password}.")
        say(f"\nLogs: {self.logs}. Ctrl-C stops everything.")


def uvicorn(application: str, port: int) -> list[str]:
    """The command of a web server for ``application`` on ``port``."""
    http = "apps.intake.http_limits:BoundedHttpProtocol" if application.startswith("apps.intake.") else "httptools"
    parts = ["--loop", "uvloop", "--http", http, "--ws", "websockets-sansio", "--no-access-log"]
    # Frames are compressed once for all sockets (apps/boards/live/broadcast.py).
    parts += ["--ws-per-message-deflate", "false"]
    parts += ["--timeout-graceful-shutdown", "5", "--log-level", "warning"]
    return python("-m", "uvicorn", application, "--host", "127.0.0.1", "--port", str(port), *parts)


def celery(*arguments: str) -> list[str]:
    """A command of the tower's Celery application."""
    return python("-m", "celery", "-A", "controltower", *arguments, "--loglevel", "INFO")


def worker(name: str, queues: str, *, at_once: int, pool: str = "prefork") -> list[str]:
    """The command of a worker for ``queues`` that does ``at_once`` tasks at once."""
    # The work lies in PostgreSQL, so workers need not know one another.
    alone = ["--without-mingle", "--without-gossip"]
    return celery("worker", "-n", f"{name}@%h", "-Q", queues, "--pool", pool, "--concurrency", str(at_once), *alone)


@contextlib.contextmanager
def step(title: str):  # type: ignore[no-untyped-def]
    """Say that a step was taken, and how long it took."""
    begun = time.monotonic()
    yield
    say(f"· {title}: {time.monotonic() - begun:.1f} s")


async def serve(kind: str) -> int:
    """Run the tower until a signal; the exit status."""
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tower = asyncio.create_task(Tower(kind).run())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait({tower, stopped}, return_when=asyncio.FIRST_COMPLETED)
    tower.cancel()
    stopped.cancel()
    outcome = (await asyncio.gather(tower, return_exceptions=True))[0]
    while isinstance(outcome, BaseExceptionGroup):
        outcome = outcome.exceptions[0]
    if isinstance(outcome, StartError | embedded.EmbeddedServerError):
        print(outcome, file=sys.stderr)
        return 1
    if outcome is not None and not isinstance(outcome, asyncio.CancelledError):
        raise outcome
    return 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=["up", "demo", "demo-odoo"])
    sys.exit(asyncio.run(serve(parser.parse_args().kind)))
