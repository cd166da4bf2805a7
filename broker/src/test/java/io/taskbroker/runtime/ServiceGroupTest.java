package io.taskbroker.runtime;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(240)
final class ServiceGroupTest {
  private final List<String> steps = Collections.synchronizedList(new ArrayList<>());

  @Test
  void startsInOrderAndStopsInReverse() {
    ServiceGroup group = group(service("a"), service("b"), service("c"));
    assertThat(group.state()).isEqualTo(ServiceGroup.State.LATENT);
    group.start();
    assertThat(group.state()).isEqualTo(ServiceGroup.State.STARTED);
    group.stop();
    assertThat(group.state()).isEqualTo(ServiceGroup.State.STOPPED);
    assertThat(steps).containsExactly("+a", "+b", "+c", "-c", "-b", "-a");
    group.stop();
    assertThat(steps).hasSize(6);
    assertThatThrownBy(group::start).hasMessage("Cannot start group: it is STOPPED");
  }

  @Test
  void startFailureStopsStartedServicesInReverse() {
    IllegalStateException cause = new IllegalStateException("port in use");
    ServiceGroup group =
        group(
            service("a"),
            service("b", () -> {}, failing("b is stuck")),
            service("c", () -> raise(cause), () -> {}),
            service("d"));
    Throwable thrown = catchThrowable(group::start);
    assertThat(thrown).hasMessage("Cannot start c: port in use").hasCause(cause);
    assertThat(thrown.getSuppressed())
        .extracting(Throwable::getMessage)
        .containsExactly("Cannot stop b: b is stuck");
    assertThat(steps).containsExactly("+a", "+b", "+c", "-b", "-a");
    assertThat(group.state()).isEqualTo(ServiceGroup.State.STOPPED);
    group.stop();
    assertThat(steps).hasSize(5);
  }

  @Test
  void stopContinuesAfterFailuresAndCollectsThem() {
    ServiceGroup group =
        group(
            service("a", () -> {}, failing("a is stuck")),
            service("b"),
            service("c", () -> {}, failing("c is stuck")));
    group.start();
    Throwable thrown = catchThrowable(group::stop);
    assertThat(thrown)
        .hasMessage(
            "group did not stop cleanly: Cannot stop c: c is stuck; Cannot stop a: a is stuck");
    assertThat(thrown.getSuppressed()).hasSize(2);
    assertThat(steps).endsWith("-c", "-b", "-a");
    assertThat(group.state()).isEqualTo(ServiceGroup.State.STOPPED);
    group.stop();
  }

  @Test
  void stopBeforeStartIsFinal() {
    ServiceGroup group = group(service("a"));
    group.stop();
    assertThat(steps).isEmpty();
    assertThatThrownBy(group::start).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void stopDuringStartAbortsAfterTheCurrentService() throws InterruptedException {
    CountDownLatch starting = new CountDownLatch(1);
    CountDownLatch go = new CountDownLatch(1);
    ServiceGroup group =
        group(
            service(
                "a",
                () -> {
                  starting.countDown();
                  awaitUninterrupted(go);
                },
                () -> {}),
            service("b"));
    CompletableFuture<Void> started = CompletableFuture.runAsync(group::start);
    starting.await();
    assertThat(group.state()).isEqualTo(ServiceGroup.State.STARTING);
    Thread stopper = Thread.ofPlatform().start(group::stop);
    org.awaitility.Awaitility.await().until(() -> stopper.getState() == Thread.State.WAITING);
    go.countDown();
    stopper.join();
    assertThat(started)
        .failsWithin(Duration.ofSeconds(20))
        .withThrowableThat()
        .withMessageContaining("Cannot start b: group is being stopped");
    assertThat(steps).containsExactly("+a", "-a");
    assertThat(group.state()).isEqualTo(ServiceGroup.State.STOPPED);
  }

  @Test
  void groupsNest() {
    ServiceGroup inner = new ServiceGroup("inner", List.of(service("b"), service("c")));
    ServiceGroup group = group(service("a"), inner, service("d"));
    group.start();
    group.stop();
    assertThat(steps).containsExactly("+a", "+b", "+c", "+d", "-d", "-c", "-b", "-a");
  }

  private static ServiceGroup group(Service... services) {
    return new ServiceGroup("group", List.of(services));
  }

  private Service service(String name) {
    return service(name, () -> {}, () -> {});
  }

  private Service service(String name, Runnable start, Runnable stop) {
    return new Service() {
      @Override
      public String name() {
        return name;
      }

      @Override
      public void start() {
        steps.add("+" + name);
        start.run();
      }

      @Override
      public void stop() {
        steps.add("-" + name);
        stop.run();
      }
    };
  }

  private static Runnable failing(String message) {
    return () -> raise(new IllegalStateException(message));
  }

  private static void raise(RuntimeException e) {
    throw e;
  }

  private static void awaitUninterrupted(CountDownLatch latch) {
    try {
      latch.await();
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
