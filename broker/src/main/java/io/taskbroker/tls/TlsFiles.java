package io.taskbroker.tls;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// The files of one side of TLS.
///
/// @param identity who this side is; a server needs one, and a client whose servers ask for it
/// @param ca who the other side must be signed by; without it, a server asks clients for nothing,
///   and a client trusts whom the Java platform trusts
public record TlsFiles(Optional<IdentityFiles> identity, Optional<PemFile> ca) {
  /// The files of an identity.
  ///
  /// @param certificate the certificate, and behind it those that it is signed by
  /// @param key its private key in PKCS #8
  public record IdentityFiles(PemFile certificate, PemFile key) {}

  /// @throws TlsException if one of them cannot be looked at
  List<String> stamps() {
    return Stream.concat(
            identity.stream().flatMap(files -> Stream.of(files.certificate(), files.key())),
            ca.stream())
        .map(PemFile::stamp)
        .toList();
  }
}
