#!/bin/sh
# What an image needs, from a lock, into /opt/venv; the tools for it are gone afterwards. Used by deploy/Dockerfile.
set -eu
lock=$1
mkdir -p cv_pipelines assets resources sensors  # the source comes as a layer of its own, found by PYTHONPATH
python3 -m venv /tmp/tools
PIP_CERT=${SSL_CERT_FILE:-} /tmp/tools/bin/pip install --quiet --no-cache-dir "uv==$UV_VERSION"
export UV_COMPILE_BYTECODE=1 UV_NO_CACHE=1 UV_LINK_MODE=copy VIRTUAL_ENV=/opt/venv
/tmp/tools/bin/uv venv --quiet --python "$(command -v python3)" /opt/venv
/tmp/tools/bin/uv pip install --quiet --require-hashes -r "$lock"
/tmp/tools/bin/uv pip install --quiet --no-deps -e .
rm -rf /tmp/tools
