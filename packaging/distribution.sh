# Lays out the distribution in $dist, which archive, package and image contain. Sourced by
# build/release.

say "distribution"
dist=$work/$name
mkdir -p "$dist/lib" "$dist/config"
cp cli/target/dist/lib/*.jar "$dist/lib/"
cp packaging/java.options packaging/heap.options "$dist/lib/"
cp taskbroker "$dist/"
cp packaging/taskbroker.yaml "$dist/config/"
cp LICENSE CHANGELOG.md packaging/README.txt "$dist/"
sed -i "s/@VERSION@/$version/" "$dist/README.txt"

# The modules that the jars use, and those that only the JVM's own tools do: jcmd, flight recorder.
"$jdk/bin/jlink" --output "$dist/runtime" --strip-debug --no-header-files --no-man-pages \
  --compress zip-0 --add-modules "$(grep -v '^#' packaging/modules | paste -sd,)"

"$jdk/bin/java" build/Licenses.java cli/target/bom.xml "$dist/lib" packaging/licenses \
  "$dist/licenses"

# Debian's tools and tar keep this time, which the archive of classes checks.
settle() {
  find "$1" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
  chmod -R u=rwX,go=rX "$1"
}
settle "$dist"

# What the broker loads at start (packaging/classes.list), parsed and linked. -Xint: what the
# compiler does on other threads must not change the result.
"$dist/runtime/bin/java" "@$dist/lib/java.options" "@$dist/lib/heap.options" -Xmx256m \
  -Xlog:disable -Xlog:all=error:stderr -Xshare:dump \
  -XX:SharedClassListFile=packaging/classes.list \
  -XX:SharedArchiveFile="$dist/lib/taskbroker.jsa" -jar "$dist/lib/taskbroker.jar"
settle "$dist"
