package io.taskbroker.tls;

/// Invalid TLS files. The message names the configuration key, the file and the problem, and never
/// quotes the file.
public final class TlsException extends RuntimeException {
  private static final long serialVersionUID = 1;

  TlsException(String message) {
    super(message);
  }

  TlsException(String message, Throwable cause) {
    super(message, cause);
  }
}
