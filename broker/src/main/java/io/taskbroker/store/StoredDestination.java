package io.taskbroker.store;

import io.taskbroker.activation.Destination;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.type.TypeReference;
import tools.jackson.databind.json.JsonMapper;

/// Codec between a [Destination] and its three text columns: topic, cluster and headers. Stateless.
public final class StoredDestination {
  private StoredDestination() {}

  /// Cluster of a destination; null for the configured cluster of the topic.
  public static @Nullable String cluster(Destination destination) {
    return destination.cluster().isEmpty() ? null : destination.cluster();
  }

  /// Headers of a destination as a JSON object; null if there are none.
  public static @Nullable String headers(Destination destination) {
    return destination.headers().isEmpty()
        ? null
        : Json.MAPPER.writeValueAsString(destination.headers());
  }

  /// Destination of the columns; null without a topic.
  ///
  /// @throws tools.jackson.core.JacksonException if the headers are not a JSON object of strings
  public static @Nullable Destination of(
      @Nullable String topic, @Nullable String cluster, @Nullable String headers) {
    if (topic == null) {
      return null;
    }
    return new Destination(
        topic,
        cluster == null ? "" : cluster,
        headers == null ? Map.of() : Json.MAPPER.readValue(headers, Json.HEADERS));
  }

  /// Loaded lazily: few destinations have headers.
  private static final class Json {
    static final JsonMapper MAPPER = new JsonMapper();
    static final TypeReference<Map<String, String>> HEADERS = new TypeReference<>() {};
  }
}
