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
"$jdk/bin/java" -jar "$dist/lib/taskbroker.jar" man "$dist/man/man1"

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

# What the broker loads at start (packaging/classes.list), parsed. The archive contains the paths of
# the jars, which may be others later, but must be equal in all builds: so the distribution is mounted
# at a fixed one.
need bwrap:bubblewrap
bwrap --dev-bind / / --tmpfs /opt --bind "$dist" /opt/taskbroker \
  --ro-bind packaging/classes.list /opt/classes.list \
  /opt/taskbroker/runtime/bin/java @/opt/taskbroker/lib/java.options \
  @/opt/taskbroker/lib/heap.options -Xmx256m -Xlog:disable -Xlog:all=error:stderr -Xshare:dump \
  -XX:SharedClassListFile=/opt/classes.list \
  -XX:SharedArchiveFile=/opt/taskbroker/lib/taskbroker.jsa -jar /opt/taskbroker/lib/taskbroker.jar
settle "$dist"
