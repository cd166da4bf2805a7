package io.taskbroker.store;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.FinishedTask.Outcome;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

final class FinishedCodecTest {
  private static final long NOW = 1_700_000_000_123L;

  @Test
  void recordsComeBackAsTheyWere() {
    List<FinishedTask> tasks =
        List.of(task("a", "app", "topic", false), task("b", "äpp", "", false));
    List<FinishedCodec.Page> pages = FinishedCodec.pages(tasks);
    assertThat(pages).hasSize(1);
    assertThat(pages.getFirst().id()).isNull();
    assertThat(pages.getFirst().keptUntil()).isEqualTo(NOW + 60_000);
    assertThat(decoded(pages.getFirst().body())).usingRecursiveComparison().isEqualTo(tasks);
  }

  @Test
  void recordThatIsAskedForHasItsOwnPage() {
    FinishedTask asked = task("b", "app", "topic", true);
    List<FinishedCodec.Page> pages =
        FinishedCodec.pages(List.of(task("a", "app", "topic", false), asked));
    assertThat(pages).extracting(FinishedCodec.Page::id).containsExactlyInAnyOrder(null, "b");
    FinishedCodec.Page own = pages.getFirst();
    assertThat(decoded(own.body()).getFirst()).usingRecursiveComparison().isEqualTo(asked);
    assertThat(FinishedCodec.records(own.body(), false).getFirst().task().result()).isNull();
    assertThat(FinishedCodec.records(own.body(), false).getFirst().resultBytes()).isEqualTo(2);
  }

  @Test
  void namesThatRecurTakeNoSpaceAndPagesAreBounded() {
    List<FinishedTask> tasks = new ArrayList<>();
    for (int i = 0; i < 10_000; i++) {
      tasks.add(task("id-" + i, "a".repeat(200), "t".repeat(200), false));
    }
    List<FinishedCodec.Page> pages = FinishedCodec.pages(tasks);
    assertThat(pages).hasSizeBetween(2, 5);
    assertThat(pages).allSatisfy(page -> assertThat(page.body().length).isLessThan(300_000));
    assertThat(
            pages.stream().mapToInt(page -> FinishedCodec.records(page.body(), false).size()).sum())
        .isEqualTo(10_000);
  }

  @Test
  void damagedPageGivesTheRecordsBeforeTheDamage() {
    byte[] body =
        FinishedCodec.pages(List.of(task("a", "app", "t", false), task("b", "app", "t", false)))
            .getFirst()
            .body();
    for (int length = 0; length < body.length; length++) {
      assertThat(FinishedCodec.records(Arrays.copyOf(body, length), true))
          .hasSizeLessThanOrEqualTo(1);
    }
    var random = new Random(42);
    for (int i = 0; i < 20_000; i++) {
      byte[] damaged = body.clone();
      for (int flips = random.nextInt(1, 8); flips > 0; flips--) {
        damaged[random.nextInt(damaged.length)] = (byte) random.nextInt();
      }
      var _ = FinishedCodec.records(damaged, true); // throws nothing
    }
  }

  private static List<FinishedTask> decoded(byte[] body) {
    return FinishedCodec.records(body, true).stream().map(FinishedCodec.Placed::task).toList();
  }

  private static FinishedTask task(String id, String application, String topic, boolean asked) {
    return new FinishedTask(
        id,
        asked ? "" : "first",
        application,
        "ns",
        "task",
        topic.isEmpty() ? Origin.enqueued(120_000) : new Origin(topic, 3, 1L << 40),
        Outcome.FAILED,
        NOW - 90_000,
        asked ? NOW : Row.NONE,
        NOW,
        NOW + 60_000,
        2,
        "worker-1",
        "bööm",
        asked ? "42".getBytes(UTF_8) : null,
        new byte[] {1, 2, 3},
        asked);
  }
}
