# One image; what a container does is its command (deploy/compose.yaml): web, intake, worker or beat.
FROM python:3.13-slim AS packages
COPY requirements.txt .
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt

FROM python:3.13-slim
RUN useradd --system --uid 1000 --create-home --home-dir /var/lib/controltower tower
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv/controltower
COPY manage.py ./
COPY controltower controltower
COPY apps apps
COPY templates templates
COPY static static
COPY locale locale
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    CONTROLTOWER_HOME=/var/lib/controltower \
    STATIC_ROOT=/srv/static
# The static files lie in the image. The secrets made on the way are the build's own, and thrown away with it.
RUN CONTROLTOWER_HOME=/tmp/build python -m controltower.static && rm -rf /tmp/build
USER tower
VOLUME /var/lib/controltower
EXPOSE 8000 8001
CMD ["uvicorn", "controltower.asgi:application", "--host", "0.0.0.0", "--port", "8000", "--loop", "uvloop", \
     "--http", "httptools", "--ws", "websockets-sansio", "--ws-per-message-deflate", "false", "--no-access-log", "--proxy-headers"]
