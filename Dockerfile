# syntax=docker/dockerfile:1
FROM python:3.12-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1
WORKDIR /app
COPY requirements.txt ./
RUN python -m venv /venv && /venv/bin/pip install --no-cache-dir --require-hashes -r requirements.txt

FROM python:3.12-slim-bookworm
# The SDK of OpenAI trusts the certificates of the system.
# hadolint ignore=DL3008
RUN apt-get update && apt-get install --yes --no-install-recommends ca-certificates && rm -rf /var/lib/apt/lists/* \
    && useradd --system --create-home --uid 10001 soosh
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 STATIC_ROOT=/app/static SOOSH_HOME=/home/soosh/data
WORKDIR /app
COPY --from=build /venv /venv
COPY --chown=soosh:soosh . .
RUN install --directory --owner=soosh --group=soosh /app/static /app/media
USER 10001
EXPOSE 8000
# The front server passes probes on under the first of ALLOWED_HOSTS, so they need not know it.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(f'http://127.0.0.1:{os.environ.get(\"PORT\", 8000)}/healthz')"]
# nginx before granian (requests) and uvicorn (sockets), under one supervisor; the same that `make run` starts.
CMD ["python", "manage.py", "serve", "--web"]
