package io.taskbroker.client.codec;

/// Encoding of values. Must be thread-safe. The worker chooses the codec by the header
/// `content-type` of the call, so that codecs can change while calls are under way.
public interface PayloadCodec {
  /// JSON of the value itself, UTF-8.
  static PayloadCodec json() {
    return JsonCodec.INSTANCE;
  }

  /// MessagePack as the published Python client writes it: `{"args": […], "kwargs": {…}}`. A record
  /// is sent as keyword arguments by the names of its components. Needs `org.msgpack:msgpack-core`
  /// on the class path.
  static PayloadCodec messagePack() {
    return MessagePackCodec.INSTANCE;
  }

  /// Value of the header `content-type`.
  String contentType();

  /// @throws IllegalArgumentException if the value cannot be encoded
  byte[] encode(Object value);

  /// @throws IllegalArgumentException if the bytes are not an encoded value of the type
  <T> T decode(byte[] bytes, Class<T> type);
}
