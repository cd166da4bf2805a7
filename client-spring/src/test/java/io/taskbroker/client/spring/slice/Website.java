package io.taskbroker.client.spring.slice;

import org.springframework.stereotype.Component;

/// Not a part of the slice.
@Component
class Website {
  Website() {
    throw new IllegalStateException("No web server in a test of tasks");
  }
}
