package io.taskbroker.client.spring.slice;

import org.springframework.boot.autoconfigure.SpringBootApplication;

/// An application of which a test wants the tasks alone.
@SpringBootApplication
class SliceApplication {
  record Receipt(String order) {}

  interface Mailer {
    void send(String text);
  }
}
