package io.taskbroker.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.net.URI;
import java.util.ArrayList;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// TLS keys and worker addresses.
final class TlsConfigTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          grpc_tls: {certificate: /c}            | grpc_tls.key: is missing: must be the path of a file, since there is grpc_tls.certificate
          grpc_tls: {key: /k}                    | grpc_tls.certificate: is missing: must be the path of a file, since there is grpc_tls.key
          grpc_tls: {client_ca: /a}              | grpc_tls.certificate: is missing: must be the path of a file, since there is grpc_tls.client_ca
          grpc_tls: {key: /k, client_ca: /a}     | grpc_tls.certificate: is missing: must be the path of a file, since there is grpc_tls.key
          grpc_tls: {certificate: /c, key: null} | grpc_tls.key: is missing: must be the path of a file, since there is grpc_tls.certificate
          worker_tls: {certificate: /c, ca: /a}  | worker_tls.key: is missing: must be the path of a file, since there is worker_tls.certificate
          worker_tls: {key: /k}                  | worker_tls.certificate: is missing: must be the path of a file, since there is worker_tls.key
          """)
  void aCertificateAndItsKeyBelongTogether(String yaml, String problem) {
    assertThatThrownBy(() -> Configs.yaml(yaml))
        .isInstanceOf(ConfigException.class)
        .hasMessage(problem);
  }

  @Test
  void aCaOfWorkersNeedsNoCertificate() {
    assertThat(Configs.yaml("worker_tls: {ca: /a}").grpc().workerTls().ca()).isPresent();
  }

  @Test
  void readsTheEnvironment() {
    var environment =
        Map.of("TASKBROKER_GRPC_TLS__CERTIFICATE", "/c", "TASKBROKER_GRPC_TLS__KEY", "/k");

    BrokerConfig config = Configs.load("", environment, new ArrayList<>());

    assertThat(config.effective()).contains("certificate: \"/c\"", "key: \"/k\"");
  }

  @Test
  void misspeltKeySuggestsTheNearest() {
    var warnings = new ArrayList<String>();

    Configs.load("grpc_tls: {client_cas: /a}\nworker_tsl: {ca: /a}", Map.of(), warnings);

    assertThat(warnings)
        .hasSize(2)
        .anyMatch(line -> line.contains("the nearest known key is grpc_tls.client_ca"))
        .anyMatch(line -> line.contains("the nearest known key is worker_tls"));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://sentry_worker:50052",
        "http://_:1/",
        "http://[::1]:1",
        "http://10.0.0.1",
        "https://worker-1.example:443/",
        "https://[::1]",
      })
  void acceptsWorkerAddresses(String address) {
    assertThat(Configs.yaml("worker_map: {a: \"" + address + "\"}").workerMap())
        .isEqualTo(Map.of("a", URI.create(address)));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "worker:50052",
        "ftp://worker",
        "http://",
        "http://a:65536",
        "http://a:1/path",
        "http://user@a:1",
        "http://[1.2]:1",
        "https://sentry_worker:1",
        "HTTP://a:1",
      })
  void rejectsOtherAddresses(String address) {
    assertThatThrownBy(() -> Configs.yaml("worker_map: {a: \"" + address + "\"}"))
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("worker_map.a = ")
        .hasMessageContaining("must be a URL such as http://127.0.0.1:50052");
  }
}
