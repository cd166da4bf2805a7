package io.taskbroker.cli;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.io.IOException;
import java.io.InputStream;
import java.net.URI;
import java.net.URLEncoder;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.time.Duration;
import java.util.Map;
import java.util.stream.Collectors;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/// Client of a broker's admin API. Every failure is a [CommandException] of one line.
final class AdminClient {
  private static final JsonMapper JSON = JsonMapper.builder().build();
  private static final int MAX_TOKEN_BYTES = 4_096;

  private final String url;
  private final String token;
  private final Duration timeout;
  private final HttpClient http;

  /// @param token file with a bearer token; null for none
  /// @param ca file of trusted CA certificates; null for Java's
  AdminClient(String url, @Nullable Path token, @Nullable Path ca, Duration timeout) {
    this.url = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
    this.token = token == null || token.toString().isEmpty() ? "" : read(token);
    this.timeout = timeout;
    HttpClient.Builder builder =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).connectTimeout(timeout);
    if (ca != null) {
      builder.sslContext(trusting(ca));
    }
    this.http = builder.build();
  }

  private static String read(Path token) {
    try (InputStream in = Files.newInputStream(token)) {
      return new String(in.readNBytes(MAX_TOKEN_BYTES), UTF_8).strip();
    } catch (IOException e) {
      throw new CommandException("cannot read the token file " + token + ": " + e, e);
    }
  }

  private static SSLContext trusting(Path ca) {
    try (InputStream in = Files.newInputStream(ca)) {
      KeyStore trusted = KeyStore.getInstance(KeyStore.getDefaultType());
      trusted.load(null, null);
      int number = 0;
      for (Certificate certificate :
          CertificateFactory.getInstance("X.509").generateCertificates(in)) {
        trusted.setCertificateEntry("ca" + number++, certificate);
      }
      TrustManagerFactory trust =
          TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
      trust.init(trusted);
      SSLContext context = SSLContext.getInstance("TLS");
      context.init(null, trust.getTrustManagers(), null);
      return context;
    } catch (IOException | GeneralSecurityException e) {
      throw new CommandException("cannot use the certificates in " + ca + ": " + e, e);
    }
  }

  /// @param query parameters; empty values are left out
  JsonNode get(String path, Map<String, String> query) {
    String parameters =
        query.entrySet().stream()
            .filter(parameter -> !parameter.getValue().isEmpty())
            .map(parameter -> parameter.getKey() + "=" + encoded(parameter.getValue()))
            .collect(Collectors.joining("&"));
    return send(request(path + (parameters.isEmpty() ? "" : "?" + parameters)).GET());
  }

  JsonNode post(String path, Map<String, Object> body) {
    return write("POST", path, body);
  }

  JsonNode put(String path, Map<String, Object> body) {
    return write("PUT", path, body);
  }

  private JsonNode write(String method, String path, Map<String, Object> body) {
    return send(
        request(path)
            .header("Content-Type", "application/json")
            .method(method, HttpRequest.BodyPublishers.ofByteArray(JSON.writeValueAsBytes(body))));
  }

  static String encoded(String text) {
    return URLEncoder.encode(text, UTF_8).replace("+", "%20");
  }

  private HttpRequest.Builder request(String path) {
    try {
      HttpRequest.Builder request = HttpRequest.newBuilder(URI.create(url + path)).timeout(timeout);
      return token.isEmpty() ? request : request.header("Authorization", "Bearer " + token);
    } catch (IllegalArgumentException e) {
      throw new CommandException(
          "--admin " + url + " is not a URL such as http://127.0.0.1:9470", e);
    }
  }

  /// The answer; null if there is nothing of that name.
  @Nullable JsonNode find(String path) {
    Answer answer = exchange(request(path).GET());
    return answer.status() == 404 ? null : checked(answer);
  }

  private JsonNode send(HttpRequest.Builder request) {
    return checked(exchange(request));
  }

  private static JsonNode checked(Answer answer) {
    if (answer.status() != 200) {
      throw new CommandException(
          answer.body().path("detail").asString("the broker answered " + answer.status()));
    }
    return answer.body();
  }

  private record Answer(int status, JsonNode body) {}

  private Answer exchange(HttpRequest.Builder request) {
    HttpResponse<byte[]> answer;
    try {
      answer = http.send(request.build(), HttpResponse.BodyHandlers.ofByteArray());
    } catch (IOException e) {
      throw new CommandException(
          "no admin API answers at "
              + url
              + " ("
              + e
              + "): set admin.addr of the broker, and --admin",
          e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CommandException("interrupted", e);
    }
    try {
      return new Answer(answer.statusCode(), JSON.readTree(answer.body()));
    } catch (JacksonException e) {
      throw new CommandException(url + " is not the admin API of a broker", e);
    }
  }
}
