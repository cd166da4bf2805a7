# The Java SDK as a Maven repository: sdk_modules names what it has, lay_out_sdk writes it. Sourced by
# build/release and build/release-check.

# Prints the artifacts of the SDK: what its list of versions names, and the list itself.
sdk_modules() {
  sed -n 's|^ *<artifactId>\(taskbroker-.*\)</artifactId>|\1|p' client-bom/pom.xml \
    | grep -v '^taskbroker-parent$' | sort -u
}

# Prints the folder of a module.
sdk_folder() {
  case $1 in
    taskbroker-bom) echo client-bom ;;
    *) echo "${1#taskbroker-}" ;;
  esac
}

lay_out_sdk() {
  say "Java SDK"
  local module folder target file
  for module in $(sdk_modules); do
    folder=$(sdk_folder "$module")/target
    target=$work/repository/io/taskbroker/$module/$version
    mkdir -p "$target"
    cp "$folder/.flattened-pom.xml" "$target/$module-$version.pom"
    [ "$module" != taskbroker-bom ] || continue
    for file in .jar -sources.jar -javadoc.jar; do
      cp "$folder/$module-$version$file" "$target/"
    done
    cp "$folder/bom.json" "$target/$module-$version-cyclonedx.json"
  done
  find "$work/repository" -type f > "$work/published"
  while read -r file; do
    if [ -n "${RELEASE_GPG_KEY:-}" ]; then
      gpg --batch --yes --local-user "$RELEASE_GPG_KEY" --armor --detach-sign "$file"
    fi
    # Maven's own form.
    md5sum "$file" | cut -d' ' -f1 | tr -d '\n' > "$file.md5"
    sha1sum "$file" | cut -d' ' -f1 | tr -d '\n' > "$file.sha1"
  done < "$work/published"
  [ -n "${RELEASE_URL:-}" ] \
    || echo "build/release: the SDK's POMs do not say where its sources are, since RELEASE_URL is not set" >&2
  pack "$work/repository" io | gzip -n -9 > "$out/$name-java-sdk.tar.gz"
}
