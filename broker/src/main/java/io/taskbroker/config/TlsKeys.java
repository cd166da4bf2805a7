package io.taskbroker.config;

import static io.taskbroker.config.KeyType.optional;
import static io.taskbroker.config.KeyType.path;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/// The keys of an area: TLS of the gRPC server, and towards workers. The reference has none of
/// them.
final class TlsKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>(
          "TLS", "TLS of the gRPC server, and towards workers whose URL is one of https");

  static final Key<BrokerConfig, Optional<Path>> GRPC_TLS_CERTIFICATE =
      file(
          "grpc_tls.certificate",
          "A PEM file with the server's certificate and what it is signed by; none for plaintext",
          c -> c.grpc().serverTls().certificate());

  static final Key<BrokerConfig, Optional<Path>> GRPC_TLS_KEY =
      file(
          "grpc_tls.key",
          "A PEM file with the server's key in PKCS #8",
          c -> c.grpc().serverTls().key());

  static final Key<BrokerConfig, Optional<Path>> GRPC_TLS_CLIENT_CA =
      file(
          "grpc_tls.client_ca",
          "A PEM file of certificates; callers must show one that is signed by one of them",
          c -> c.grpc().serverTls().ca());

  static final Key<BrokerConfig, Optional<Path>> WORKER_TLS_CA =
      file(
          "worker_tls.ca",
          "A PEM file of certificates that are trusted for https workers; by default Java's",
          c -> c.grpc().workerTls().ca());

  static final Key<BrokerConfig, Optional<Path>> WORKER_TLS_CERTIFICATE =
      file(
          "worker_tls.certificate",
          "A PEM file with the certificate that https workers are shown, and what it is signed by",
          c -> c.grpc().workerTls().certificate());

  static final Key<BrokerConfig, Optional<Path>> WORKER_TLS_KEY =
      file(
          "worker_tls.key",
          "A PEM file with the key of that, in PKCS #8",
          c -> c.grpc().workerTls().key());

  private TlsKeys() {}

  /// A file; none by default.
  private static Key<BrokerConfig, Optional<Path>> file(
      String key, String meaning, Function<BrokerConfig, Optional<Path>> in) {
    return TABLE.key(key, optional(path()), Optional.empty(), meaning, in);
  }
}
