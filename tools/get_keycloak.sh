#!/bin/sh
# Keycloak for tests, as published: into FOLDER (~/.cache/fyr/keycloak-VERSION without one)
# unless it is there. Needs java and mvn; 160 MB once, and half a minute to prepare it.
set -eu

VERSION=26.4.0
folder=${1:-$HOME/.cache/fyr/keycloak-$VERSION}
[ -x "$folder/bin/kc.sh" ] && exit 0

for program in java mvn; do
    command -v "$program" >/dev/null || { echo "get_keycloak.sh: $program is absent" >&2; exit 1; }
done
parent=$(dirname "$folder")
mkdir -p "$parent"
beside=$(mktemp -d "$parent/keycloak.XXXXXX")
trap 'rm -rf "$beside"' EXIT
mvn -q -B org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy \
    -Dartifact=org.keycloak:keycloak-quarkus-dist:$VERSION:zip \
    -DoutputDirectory="$beside" -Dmdep.useBaseVersion=true
python3 -m zipfile -e "$beside"/keycloak-quarkus-dist-$VERSION.zip "$beside"
chmod +x "$beside/keycloak-$VERSION"/bin/*.sh
# What else each start would do again.
"$beside/keycloak-$VERSION/bin/kc.sh" build --db=dev-file >"$beside/build.log" 2>&1 ||
    { cat "$beside/build.log" >&2; exit 1; }
mv "$beside/keycloak-$VERSION" "$folder"
