package io.taskbroker.tls;

import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/// Files of one side of TLS.
///
/// @param identity certificate and key of this side; required for a server, and for a client whose
///   servers request one
/// @param ca CA that must have signed the other side's certificate; without it, a server requests
///   no client certificate, and a client trusts the Java platform's CAs
public record TlsFiles(Optional<IdentityFiles> identity, Optional<PemFile> ca) {
  /// Files of an identity.
  ///
  /// @param certificate the certificate, followed by its chain
  /// @param key its PKCS #8 private key
  public record IdentityFiles(PemFile certificate, PemFile key) {}

  /// @throws TlsException if the attributes of a file cannot be read
  List<String> stamps() {
    return Stream.concat(
            identity.stream().flatMap(files -> Stream.of(files.certificate(), files.key())),
            ca.stream())
        .map(PemFile::stamp)
        .toList();
  }
}
