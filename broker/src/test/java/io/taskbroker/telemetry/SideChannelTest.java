package io.taskbroker.telemetry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.awaitility.Awaitility.await;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/// G9: writers to a side channel never wait for its receiver, which is notified of drops.
@Timeout(240)
final class SideChannelTest {
  private static final Duration PATIENCE = Duration.ofSeconds(60);

  /// Size of an item with its overhead.
  private static final int ITEM = 64 + 8;

  private final Pipe pipe = new Pipe();

  @Test
  void g9WhoOffersNeverWaitsAndWhatFindsNoRoomIsCounted() {
    SideChannel<String> channel = channel(80);
    List<String> taken = new ArrayList<>();
    for (int i = 0; i < 1_000; i++) {
      String item = "item-%03d".formatted(i);
      if (channel.offer(item, false)) {
        taken.add(item);
      }
    }
    assertThat(taken).hasSizeBetween(60, 80);
    assertThat(channel.dropped()).isEqualTo(1_000 - taken.size());
    assertThat(channel.flush(Duration.ofMillis(1))).isFalse();

    pipe.open();

    assertThat(channel.flush(PATIENCE)).isTrue();
    taken.add("lost " + (1_000 - taken.size()));
    await().atMost(PATIENCE).until(() -> pipe.taken.equals(taken));
  }

  @Test
  void urgentItemsHaveReservedSpace() {
    SideChannel<String> channel = channel(80);
    fill(channel);

    assertThat(channel.offer("urgent-1", true)).isTrue();
    pipe.open();

    await().atMost(PATIENCE).until(() -> pipe.taken.contains("urgent-1"));
  }

  @Test
  void aSlowReceiverIsNotifiedOfDropsOnce() {
    SideChannel<String> channel = channel(80);
    fill(channel);
    long dropped = channel.dropped();
    pipe.pass(10);
    await().atMost(PATIENCE).until(() -> pipe.taken.size() == 10);
    assertThat(channel.offer("too-soon", false)).isFalse();

    pipe.pass(40);
    await().atMost(PATIENCE).until(() -> pipe.taken.size() == 50);
    assertThat(channel.offer("in-time-", false)).isTrue();
    pipe.open();

    assertThat(channel.flush(PATIENCE)).isTrue();
    assertThat(pipe.taken)
        .filteredOn(item -> !item.startsWith("filler"))
        .containsExactly("lost " + (dropped + 1), "in-time-");
  }

  @Test
  void aFailingReceiverIsRetriedAtEachItemAndNotifiedOfLosses() {
    SideChannel<String> channel = channel(80);
    pipe.open();
    pipe.broken = true;
    IntStream.range(0, 5).forEach(i -> channel.offer("fails-" + i, false));
    assertThat(channel.flush(PATIENCE)).isTrue();
    assertThat(channel.dropped()).isEqualTo(5);

    pipe.broken = false;
    channel.offer("works", false);

    assertThat(channel.flush(PATIENCE)).isTrue();
    assertThat(pipe.taken).containsExactly("lost 5", "works");
    assertThat(channel.dropped()).isEqualTo(5);
  }

  @Test
  void everyItemOfManyThreadsIsTakenInItsOrderOrCounted() throws Exception {
    SideChannel<String> channel = channel(200);
    pipe.open();
    int each = 20_000;
    List<Thread> threads =
        IntStream.range(0, 4)
            .mapToObj(t ->
                Thread.ofPlatform()
                    .start(() -> {
                      for (int i = 0; i < each; i++) {
                        channel.offer(t + ":" + i, i % 7 == 0);
                      }
                    }))
            .toList();
    for (Thread thread : threads) {
      thread.join();
    }
    assertThat(channel.flush(PATIENCE)).isTrue();
    await().atMost(PATIENCE).until(() -> pipe.lost() == channel.dropped());

    List<String> items = pipe.taken.stream().filter(item -> item.contains(":")).toList();
    assertThat(items.size() + channel.dropped()).isEqualTo(4L * each);
    for (int t = 0; t < 4; t++) {
      String own = t + ":";
      assertThat(
              items.stream()
                  .filter(item -> item.startsWith(own))
                  .map(item -> Integer.valueOf(item.substring(2))))
          .isSorted();
    }
  }

  @Test
  void linesOfAStreamStayWholeAndItSaysWhatItDropped() {
    var written = new ByteArrayOutputStream();
    var stream =
        new LineStream(
            "lines",
            new java.io.OutputStream() {
              @Override
              public void write(int b) {
                throw new UnsupportedOperationException();
              }

              @Override
              public void write(byte[] bytes) throws IOException {
                pipe.take(new String(bytes, UTF_8));
                written.writeBytes(bytes);
              }
            });
    String line = "x".repeat(10_000) + "\n";
    for (int i = 0; i < 200; i++) {
      stream.write(line.getBytes(UTF_8), false);
    }
    stream.printStream().print("half");
    stream.printStream().println(" and half");
    new IllegalStateException("boom").printStackTrace(stream.printStream());
    pipe.open();

    assertThat(stream.flush(PATIENCE)).isTrue();
    await().atMost(PATIENCE).until(() -> written.toString(UTF_8).contains("were dropped"));
    assertThat(stream.dropped()).isPositive();
    assertThat(written.toString(UTF_8).lines())
        .contains("half and half", "java.lang.IllegalStateException: boom")
        .filteredOn(each -> each.startsWith("taskbroker: "))
        .containsExactly("taskbroker: " + LineStream.noticeText(stream.dropped()));
  }

  private SideChannel<String> channel(int items) {
    return new SideChannel<>("test", (long) items * ITEM, _ -> 8, pipe);
  }

  /// Offers items until one is dropped.
  private static void fill(SideChannel<String> channel) {
    int i = 0;
    while (channel.offer("filler-" + i, false)) {
      i++;
    }
  }

  /// A receiver that accepts a given number of items.
  private static final class Pipe implements SideChannel.Receiver<String> {
    private final List<String> taken = new CopyOnWriteArrayList<>();
    private final Semaphore room = new Semaphore(0);
    private volatile boolean broken;

    void open() {
      room.release(Integer.MAX_VALUE / 2);
    }

    void pass(int items) {
      room.release(items);
    }

    long lost() {
      return taken.stream()
          .filter(item -> item.startsWith("lost "))
          .mapToLong(item -> Long.parseLong(item.substring(5)))
          .sum();
    }

    @Override
    public void take(String item) throws IOException {
      room.acquireUninterruptibly();
      if (broken) {
        throw new IOException("broken pipe");
      }
      taken.add(item);
    }

    @Override
    public void lost(long items) throws IOException {
      if (broken) {
        throw new IOException("broken pipe");
      }
      taken.add("lost " + items);
    }
  }
}
