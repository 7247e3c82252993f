#!/bin/sh
# Builds MinIO into ~/.cache/fyr/minio, once: some four minutes of one processor.
#
# It is tested against as a process of its own (AGPL), and is no part of Fyr. Its sources
# carry no tags that Go's modules know, so the commit is named.
set -eu

VERSION=v0.0.0-20260212201848-7aac2a2c5b7c
FOLDER="$HOME/.cache/fyr/minio"

if [ -x "$FOLDER/minio" ] && [ "$(cat "$FOLDER/version" 2>/dev/null)" = "$VERSION" ]; then
    exit 0
fi
if ! command -v go >/dev/null; then
    echo "get_minio.sh: no Go here: install it, or set FYR_TEST_S3_URL" >&2
    exit 1
fi
mkdir -p "$FOLDER"
# An older Go fetches the one that MinIO asks for.
GOTOOLCHAIN="${FYR_GOTOOLCHAIN:-auto}" GOBIN="$FOLDER" CGO_ENABLED=0 \
    nice go install -trimpath "github.com/minio/minio@$VERSION"
echo "$VERSION" > "$FOLDER/version"
