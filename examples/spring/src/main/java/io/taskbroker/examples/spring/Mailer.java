package io.taskbroker.examples.spring;

import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.springframework.stereotype.Component;

/// The mail server, as the shop needs it.
interface Mailer {
  /// @throws IllegalArgumentException if there is no such address
  void send(String email, String text);

  /// Writes mails to the log.
  @Component
  class ToLog implements Mailer {
    private static final Logger log = LoggerFactory.getLogger(ToLog.class);

    @Override
    public void send(String email, String text) {
      log.info("To {}: {}", email, text);
    }
  }
}
