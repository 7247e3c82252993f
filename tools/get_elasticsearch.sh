#!/bin/sh
# Elasticsearch for tests, of its published jars: into FOLDER
# (~/.cache/fyr/elasticsearch-VERSION without one) unless it is there. Needs java 17 or
# newer with its compiler, and mvn; 40 MB once, and a minute.
#
# It is the core without the optional modules, which is what the reporting index needs.
# Not all versions have their HTTP side (transport-netty4) published: 8.19.0 has.
set -eu

VERSION=8.19.0
folder=${1:-$HOME/.cache/fyr/elasticsearch-$VERSION}
[ -e "$folder/classes/TestNode.class" ] && exit 0

for program in java javac mvn; do
    command -v "$program" >/dev/null ||
        { echo "get_elasticsearch.sh: $program is absent" >&2; exit 1; }
done
here=$(cd "$(dirname "$0")" && pwd)/elasticsearch
parent=$(dirname "$folder")
mkdir -p "$parent"
beside=$(mktemp -d "$parent/elasticsearch.XXXXXX")
trap 'rm -rf "$beside"' EXIT
netty=$beside/modules/transport-netty4
mkdir -p "$beside/plugins" "$netty"
mvn -q -B -f "$here/pom.xml" -Delasticsearch=$VERSION \
    org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies \
    -DincludeScope=runtime -DoutputDirectory="$beside/lib"
# A module has its jars for itself, and says what it is.
mv "$beside"/lib/transport-netty4-*.jar "$beside"/lib/netty-*.jar \
    "$beside"/lib/elasticsearch-ssl-config-*.jar "$netty/"
cat > "$netty/plugin-descriptor.properties" <<END
name=transport-netty4
description=HTTP
version=$VERSION
elasticsearch.version=$VERSION
java.version=17
classname=org.elasticsearch.transport.netty4.Netty4Plugin
has.native.controller=false
extended.plugins=
END
javac -cp "$beside/lib/*" -d "$beside/classes" "$here/TestNode.java"
mv "$beside" "$folder"
trap - EXIT
