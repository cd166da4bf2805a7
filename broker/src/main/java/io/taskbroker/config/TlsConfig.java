package io.taskbroker.config;

import java.nio.file.Path;
import java.util.Optional;

/// PEM files of one side of TLS; their contents are checked when TLS is set up.
///
/// @param certificate certificate and key: both or none
/// @param ca CA that must have signed the other side's certificate
public record TlsConfig(Optional<Path> certificate, Optional<Path> key, Optional<Path> ca) {
  static TlsConfig server(Values values) {
    requirePair(values, TlsKeys.GRPC_TLS_CERTIFICATE, TlsKeys.GRPC_TLS_KEY);
    if (values.has(TlsKeys.GRPC_TLS_CLIENT_CA)
        && !values.has(TlsKeys.GRPC_TLS_CERTIFICATE)
        && !values.has(TlsKeys.GRPC_TLS_KEY)) {
      missing(values, TlsKeys.GRPC_TLS_CERTIFICATE, TlsKeys.GRPC_TLS_CLIENT_CA);
    }
    return new TlsConfig(
        values.get(TlsKeys.GRPC_TLS_CERTIFICATE),
        values.get(TlsKeys.GRPC_TLS_KEY),
        values.get(TlsKeys.GRPC_TLS_CLIENT_CA));
  }

  static TlsConfig admin(Values values) {
    requirePair(values, AdminKeys.TLS_CERTIFICATE, AdminKeys.TLS_KEY);
    if (values.has(AdminKeys.TLS_CLIENT_CA)
        && !values.has(AdminKeys.TLS_CERTIFICATE)
        && !values.has(AdminKeys.TLS_KEY)) {
      missing(values, AdminKeys.TLS_CERTIFICATE, AdminKeys.TLS_CLIENT_CA);
    }
    return new TlsConfig(
        values.get(AdminKeys.TLS_CERTIFICATE),
        values.get(AdminKeys.TLS_KEY),
        values.get(AdminKeys.TLS_CLIENT_CA));
  }

  static TlsConfig worker(Values values) {
    requirePair(values, TlsKeys.WORKER_TLS_CERTIFICATE, TlsKeys.WORKER_TLS_KEY);
    return new TlsConfig(
        values.get(TlsKeys.WORKER_TLS_CERTIFICATE),
        values.get(TlsKeys.WORKER_TLS_KEY),
        values.get(TlsKeys.WORKER_TLS_CA));
  }

  private static void requirePair(Values values, Key<?, ?> certificate, Key<?, ?> key) {
    if (values.has(certificate) && !values.has(key)) {
      missing(values, key, certificate);
    } else if (values.has(key) && !values.has(certificate)) {
      missing(values, certificate, key);
    }
  }

  private static void missing(Values values, Key<?, ?> key, Key<?, ?> needing) {
    values
        .problems()
        .add(
            key.path(),
            "",
            "is missing: must be the path of a file, since there is " + needing.path());
  }
}
