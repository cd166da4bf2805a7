package io.taskbroker.config;

/// What a key is good for, for the documentation.
///
/// @param meaning what it is, in one line
/// @param honoured whether it changes what this broker does
/// @param note what differs from the reference, or why the key has no effect; empty if nothing is
///   to be said
record KeyDoc(String meaning, boolean honoured, String note) {

  static KeyDoc of(String meaning) {
    return new KeyDoc(meaning, true, "");
  }

  /// Of a key that is honoured, but not quite as in the reference.
  static KeyDoc noted(String meaning, String note) {
    return new KeyDoc(meaning, true, note);
  }

  /// Of a key that is read, checked and shown, and has no effect.
  ///
  /// @param why it has none
  static KeyDoc unused(String meaning, String why) {
    return new KeyDoc(meaning, false, why);
  }
}
