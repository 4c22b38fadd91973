"""A mail server of the tests' own: enough of SMTP to take messages, to refuse them, and to fall silent when it must not."""

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# In place of an answer: the server hangs up, or says nothing until it is stopped.
HANGS_UP, SILENT = "hangs up", "silent"


class Conversation(socketserver.StreamRequestHandler):
    """One session."""

    server: "MailServer"

    def handle(self) -> None:
        self.say("220 ready")
        recipients: list[str] = []
        while line := self.rfile.readline().decode().strip():
            word = line[:4].upper()
            if word in ("EHLO", "HELO", "MAIL", "RSET"):
                self.say("250 fine")
            elif word == "RCPT":
                refused = self.server.says.get("RCPT") or ("550 there is none" if "nobody" in line else "")
                if not refused:
                    recipients.append(line.split("<")[1].split(">")[0])
                self.say(refused or "250 fine")
            elif word == "DATA":
                self.say("354 go on")
                text = b""
                while (part := self.rfile.readline()) not in (b".\r\n", b""):
                    text += part
                if not self.answered(recipients, text.decode()):
                    return
                recipients = []
            elif word == "QUIT":
                self.say("221 good-bye")
                return

    def answered(self, recipients: list[str], text: str) -> bool:
        """Answer a message; False where the session is over."""
        answer = self.server.says.get("DATA", "250 taken")
        if answer.startswith("2") or answer in (HANGS_UP, SILENT):
            self.server.taken.extend((recipient, text) for recipient in recipients)
            self.server.has_taken.set()
        if answer == SILENT:
            self.server.stopped.wait(30)
        if answer in (HANGS_UP, SILENT):
            return False
        self.say(answer)
        return True

    def say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class MailServer(socketserver.ThreadingTCPServer):
    """A mail server on a free port.

    Attributes:
        taken: recipient and text of each message that it took.
        says: what it answers to ``RCPT`` and to the end of ``DATA`` instead of that all is well.
    """

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.taken: list[tuple[str, str]] = []
        self.says: dict[str, str] = {}
        self.has_taken, self.stopped = threading.Event(), threading.Event()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.server_address[1])


@contextmanager
def serving() -> Iterator[MailServer]:
    """Serve as long as the block runs."""
    with MailServer() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield server
        finally:
            server.stopped.set()
            server.shutdown()
            thread.join()


def use(settings: Any, port: int, *, timeout: float = 5) -> None:
    """Have the tower send by the server at that port."""
    options = {"host": "127.0.0.1", "port": port, "timeout": timeout}
    settings.MAILERS = {"default": {"BACKEND": "django.core.mail.backends.smtp.EmailBackend", "OPTIONS": options}}
