package io.taskbroker.runtime;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// Failure sink that records its calls.
public final class Failures implements FailureSink {
  private final BlockingQueue<Failure> failures = new LinkedBlockingQueue<>();

  public record Failure(String stage, Throwable cause) {}

  @Override
  public void failed(String stage, Throwable cause) {
    failures.add(new Failure(stage, cause));
  }

  public Failure next() throws InterruptedException {
    Failure failure = failures.poll(60, TimeUnit.SECONDS);
    assertThat(failure).as("a failure").isNotNull();
    return failure;
  }

  public List<Failure> all() {
    return List.copyOf(failures);
  }
}
