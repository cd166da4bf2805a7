package io.taskbroker.tls;

/// Files that TLS cannot be made with. The message names the key of the configuration, the file and
/// what is wrong with it, and nothing of what is in the file.
public final class TlsException extends RuntimeException {
  private static final long serialVersionUID = 1;

  TlsException(String message) {
    super(message);
  }

  TlsException(String message, Throwable cause) {
    super(message, cause);
  }
}
