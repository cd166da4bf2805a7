package io.taskbroker.runtime;

/// Text of a failure for log lines and messages.
public final class FailureText {
  private FailureText() {}

  /// Message of a failure; its class if it has none.
  public static String of(Throwable failure) {
    String message = failure.getMessage();
    return message == null ? failure.toString() : message;
  }

  /// As [#of], of the innermost cause; the outer ones only say that something failed.
  public static String ofRoot(Throwable failure) {
    Throwable root = failure;
    while (root.getCause() != null) {
      root = root.getCause();
    }
    return of(root);
  }

  /// As [#of], in one line: each sequence of white space becomes one space.
  public static String inOneLine(Throwable failure) {
    return inOneLine(of(failure));
  }

  /// A text in one line: each sequence of white space becomes one space.
  public static String inOneLine(String text) {
    return text.replaceAll("\\s+", " ");
  }
}
