package io.taskbroker.client.codec;

/// Encryption of payloads before they leave the process. Arguments are encoded, compressed, then
/// encrypted; results are encoded, then encrypted. Headers, names and ids stay readable. Must be
/// thread-safe.
public interface PayloadCipher {
  /// Value of the header `content-encryption`, such as algorithm and key: a worker opens a payload
  /// only with a cipher of this name.
  String name();

  byte[] seal(byte[] plain);

  /// @throws IllegalArgumentException if the bytes were not sealed with this key
  byte[] open(byte[] sealed);
}
