package io.taskbroker.testkit;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/// Second listener of an [EmbeddedKafka], which requires authentication.
///
/// @param protocol Kafka security protocol: SSL, SASL_SSL or SASL_PLAINTEXT
/// @param certificates with TLS: those of the server
/// @param clientCertificate with TLS: whether clients must present a certificate of the same
///   authority
/// @param users with SASL: names and passwords, for PLAIN, SCRAM-SHA-256 and SCRAM-SHA-512
/// @param permissions whether users need ACLs, granted through the first listener
public record SecuredListener(
    String protocol,
    Optional<KafkaCertificates> certificates,
    boolean clientCertificate,
    Map<String, String> users,
    boolean permissions) {
  static final String NAME = "SECURED";
  private static final String PREFIX = "listener.name.secured.";
  private static final String SCRAM = "org.apache.kafka.common.security.scram.ScramLoginModule";
  private static final String PLAIN = "org.apache.kafka.common.security.plain.PlainLoginModule";

  public SecuredListener {
    users = Map.copyOf(users);
  }

  public static SecuredListener tls(KafkaCertificates certificates) {
    return new SecuredListener("SSL", Optional.of(certificates), false, Map.of(), false);
  }

  public static SecuredListener mutualTls(KafkaCertificates certificates) {
    return new SecuredListener("SSL", Optional.of(certificates), true, Map.of(), false);
  }

  public static SecuredListener sasl(Map<String, String> users) {
    return new SecuredListener("SASL_PLAINTEXT", Optional.empty(), false, users, false);
  }

  public static SecuredListener saslTls(KafkaCertificates certificates, Map<String, String> users) {
    return new SecuredListener("SASL_SSL", Optional.of(certificates), false, users, false);
  }

  /// The same with authorization by ACLs.
  public SecuredListener withPermissions() {
    return new SecuredListener(protocol, certificates, clientCertificate, users, true);
  }

  boolean usesSasl() {
    return protocol.startsWith("SASL_");
  }

  Map<String, String> serverSettings() {
    var settings = new HashMap<String, String>();
    certificates.ifPresent(tls -> {
      settings.put(PREFIX + "ssl.keystore.type", "PEM");
      settings.put(PREFIX + "ssl.keystore.location", tls.server().toString());
      settings.put(PREFIX + "ssl.truststore.type", "PEM");
      settings.put(PREFIX + "ssl.truststore.location", tls.ca().toString());
      settings.put(PREFIX + "ssl.client.auth", clientCertificate ? "required" : "none");
    });
    if (usesSasl()) {
      String accepted =
          users.entrySet().stream()
              .map(user -> " user_%s=\"%s\"".formatted(user.getKey(), user.getValue()))
              .collect(Collectors.joining());
      settings.put(PREFIX + "sasl.enabled.mechanisms", "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512");
      settings.put(PREFIX + "plain.sasl.jaas.config", PLAIN + " required" + accepted + ";");
      settings.put(PREFIX + "scram-sha-256.sasl.jaas.config", SCRAM + " required;");
      settings.put(PREFIX + "scram-sha-512.sasl.jaas.config", SCRAM + " required;");
    }
    if (permissions) {
      settings.put(
          "authorizer.class.name", "org.apache.kafka.metadata.authorizer.StandardAuthorizer");
      settings.put("super.users", "User:ANONYMOUS");
    }
    return settings;
  }

  /// Omits the passwords.
  @Override
  public String toString() {
    return "SecuredListener[" + protocol + ", users=" + users.keySet() + "]";
  }
}
