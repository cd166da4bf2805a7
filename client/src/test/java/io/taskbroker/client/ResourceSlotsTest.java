package io.taskbroker.client;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.awaitility.Awaitility.await;

import io.taskbroker.testkit.Ports;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Slots by memory and processors.
@Timeout(240)
final class ResourceSlotsTest {
  private static final int PORT = Ports.free();

  private volatile double heap = 0.1;
  private volatile double cpu = 0.1;

  private ResourceSlots slots(int least, int most) {
    return new ResourceSlots(least, most, new ResourceLimit(0.8, 0.9), () -> heap, () -> cpu);
  }

  @Test
  void thereAreMoreWhileResourcesAreLeftAndFewerOtherwise() {
    ResourceSlots slots = slots(5, 105);
    assertThat(slots.now()).isEqualTo(5);
    for (int i = 0; i < 20; i++) {
      slots.look(100);
    }
    assertThat(slots.now()).isEqualTo(105);
    heap = 0.81;
    slots.look(100);
    assertThat(slots.now()).isEqualTo(75);
    slots.look(2);
    assertThat(slots.now()).isEqualTo(5);
    heap = 0.8;
    cpu = -1;
    slots.look(5);
    assertThat(slots.now()).isEqualTo(15);
    cpu = 0.95;
    slots.look(15);
    assertThat(slots.now()).isEqualTo(12);
  }

  @Test
  void thisProcessIsMeasured() {
    System.gc();
    ResourceSlots tight = ResourceSlots.ofProcess(1, 100, new ResourceLimit(1e-9, 1));
    tight.look(0);
    assertThat(tight.now()).isEqualTo(1);
    ResourceSlots wide = ResourceSlots.ofProcess(1, 100, new ResourceLimit(1, 1));
    wide.look(0);
    assertThat(wide.now()).isEqualTo(10);
  }

  @Test
  void limitsAndBoundsAreChecked() {
    assertThatThrownBy(() -> new ResourceLimit(0, 1)).hasMessageContaining("heap");
    assertThatThrownBy(() -> new ResourceLimit(1, Double.NaN)).hasMessageContaining("cpu");
    try (TaskClient client = TaskClient.connect("127.0.0.1:1")) {
      assertThatThrownBy(() -> Worker.builder(client).slots(3, 2, ResourceLimit.standard()))
          .hasMessageContaining("least must be 1 to 2");
    }
  }

  /// A way to get tasks, and the settings of the broker for it.
  record Way(String name, UnaryOperator<Worker.Builder> of, Map<String, String> settings) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Way> ways() {
    return List.of(
        new Way("stream", worker -> worker, Map.of()),
        new Way("pull", Worker.Builder::pull, Map.of()),
        new Way(
            "push",
            worker -> worker.push(new InetSocketAddress(InetAddress.getLoopbackAddress(), PORT)),
            Map.of(
                "TASKBROKER_DELIVERY_MODE",
                "push",
                "TASKBROKER_WORKER_MAP",
                "{default=http://127.0.0.1:" + PORT + "}")));
  }

  @ParameterizedTest
  @MethodSource("ways")
  void aWorkerTakesNoMoreTasksThanItHasResourcesFor(Way way, @TempDir Path dir) {
    heap = 0.9;
    Task<String> task = Task.of("hold", String.class);
    CountDownLatch end = new CountDownLatch(1);
    try (TestBroker broker = TestBroker.start(dir, way.settings);
        TaskClient client = TaskClient.connect(broker.address());
        Worker worker =
            way.of
                .apply(Worker.builder(client))
                .slots(slots(2, 6))
                .handle(task, argument -> end.await())
                .start()) {
      client.enqueueAll(Collections.nCopies(10, task.with("it")));
      await().until(() -> worker.running() == 2);
      assertThat(worker.slots()).isEqualTo(2);
      heap = 0.1;
      await().until(() -> worker.running() == 6);
      end.countDown();
      await().atMost(Duration.ofSeconds(60)).until(() -> worker.counts().completed() == 10);
    }
  }
}
