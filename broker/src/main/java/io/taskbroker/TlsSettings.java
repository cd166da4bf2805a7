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
            files(config.grpc().serverTls(), "grpc_tls", "client_ca"),
            files(config.grpc().workerTls(), "worker_tls", "ca"))
        .flatMap(files -> files.identity().stream())
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
        tls.certificate()
            .flatMap(certificate ->
                tls.key()
                    .map(key ->
                        new IdentityFiles(
                            new PemFile(section + ".certificate", certificate),
                            new PemFile(section + ".key", key)))),
        tls.ca().map(file -> new PemFile(section + "." + ca, file)));
  }
}
