package io.taskbroker;

import io.taskbroker.config.BrokerConfig;
import io.taskbroker.config.TlsConfig;
import io.taskbroker.tls.PemFile;
import io.taskbroker.tls.TlsContext;
import io.taskbroker.tls.TlsException;
import io.taskbroker.tls.TlsFiles;
import io.taskbroker.tls.TlsFiles.IdentityFiles;
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;

/// TLS of the gRPC server and of the calls to workers, from the configuration.
final class TlsSettings {
  private TlsSettings() {}

  /// TLS of the server; empty without a certificate.
  ///
  /// @throws TlsException if the files hold something else
  static Optional<TlsContext> server(BrokerConfig config) {
    TlsFiles files = files(config.grpc().serverTls(), "grpc_tls", "client_ca");
    return files.identity().map(_ -> TlsContext.server(files));
  }

  /// TLS of the admin API; empty without a certificate.
  ///
  /// @throws TlsException if the files hold something else
  static Optional<TlsContext> admin(BrokerConfig config) {
    TlsConfig tls = config.admin().tls();
    var files =
        new TlsFiles(
            identity(tls, "admin.tls_certificate", "admin.tls_key"),
            tls.ca().map(file -> new PemFile("admin.tls_client_ca", file)));
    return files.identity().map(_ -> TlsContext.http1Server(files));
  }

  private static Optional<IdentityFiles> identity(
      TlsConfig tls, String certificateKey, String key) {
    return tls.certificate()
        .flatMap(certificate ->
            tls.key()
                .map(file ->
                    new IdentityFiles(
                        new PemFile(certificateKey, certificate), new PemFile(key, file))));
  }

  /// TLS of the calls to workers; empty if all workers use plaintext.
  ///
  /// @throws TlsException if the files hold something else
  static Optional<TlsContext> workers(BrokerConfig config) {
    TlsFiles files = files(config.grpc().workerTls(), "worker_tls", "ca");
    boolean needed = StageOptions.workers(config).values().stream().anyMatch(TlsSettings::isTls);
    return needed ? Optional.of(TlsContext.client(files)) : Optional.empty();
  }

  /// Certificate files of the broker itself.
  static List<PemFile> certificates(BrokerConfig config) {
    return Stream.of(
            files(config.grpc().serverTls(), "grpc_tls", "client_ca").identity(),
            files(config.grpc().workerTls(), "worker_tls", "ca").identity(),
            identity(config.admin().tls(), "admin.tls_certificate", "admin.tls_key"))
        .flatMap(Optional::stream)
        .map(IdentityFiles::certificate)
        .toList();
  }

  /// Applications pushed to in plaintext although `worker_tls` is set.
  static List<String> plaintextWorkers(BrokerConfig config) {
    TlsConfig tls = config.grpc().workerTls();
    return tls.ca().isEmpty() && tls.certificate().isEmpty()
        ? List.of()
        : StageOptions.workers(config).entrySet().stream()
            .filter(worker -> !isTls(worker.getValue()))
            .map(Map.Entry::getKey)
            .sorted()
            .toList();
  }

  private static boolean isTls(URI worker) {
    return "https".equals(worker.getScheme());
  }

  private static TlsFiles files(TlsConfig tls, String section, String ca) {
    return new TlsFiles(
        identity(tls, section + ".certificate", section + ".key"),
        tls.ca().map(file -> new PemFile(section + "." + ca, file)));
  }
}
