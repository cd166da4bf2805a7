package io.taskbroker.config;

import io.taskbroker.config.ConfigException.Problem;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Collectors;

/// Kafka cluster with its authentication.
///
/// @param address bootstrap servers, separated by commas
public record ClusterConfig(String name, String address, Security security) {
  private static final String DEFAULT_PORT = ":9092";
  private static final int MAX_PEM_BYTES = 1 << 20;

  /// Authentication and encryption.
  ///
  /// @param protocol in Kafka's notation: upper case
  /// @param mechanism in Kafka's notation: upper case
  /// @param caLocation PEM file
  /// @param certificateLocation PEM file with the certificate and its chain
  /// @param keyLocation PEM file with a PKCS #8 key
  public record Security(
      Optional<String> protocol,
      Optional<String> mechanism,
      Optional<String> username,
      Optional<Secret> password,
      Optional<Path> caLocation,
      Optional<Path> certificateLocation,
      Optional<Path> keyLocation) {

    static final Security NONE =
        new Security(
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty(),
            Optional.empty());

    boolean usesSasl() {
      return protocol.filter(name -> name.startsWith("SASL_")).isPresent();
    }

    boolean usesTls() {
      return protocol.filter(name -> name.endsWith("SSL")).isPresent();
    }
  }

  /// Another cluster with the same authentication.
  public ClusterConfig at(String otherAddress) {
    return new ClusterConfig(name, otherAddress, security);
  }

  /// Whether the client sends credentials or certificates to the server at the address.
  public boolean authenticates() {
    return security.usesSasl() || security.certificateLocation().isPresent();
  }

  /// Kafka client properties of the cluster. Contains secrets.
  ///
  /// @throws ConfigException if a certificate or key file cannot be read
  public Map<String, String> clientProperties() {
    var properties = new TreeMap<String, String>();
    properties.put("bootstrap.servers", bootstrapServers());
    security.protocol().ifPresent(protocol -> properties.put("security.protocol", protocol));
    if (security.usesSasl()) {
      String mechanism = security.mechanism().orElse("");
      properties.put("sasl.mechanism", mechanism);
      properties.put(
          "sasl.jaas.config",
          "%s required username=%s password=%s;"
              .formatted(
                  mechanism.equals("PLAIN")
                      ? "org.apache.kafka.common.security.plain.PlainLoginModule"
                      : "org.apache.kafka.common.security.scram.ScramLoginModule",
                  quoted(security.username().orElse("")),
                  quoted(security.password().map(Secret::reveal).orElse(""))));
    }
    if (security.usesTls()) {
      security
          .caLocation()
          .ifPresent(ca -> {
            properties.put("ssl.truststore.type", "PEM");
            properties.put("ssl.truststore.location", ca.toString());
          });
      if (security.certificateLocation().isPresent() && security.keyLocation().isPresent()) {
        properties.put("ssl.keystore.type", "PEM");
        properties.put(
            "ssl.keystore.certificate.chain",
            pem("ssl_certificate_location", security.certificateLocation().get()));
        properties.put("ssl.keystore.key", key(security.keyLocation().get()));
      }
    }
    return properties;
  }

  /// Bootstrap servers with explicit ports: the reference's client assumes one if none is given;
  /// Kafka's does not.
  private String bootstrapServers() {
    return Arrays.stream(address.split(","))
        .map(String::strip)
        .filter(server -> !server.isEmpty())
        .map(server -> server.matches(".*:[0-9]+") ? server : server + DEFAULT_PORT)
        .collect(Collectors.joining(","));
  }

  private String key(Path file) {
    String key = pem("ssl_key_location", file);
    if (key.contains("-----BEGIN RSA PRIVATE KEY") || key.contains("-----BEGIN EC PRIVATE KEY")) {
      throw problem(
          "ssl_key_location",
          file,
          "must be a PKCS #8 key; convert it with: openssl pkcs8 -topk8 -nocrypt -in "
              + file.getFileName());
    }
    return key;
  }

  private String pem(String key, Path file) {
    try (var in = Files.newInputStream(file)) {
      byte[] bytes = in.readNBytes(MAX_PEM_BYTES);
      return new String(bytes, StandardCharsets.US_ASCII);
    } catch (IOException e) {
      throw problem(key, file, "must be a readable PEM file: " + e);
    }
  }

  private ConfigException problem(String key, Path file, String allowed) {
    return new ConfigException(
        List.of(new Problem("kafka_clusters." + name + "." + key, file.toString(), allowed, "")));
  }

  /// String literal of a JAAS configuration.
  private static String quoted(String value) {
    return '"'
        + value
            .replace("\\", "\\\\")
            .replace("\"", "\\\"")
            .replace("\n", "\\n")
            .replace("\r", "\\r")
        + '"';
  }
}
