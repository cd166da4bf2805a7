package io.taskbroker.schedule;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import com.code_intelligence.jazzer.junit.FuzzTest;
import com.google.protobuf.Timestamp;
import io.taskbroker.grpc.EnqueuedTemplates;
import io.taskbroker.protocol.v1.Cron;
import io.taskbroker.protocol.v1.Schedule;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.MethodSource;

/// Fuzzing of the times of a schedule: they are refused with a reason, or ascend.
final class ScheduleFuzzTest {
  private static final long NOW = 1_800_000_000_123L;
  private static final List<String> ZONES =
      List.of("UTC", "Europe/Vienna", "America/New_York", "Australia/Lord_Howe", "+05:30");

  private final ScheduleBook book =
      new ScheduleBook(
          new StoreAccess(
              query -> {
                throw new AssertionError(query);
              },
              Waits.BLOCKING),
          new EnqueuedTemplates(),
          () -> {
            throw new AssertionError("no time is needed");
          },
          new Random(1),
          1);

  @MethodSource("seeds")
  @FuzzTest
  void timesAscend(byte[] input) {
    String zone = input.length == 0 ? "" : ZONES.get((input[0] & 0xFF) % ZONES.size());
    String expression =
        new String(input, Math.min(1, input.length), Math.max(0, input.length - 1), UTF_8);
    Schedule schedule =
        Schedule.newBuilder()
            .setName("s")
            .setCron(Cron.newBuilder().setExpression(expression).setTimeZone(zone))
            .build();
    List<Timestamp> times;
    try {
      times = book.nextTimes(schedule, 20, NOW);
    } catch (ScheduleException e) {
      assertThat(e.kind()).isEqualTo(ScheduleException.Kind.INVALID);
      assertThat(e.getMessage()).hasSizeLessThan(2_000);
      return;
    }
    long before = NOW / 1_000;
    for (Timestamp time : times) {
      assertThat(time.getSeconds()).isGreaterThan(before);
      assertThat(time.getNanos()).isZero();
      before = time.getSeconds();
    }
  }

  static Stream<byte[]> seeds() {
    return Stream.of(
            "\0* * * * *",
            "\1*/15 2 * * *",
            "\2 30 1,2 1-7 * 0",
            "\3 0 0 29 2 *",
            "\4 59 23 31 12 7",
            "\0 0 0 30 2 *",
            "\0 0 0 31 2,4,6,9,11 *",
            "\1 0-59/7 */5 1,15 JAN-MAR MON",
            "\0 @daily",
            "\0 * * * *",
            "\0 -1 * * * *",
            "\0 99999999999 * * * *",
            "\0 */99999999999 * * * *",
            "\0 1-1-1 , / * ?")
        .map(text -> text.getBytes(UTF_8));
  }
}
