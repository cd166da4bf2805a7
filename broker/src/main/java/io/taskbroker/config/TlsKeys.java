package io.taskbroker.config;

import static io.taskbroker.config.KeyType.optional;
import static io.taskbroker.config.KeyType.path;

import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Function;

/// Configuration keys: TLS of the gRPC server and towards workers. The reference has none of them.
final class TlsKeys {
  static final KeyTable<BrokerConfig> TABLE =
      new KeyTable<>("TLS", "TLS of the gRPC server, and towards workers with https URLs");

  static final Key<BrokerConfig, Optional<Path>> GRPC_TLS_CERTIFICATE =
      file(
          "grpc_tls.certificate",
          "PEM file with the server's certificate and its chain; none for plaintext",
          c -> c.grpc().serverTls().certificate());

  static final Key<BrokerConfig, Optional<Path>> GRPC_TLS_KEY =
      file(
          "grpc_tls.key",
          "PEM file with the server's PKCS #8 key",
          c -> c.grpc().serverTls().key());

  static final Key<BrokerConfig, Optional<Path>> GRPC_TLS_CLIENT_CA =
      file(
          "grpc_tls.client_ca",
          "PEM file of CA certificates; clients must present a certificate signed by one of them",
          c -> c.grpc().serverTls().ca());

  static final Key<BrokerConfig, Optional<Path>> WORKER_TLS_CA =
      file(
          "worker_tls.ca",
          "PEM file of CA certificates trusted for https workers; defaults to Java's",
          c -> c.grpc().workerTls().ca());

  static final Key<BrokerConfig, Optional<Path>> WORKER_TLS_CERTIFICATE =
      file(
          "worker_tls.certificate",
          "PEM file with the certificate presented to https workers, and its chain",
          c -> c.grpc().workerTls().certificate());

  static final Key<BrokerConfig, Optional<Path>> WORKER_TLS_KEY =
      file(
          "worker_tls.key",
          "PEM file with the PKCS #8 key of that certificate",
          c -> c.grpc().workerTls().key());

  private TlsKeys() {}

  /// File key without a default.
  private static Key<BrokerConfig, Optional<Path>> file(
      String key, String meaning, Function<BrokerConfig, Optional<Path>> in) {
    return TABLE.key(key, optional(path()), Optional.empty(), meaning, in);
  }
}
