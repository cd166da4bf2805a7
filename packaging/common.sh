# Functions of build/release and build/release-check. Sourced.

say() { echo "== $*" >&2; }

fail() {
  echo "$(basename "$0"): $*" >&2
  exit 1
}

# Fails unless each program is installed: PROGRAM, or PROGRAM:PACKAGE of Debian.
need() {
  local missing=() program
  for program in "$@"; do
    command -v "${program%%:*}" > /dev/null || missing+=("${program##*:}")
  done
  [ ${#missing[@]} -eq 0 ] \
    || fail "needs the Debian packages ${missing[*]}; as root, .ci/release-tools installs them"
}

# Prints the home of a JDK with jlink that is new enough.
find_jdk() {
  local home version
  for home in "${JAVA_HOME:-}" /usr/lib/jvm/* "${HOME:-}"/.sdkman/candidates/java/* /opt/*; do
    [ -x "$home/bin/jlink" ] && [ -r "$home/release" ] || continue
    version=$(sed -n 's/^JAVA_VERSION="\([0-9]*\).*/\1/p' "$home/release")
    if [ "${version:-0}" -ge 25 ]; then
      echo "$home"
      return
    fi
  done
  fail "needs a JDK 25 or later with jlink, in JAVA_HOME or /usr/lib/jvm"
}

# Writes the files below $1 to a tar on the output: the same bytes for the same content.
pack() {
  tar --create --directory "$1" --sort=name --format=posix \
    --pax-option=exthdr.name=%d/PaxHeaders/%f,delete=atime,delete=ctime \
    --mtime="@$SOURCE_DATE_EPOCH" --owner=0 --group=0 --numeric-owner "${@:2}"
}
