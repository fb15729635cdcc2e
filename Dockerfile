# Two images: `server` is the orchestrator, `host` has only what a host needs (and the lab's agent).
# Neither holds a key or a password, and neither needs root to run.
FROM python:3.13-slim-bookworm AS base
# The folders that volumes are mounted on give a new volume its owner.
RUN groupadd --gid 10001 denrei \
 && useradd --uid 10001 --gid denrei --no-create-home --home-dir /var/lib/denrei \
    --shell /usr/sbin/nologin denrei \
 && install -d -o denrei -g denrei -m 0700 /var/lib/denrei \
    /srv/lab-1 /srv/lab-2 /srv/lab-3 /srv/lab-4 /srv/lab-5 \
 && install -d -o denrei -g denrei -m 0750 /etc/denrei-redis
ENV PATH=/opt/denrei/bin:/usr/local/bin:/usr/bin:/bin PYTHONUNBUFFERED=1
WORKDIR /

FROM base AS wheel
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY requirements requirements
# The lock as constraints: of all that it holds only the build backend, hashes checked.
RUN pip install -q --require-hashes -c requirements/dev.lock hatchling
COPY . .
RUN pip wheel -q --no-deps --no-build-isolation --wheel-dir /dist .

FROM base AS environment
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv --without-pip /opt/denrei

FROM environment AS server-environment
COPY requirements/orchestrator.lock /tmp/lock
RUN pip --python /opt/denrei install -q --require-hashes -r /tmp/lock
COPY --from=wheel /dist /tmp/dist
RUN pip --python /opt/denrei install -q --no-deps /tmp/dist/*.whl

FROM environment AS host-environment
COPY requirements/worker.lock /tmp/lock
RUN pip --python /opt/denrei install -q --require-hashes -r /tmp/lock
COPY --from=wheel /dist /tmp/dist
RUN pip --python /opt/denrei install -q --no-deps /tmp/dist/*.whl

FROM base AS server
COPY --from=server-environment /opt/denrei /opt/denrei
ENV DENREI_HOME=/var/lib/denrei
USER denrei
CMD ["denrei", "server", "--beat"]

FROM base AS host
COPY --from=host-environment /opt/denrei /opt/denrei
USER denrei
CMD ["denrei-worker", "run"]
