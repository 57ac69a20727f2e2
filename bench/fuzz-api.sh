#!/bin/sh
# Lets schemathesis ask a running server whatever its OpenAPI document allows, and what it forbids: no answer may be a server error,
# or one that the document does not know. It changes and deletes: only for a server on a scratch data folder.
#     python3 -m venv /tmp/schemathesis && /tmp/schemathesis/bin/pip install schemathesis==4.32.5
#     bench/fuzz-api.sh http://127.0.0.1:8080 /tmp/schemathesis/bin/schemathesis [--max-examples 250]
set -eu
base=$1 tool=$2
shift 2
exec "$tool" run "$base/api" --url "$base" --phases examples,coverage,fuzzing --no-color \
    --checks not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance "$@"
