"""A line to an Odoo that can break: a small proxy that passes HTTP requests on, and does to chosen ones what networks do."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

# What may become of a request: it never arrives; it arrives and its answer does not; the answer breaks off; it is late.
FAULTS = ("lost on the way", "answer lost", "answer cut", "answer late")
LATE_SECONDS = 1.5


class Line:
    """Listens on ``url`` and passes on to ``target``. ``fault_of`` says, by the request's bytes, what is to become of it."""

    def __init__(self, target: str, fault_of: Callable[[bytes], str]) -> None:
        parts = urlsplit(target)
        self.target, self.fault_of = (parts.hostname or "127.0.0.1", parts.port or 80), fault_of
        self.done: list[str] = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Answer nobody any more."""
        self.listening.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self.listening.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with suppress(OSError), near, socket.create_connection(self.target, timeout=60) as far:
            while request := message(near):
                fault = self.fault_of(request)
                if fault:
                    self.done.append(fault)
                if fault == "lost on the way":
                    return
                far.sendall(request)
                answer = message(far)
                if fault == "answer lost":
                    return
                if fault == "answer cut":
                    near.sendall(answer[: len(answer) - len(answer) // 3])
                    return
                if fault == "answer late":
                    threading.Event().wait(LATE_SECONDS)
                near.sendall(answer)


def message(line: socket.socket) -> bytes:
    """One whole HTTP message with its length told, or its chunks; nothing where the line ended."""
    said = b""
    while b"\r\n\r\n" not in said:
        piece = line.recv(65_536)
        if not piece:
            return b""
        said += piece
    head, _, body = said.partition(b"\r\n\r\n")
    named = dict(row.lower().split(b": ", 1) for row in head.split(b"\r\n")[1:] if b": " in row)
    if b"content-length" in named:
        missing = int(named[b"content-length"]) - len(body)
        while missing > 0 and (piece := line.recv(65_536)):
            said, missing = said + piece, missing - len(piece)
    elif named.get(b"transfer-encoding") == b"chunked":
        while not said.endswith(b"0\r\n\r\n") and (piece := line.recv(65_536)):
            said += piece
    return said
