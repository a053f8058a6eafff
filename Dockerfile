# One image for webserver, daemon, code server and the pods of runs: they differ only in their command.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS dependencies
RUN python -m venv /opt/build && python -m venv --without-pip /opt/venv
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
COPY requirements/runtime.txt /tmp/
RUN /opt/build/bin/pip --python /opt/venv/bin/python install --quiet --no-compile --no-deps --require-hashes -r /tmp/runtime.txt
# What no program of the image loads; image_check fails if one does. rm has no -f: it fails if a new version moves a file.
# - tests; sources of compiled code and of the UI's scripts, types and headers: for compilers, type checkers and debuggers
# - kubernetes/aio: all of the client once more, for asyncio
# - pyarrow: Flight and S3, which it may be built without; and copies of libraries under names that only linkers look for
# - botocore: all services but S3 and those that give a pod its rights
RUN cd /opt/venv/lib/python*/site-packages \
 && find . -type d -name tests -prune -exec rm -r {} + \
 && find . -type f -regextype posix-extended -regex '.*\.(c|cc|cpp|h|hpp|map|pxd|pxi|pyi|pyx|tp)' -delete \
 && rm -r kubernetes/aio \
 && rm pyarrow/*flight*.so* pyarrow/libarrow_s3.so* pyarrow/_s3fs.*.so \
 && rm pyarrow/libarrow_python*.so pyarrow/libarrow_python*.so.*.*.* \
 && find botocore/data -mindepth 1 -maxdepth 1 -type d ! -name s3 ! -name sso ! -name sso-oidc ! -name sts -exec rm -r {} +
# Symbols that only debuggers read. Not of a file that auditwheel has edited to find libraries in its folder *.libs, and not
# of these libraries: some can't be loaded after strip, because their segments are then not aligned to pages.
RUN apt-get update -qq && apt-get install -qq --no-install-recommends binutils >/dev/null \
 && find /opt/venv/lib -type f -name '*.so*' ! -path '*.libs/*' | while read -r library; do \
      readelf --dynamic "$library" | grep -q '\.libs' || strip --strip-unneeded "$library" || exit 1; done

FROM dependencies AS project
WORKDIR /src
COPY pyproject.toml README.md LICENSE ./
COPY credit_assets credit_assets
COPY resources resources
COPY sensors sensors
RUN /opt/build/bin/pip wheel --quiet --no-deps --wheel-dir /tmp . \
 && /opt/build/bin/pip --python /opt/venv/bin/python install --quiet --no-compile --no-deps --prefix /opt/project \
    /tmp/*.whl \
 && /opt/venv/bin/python -m compileall -q -f --invalidation-mode unchecked-hash /opt/project/lib \
 && find /opt/project -exec touch --no-dereference --date @0 {} +

FROM dependencies AS compiled
COPY --from=project /opt/project /opt/project
COPY helm/image_check /opt/check/image_check
# Most modules are never loaded, and get no byte code. Python writes it for those that the check loads, and they are
# compiled again: what Python writes is valid for one time of the source only. The parts of Dagster load each other by name.
# unchecked-hash: byte code that stays valid whatever the file's time is. A pod starts faster, and every build is the same,
# because files have no time of their own either.
RUN export PATH=/opt/venv/bin:$PATH PYTHONPATH=$(echo /opt/project/lib/python*/site-packages):/opt/check \
 && python -m image_check \
 && find /opt/venv/lib -name '*.pyc' | sed 's|__pycache__/\([^/]*\)\.cpython-[0-9]*\.pyc$|\1.py|' > /tmp/loaded \
 && ls -d /opt/venv/lib/python*/site-packages/dagster* >> /tmp/loaded \
 && python -m compileall -q -f -j 0 --invalidation-mode unchecked-hash -i /tmp/loaded \
 && find /opt/venv -exec touch --no-dereference --date @0 {} +

FROM ${BASE_IMAGE}
# libpq and getpass look up the name of their user.
RUN echo 'platform:x:10001:10001::/tmp:/usr/sbin/nologin' >> /etc/passwd && touch --date @0 /etc/passwd
# The official image has no byte code of Python's standard library. Where a base image has it, this does nothing.
RUN library=$(python3 -c 'import sysconfig; print(sysconfig.get_path("stdlib"))') \
 && python3 -m compileall -q -j 0 -x '/(test|tests|site-packages|dist-packages|lib2to3|idlelib)/' \
    --invalidation-mode unchecked-hash "$library" \
 && find "$library" -mmin -30 -exec touch --no-dereference --date @0 {} +
# The root file system may be read-only: programs write only to /tmp and DAGSTER_HOME.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    HOME=/tmp TMPDIR=/tmp MPLCONFIGDIR=/tmp/matplotlib \
    DAGSTER_HOME=/opt/dagster/dagster_home DAGSTER_DISABLE_TELEMETRY=1
COPY --from=compiled /opt/venv /opt/venv
WORKDIR /opt/platform
COPY settings settings
COPY data data
COPY --from=project /opt/project /opt/venv
# A pod can't keep byte code: a module without it would be compiled at every start. That once took two thirds of a start.
# -v names the modules that have none, or an outdated one; the build fails if it finds any.
RUN modules='credit_assets.definitions, dagster_aws.s3, dagster_k8s, dagster_postgres, resources.instance_storage, \
resources.run_launcher, resources.worker, sklearn.ensemble' \
 && python -c "import $modules" \
 && ! python -v -c "import $modules" 2>&1 | grep -m 3 -e '^# bytecode is stale' -e '^# code object from /'
USER 10001:10001
COPY helm/image_check image_check
RUN python -m image_check && rm -rf /tmp/*
EXPOSE 3000 3030
CMD ["dagster-webserver", "--help"]
