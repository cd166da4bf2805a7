# Writes the archive. Sourced by build/release.

say "archive"
limit=$((120 * 1024 * 1024))
archive=$out/$name-linux-$arch.tar.gz
pack "$work" "$name" | gzip -n -9 > "$archive"
[ "$(stat -c %s "$archive")" -le $limit ] || fail "$archive is larger than 120 MB"
