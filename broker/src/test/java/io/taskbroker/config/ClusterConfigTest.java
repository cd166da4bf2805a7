package io.taskbroker.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import org.apache.kafka.common.config.types.Password;
import org.apache.kafka.common.security.JaasContext;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Kafka client properties.
final class ClusterConfigTest {
  @TempDir private Path dir;

  @Test
  void withoutSecurityOnlyBootstrapServersAreSet() {
    assertThat(new ClusterConfig("c", "a:1,b", ClusterConfig.Security.NONE).clientProperties())
        .isEqualTo(Map.of("bootstrap.servers", "a:1,b:9092"));
  }

  @ParameterizedTest
  @CsvSource({
    "PLAIN, org.apache.kafka.common.security.plain.PlainLoginModule",
    "SCRAM-SHA-512, org.apache.kafka.common.security.scram.ScramLoginModule"
  })
  void saslNamesTheLoginModule(String mechanism, String module) {
    Map<String, String> properties = sasl(mechanism, "user", "pass").clientProperties();

    assertThat(properties)
        .containsEntry("security.protocol", "SASL_PLAINTEXT")
        .containsEntry("sasl.mechanism", mechanism)
        .containsEntry(
            "sasl.jaas.config", module + " required username=\"user\" password=\"pass\";");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"a\"b", "a\\", "\\\"", "a'b;c = d", "\\n", "a\nb\r", "\u00e4\u20ac", "", " "})
  void jaasQuotingPreservesThePassword(String password) {
    Object config = sasl("PLAIN", "u", password).clientProperties().get("sasl.jaas.config");

    var entries =
        JaasContext.loadClientContext(
                Map.of("sasl.jaas.config", new Password(String.valueOf(config))))
            .configurationEntries();

    assertThat(entries).hasSize(1);
    assertThat(entries.getFirst().getOptions())
        .isEqualTo(Map.of("username", "u", "password", password));
  }

  @Test
  void tlsFilesAreGivenAsPem() throws Exception {
    Path certificate = Files.writeString(dir.resolve("cert.pem"), "the certificates");
    Path key = Files.writeString(dir.resolve("key.pem"), "the key");

    assertThat(tls("SSL", certificate, key).clientProperties())
        .isEqualTo(
            Map.of(
                "bootstrap.servers", "a:1",
                "security.protocol", "SSL",
                "ssl.truststore.type", "PEM",
                "ssl.truststore.location", "/ca.pem",
                "ssl.keystore.type", "PEM",
                "ssl.keystore.certificate.chain", "the certificates",
                "ssl.keystore.key", "the key"));
    assertThat(tls("PLAINTEXT", certificate, key).clientProperties())
        .containsOnlyKeys("bootstrap.servers", "security.protocol");
  }

  @Test
  void unsupportedKeyFormatIsReported() throws Exception {
    Path certificate = Files.writeString(dir.resolve("cert.pem"), "");
    Path key = Files.writeString(dir.resolve("key.pem"), "-----BEGIN RSA PRIVATE KEY-----\n");

    assertThatThrownBy(() -> tls("SSL", certificate, key).clientProperties())
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith(
            "kafka_clusters.c.ssl_key_location = " + key + ": must be a PKCS #8 key");
    assertThatThrownBy(() -> tls("SSL", dir.resolve("none"), key).clientProperties())
        .isInstanceOf(ConfigException.class)
        .hasMessageStartingWith("kafka_clusters.c.ssl_certificate_location = ")
        .hasMessageContaining("must be a readable PEM file");
  }

  private static ClusterConfig sasl(String mechanism, String username, String password) {
    return new ClusterConfig(
        "c",
        "a:1",
        new ClusterConfig.Security(
            Optional.of("SASL_PLAINTEXT"),
            Optional.of(mechanism),
            Optional.of(username),
            Optional.of(new Secret(password)),
            Optional.empty(),
            Optional.empty(),
            Optional.empty()));
  }

  private static ClusterConfig tls(String protocol, Path certificate, Path key) {
    return new ClusterConfig(
        "c",
        "a:1",
        new ClusterConfig.Security(
            Optional.of(protocol),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.of(Path.of("/ca.pem")),
            Optional.of(certificate),
            Optional.of(key)));
  }
}
