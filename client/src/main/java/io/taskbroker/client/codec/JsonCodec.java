package io.taskbroker.client.codec;

import tools.jackson.core.JacksonException;
import tools.jackson.databind.DeserializationFeature;
import tools.jackson.databind.json.JsonMapper;

/// JSON by Jackson. Unknown fields are ignored, missing ones are null, or zero for primitives: so a
/// field can be added or removed while producers and workers of both versions run.
public final class JsonCodec implements PayloadCodec {
  static final JsonMapper MAPPER =
      JsonMapper.builder()
          .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
          .disable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .build();
  static final JsonCodec INSTANCE = new JsonCodec(MAPPER);

  private final JsonMapper mapper;

  /// A codec with a mapper of the application.
  public JsonCodec(JsonMapper mapper) {
    this.mapper = mapper;
  }

  @Override
  public String contentType() {
    return "application/json";
  }

  @Override
  public byte[] encode(Object value) {
    try {
      return mapper.writeValueAsBytes(value);
    } catch (JacksonException e) {
      throw new IllegalArgumentException(
          "Could not write " + value.getClass().getName() + " as JSON: " + e.getOriginalMessage(),
          e);
    }
  }

  @Override
  public <T> T decode(byte[] bytes, Class<T> type) {
    T value;
    try {
      value = mapper.readValue(bytes, type);
    } catch (JacksonException e) {
      throw new IllegalArgumentException(
          "Could not read a " + type.getName() + " from JSON: " + e.getOriginalMessage(), e);
    }
    if (value == null) {
      throw new IllegalArgumentException("Could not read a " + type.getName() + " from JSON null");
    }
    return value;
  }
}
