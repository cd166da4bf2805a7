# Writes the container image, without a container engine: an OCI layout that is also a
# docker-archive (docker load, podman load, skopeo copy). Sourced by build/release.

say "image"
image=$work/image
rootfs=$image/rootfs
layout=$image/layout
mkdir -p "$rootfs" "$layout/blobs/sha256" "$image/packages"

# The base: libraries that the JVM and the native libraries load, certificates, and the names of
# the system. No shell, no package manager. Their records let scanners know them.
if [ -n "${RELEASE_BASE:-}" ]; then
  cp "$RELEASE_BASE"/*.deb "$image/packages/"
else
  need apt-get:apt
  (cd "$image/packages" && apt-get -q -o APT::Sandbox::User=root download $(grep -v '^#' "$work/source/packaging/base-packages")) \
    > /dev/null || fail "apt-get could not download the base of the image; try apt-get update"
fi
mkdir -p "$rootfs/var/lib/dpkg/status.d"
for package in "$image"/packages/*.deb; do
  dpkg-deb --extract "$package" "$rootfs"
  dpkg-deb --field "$package" > "$rootfs/var/lib/dpkg/status.d/$(dpkg-deb --field "$package" Package)"
done
# Documentation but the licences, and programs: nothing runs but Java.
find "$rootfs/usr/share/doc" -type f ! -name copyright -delete
rm -rf "$rootfs/usr/share/man" "$rootfs/usr/share/lintian" "$rootfs/usr/share/bug" \
  "$rootfs/usr/share/gcc" "$rootfs/usr/share/gdb" "$rootfs"/usr/sbin "$rootfs"/sbin "$rootfs"/usr/bin "$rootfs"/bin
mkdir -p "$rootfs/etc/ssl/certs" "$rootfs/etc/taskbroker"
find "$rootfs/usr/share/ca-certificates" -name '*.crt' | LC_ALL=C sort | xargs cat \
  > "$rootfs/etc/ssl/certs/ca-certificates.crt"
printf '%s\n' 'root:x:0:0:root:/:/nonexistent' 'taskbroker:x:65532:65532::/var/lib/taskbroker:/nonexistent' \
  > "$rootfs/etc/passwd"
printf '%s\n' 'root:x:0:' 'taskbroker:x:65532:' > "$rootfs/etc/group"
echo 'hosts: files dns' > "$rootfs/etc/nsswitch.conf"
rm -rf "$rootfs/tmp" "$rootfs/var/lib/taskbroker"
settle "$rootfs"

# The broker, in a layer of its own above.
app=$image/app
mkdir -p "$app/opt" "$app/var/lib" "$app/etc/taskbroker"
cp -a "$dist" "$app/opt/taskbroker"
mv "$app/opt/taskbroker/config/taskbroker.yaml" "$app/etc/taskbroker/taskbroker.yaml"
sed -i 's|\./taskbroker.sqlite|/var/lib/taskbroker/taskbroker.sqlite|' \
  "$app/etc/taskbroker/taskbroker.yaml"
rm -r "$app/opt/taskbroker/config" "$app/opt/taskbroker/man" "$app/opt/taskbroker/taskbroker"
settle "$app"

# Writes a blob from the input and prints its digest.
blob() {
  local file digest
  file=$(mktemp -p "$image")
  cat > "$file"
  digest=$(sha256sum < "$file" | cut -d' ' -f1)
  chmod 644 "$file"
  mv "$file" "$layout/blobs/sha256/$digest"
  echo "$digest"
}
size() { stat -c %s "$layout/blobs/sha256/$1"; }

pack "$rootfs" . > "$image/base.tar"
# What the broker writes to belongs to its user; /tmp to everyone.
mkdir -p "$image/owned/var/lib/taskbroker" "$image/tmp/tmp"
chmod 750 "$image/owned/var/lib/taskbroker"
chmod 1777 "$image/tmp/tmp"
pack "$app" . > "$image/app.tar"
# Of options given twice tar takes the last.
pack "$image/owned" --owner=65532 --group=65532 ./var/lib/taskbroker > "$image/owned.tar"
pack "$image/tmp" ./tmp > "$image/tmp.tar"
tar --concatenate --file "$image/app.tar" "$image/owned.tar"
tar --concatenate --file "$image/app.tar" "$image/tmp.tar"

layers=() diffs=()
for layer in base app; do
  diffs+=("$(sha256sum < "$image/$layer.tar" | cut -d' ' -f1)")
  layers+=("$(gzip -n -6 < "$image/$layer.tar" | blob)")
done

case $arch in
  x86_64) oci_arch=amd64 ;;
  aarch64) oci_arch=arm64 ;;
  *) fail "no OCI architecture for $arch" ;;
esac
java='"/opt/taskbroker/runtime/bin/java","@/opt/taskbroker/lib/java.options"'
classes='"-XX:SharedArchiveFile=/opt/taskbroker/lib/taskbroker.jsa","-jar","/opt/taskbroker/lib/taskbroker.jar"'
# Health: a small heap and no second compiler, since it runs every half minute beside the broker.
config=$(blob <<EOF
{"created":"$stamp","architecture":"$oci_arch","os":"linux","config":{
"User":"65532:65532","WorkingDir":"/var/lib/taskbroker",
"Env":["LC_ALL=C.UTF-8","PATH=/opt/taskbroker/runtime/bin"],
"Entrypoint":[$java,"@/opt/taskbroker/lib/heap.options",$classes],
"Cmd":["serve","-c","/etc/taskbroker/taskbroker.yaml"],
"ExposedPorts":{"50051/tcp":{},"9464/tcp":{}},"Volumes":{"/var/lib/taskbroker":{}},
"StopSignal":"SIGTERM",
"Healthcheck":{"Test":["CMD",$java,"-XX:+UseSerialGC","-Xmx24m","-XX:TieredStopAtLevel=1",$classes,"health","-c","/etc/taskbroker/taskbroker.yaml"],"Interval":30000000000,"Timeout":10000000000,"StartPeriod":30000000000,"Retries":3},
"Labels":{"org.opencontainers.image.title":"taskbroker","org.opencontainers.image.version":"$version","org.opencontainers.image.revision":"$commit","org.opencontainers.image.licenses":"Apache-2.0"}},
"rootfs":{"type":"layers","diff_ids":["sha256:${diffs[0]}","sha256:${diffs[1]}"]},
"history":[{"created":"$stamp","created_by":"base"},{"created":"$stamp","created_by":"taskbroker $version"}]}
EOF
)
manifest=$(blob <<EOF
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",
"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:$config","size":$(size "$config")},
"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:${layers[0]}","size":$(size "${layers[0]}")},
{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:${layers[1]}","size":$(size "${layers[1]}")}]}
EOF
)
echo '{"imageLayoutVersion":"1.0.0"}' > "$layout/oci-layout"
cat > "$layout/index.json" <<EOF
{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[
{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:$manifest","size":$(size "$manifest"),"platform":{"architecture":"$oci_arch","os":"linux"},"annotations":{"org.opencontainers.image.ref.name":"$version","io.containerd.image.name":"taskbroker:$version"}}]}
EOF
cat > "$layout/manifest.json" <<EOF
[{"Config":"blobs/sha256/$config","RepoTags":["taskbroker:$version"],"Layers":["blobs/sha256/${layers[0]}","blobs/sha256/${layers[1]}"]}]
EOF
pack "$layout" . | cat > "$out/$name-image-$oci_arch.tar"
