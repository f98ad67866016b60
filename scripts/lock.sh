#!/bin/sh
# Renew the locks: every version pinned with its hashes, for every supported Python, without any address.
set -eu
cd "$(dirname "$0")/.."
compile() {
    UV_PYTHON_DOWNLOADS=never .venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes \
        --no-emit-index-url --no-emit-find-links --no-annotate --no-header "$@"
}
compile --all-extras --group dev pyproject.toml -o requirements/dev.lock
compile --group build -c requirements/dev.lock pyproject.toml -o requirements/run.lock
compile --extra server --extra postgres --extra exchange --extra optimize --group build -c requirements/dev.lock pyproject.toml -o requirements/server.lock
compile --group build --group bench pyproject.toml -o requirements/bench.lock
compile --group build --group bench-book pyproject.toml -o requirements/bench-book.lock
printf 'uv\npip\n' | compile - -o requirements/bootstrap.lock
