# Writes the Debian package. Sourced by build/release.

say "Debian package"
deb=$work/deb
case $arch in
  x86_64) deb_arch=amd64 ;;
  aarch64) deb_arch=arm64 ;;
  *) fail "no Debian architecture for $arch" ;;
esac
# A version before the release sorts before it: 0.1.0~SNAPSHOT.
deb_version=${version/-/\~}

mkdir -p "$deb/usr/lib" "$deb/usr/bin" "$deb/etc/taskbroker" "$deb/etc/default" \
  "$deb/lib/systemd/system" "$deb/usr/share/doc/taskbroker" "$deb/DEBIAN"
cp -a "$dist" "$deb/usr/lib/taskbroker"
rm -r "$deb/usr/lib/taskbroker/config"
mv "$deb/usr/lib/taskbroker/man" "$deb/usr/share/man"
gzip -n -9 "$deb"/usr/share/man/man1/*.1
ln -s ../lib/taskbroker/taskbroker "$deb/usr/bin/taskbroker"
sed 's|\./taskbroker.sqlite|/var/lib/taskbroker/taskbroker.sqlite|' packaging/taskbroker.yaml \
  > "$deb/etc/taskbroker/taskbroker.yaml"
cp packaging/debian/default "$deb/etc/default/taskbroker"
cp packaging/systemd/taskbroker.service "$deb/lib/systemd/system/"
cp packaging/debian/copyright "$deb/usr/share/doc/taskbroker/"
gzip -n -9 < CHANGELOG.md > "$deb/usr/share/doc/taskbroker/changelog.gz"
for script in preinst postinst prerm postrm; do
  [ ! -e "packaging/debian/$script" ] || install -m 755 "packaging/debian/$script" "$deb/DEBIAN/"
done
printf '%s\n' /etc/taskbroker/taskbroker.yaml /etc/default/taskbroker > "$deb/DEBIAN/conffiles"
installed=$(du -k -s --apparent-size --exclude=DEBIAN "$deb" | cut -f1)
sed -e "s/@VERSION@/$deb_version/" -e "s/@ARCH@/$deb_arch/" -e "s/@SIZE@/$installed/" \
  packaging/debian/control > "$deb/DEBIAN/control"
settle "$deb"
chmod 755 "$deb"/DEBIAN/p*
chmod 640 "$deb/etc/taskbroker/taskbroker.yaml"
touch -d "@$SOURCE_DATE_EPOCH" "$deb"/DEBIAN/* "$deb/etc/taskbroker/taskbroker.yaml"
# One thread: the compressor's output depends on their number.
dpkg-deb --root-owner-group --threads-max=1 -Zzstd -z9 --build "$deb" \
  "$out/taskbroker_${deb_version}_$deb_arch.deb" > /dev/null
