"""One folder a kind of source: ``adapter.py`` declares an ``ADAPTER``, ``examples/`` holds messages and what they mean."""
