package io.taskbroker.examples.shop;

/// The mail server, as the shop needs it.
interface Mailer {
  /// @throws MailDown if the server does not take it now
  /// @throws UnknownAddress if it never will
  void send(String email, String text) throws MailDown, UnknownAddress;

  final class MailDown extends Exception {
    private static final long serialVersionUID = 1;
  }

  final class UnknownAddress extends Exception {
    private static final long serialVersionUID = 1;
  }
}
