package io.taskbroker.config;

/// Documentation of a key.
///
/// @param meaning one-line description
/// @param honoured whether this broker uses it
/// @param note difference from the reference, or why the key has no effect; may be empty
record KeyDoc(String meaning, boolean honoured, String note) {

  static KeyDoc of(String meaning) {
    return new KeyDoc(meaning, true, "");
  }

  /// Documentation of a key that behaves differently from the reference.
  static KeyDoc noted(String meaning, String note) {
    return new KeyDoc(meaning, true, note);
  }

  /// Documentation of a key that is read, validated and shown, but unused.
  ///
  /// @param why reason why it has no effect
  static KeyDoc unused(String meaning, String why) {
    return new KeyDoc(meaning, false, why);
  }
}
