package io.taskbroker.activation;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// Steps of one task, with their times: the first and the latest ones, [#MAX_BYTES] in all. Each
/// step takes a few bytes, so that each task in memory may have a history. Not thread-safe.
public final class TaskHistory {
  /// Most bytes of an encoded history.
  public static final int MAX_BYTES = 1_024;

  /// Most bytes of the detail of a step; the rest is cut off.
  public static final int MAX_DETAIL_BYTES = 64;

  /// Steps that begin within so many bytes are never dropped.
  private static final int KEPT_BYTES = 192;

  /// Enough for the steps of a usual task.
  private static final int INITIAL_BYTES = 72;

  private static final List<Step> STEPS = List.of(Step.values()); // in the order of their numbers

  private final long base;
  private byte[] bytes = new byte[INITIAL_BYTES];
  private int length;
  private int dropped;

  /// Step of a task. The numbers are stored.
  public enum Step {
    /// Accepted by this broker.
    RECEIVED(0),
    /// Found in the store: after a restart, a hand-off, or when it was unparked.
    LOADED(1),
    /// Durable.
    STORED(2),
    /// Its delay ended.
    DELAY_ENDED(3),
    /// Given to a worker; the detail is the number of the delivery, and the worker if it is known.
    DELIVERED(4),
    /// The called worker took it.
    ACCEPTED(5),
    /// A worker reported; the detail is the report.
    REPORTED(6),
    /// Waits to run again; the detail says why.
    REQUEUED(7),
    /// Its attempt failed and another follows.
    RETRIED(8),
    /// To be produced to the topic of the detail.
    FORWARDED(9),
    /// Refused by Kafka and kept.
    QUARANTINED(10),
    /// Ended; the detail is the outcome.
    ENDED(11),
    /// So many steps are left out here.
    LEFT_OUT(12);

    private final int number;

    Step(int number) {
      this.number = number;
    }
  }

  /// One step.
  ///
  /// @param at milliseconds since the epoch
  /// @param detail may be empty
  public record Entry(Step step, long at, String detail) {}

  /// @param base time near those of the steps, milliseconds since the epoch
  public TaskHistory(long base) {
    this.base = base;
  }

  /// Adds a step; drops steps in the middle if there is no room.
  public void add(Step step, long at, String detail) {
    if (isAscii(detail)) { // nearly always: without a copy
      int size = Math.min(detail.length(), MAX_DETAIL_BYTES);
      begin(step, at, size);
      for (int i = 0; i < size; i++) {
        bytes[length++] = (byte) detail.charAt(i);
      }
      return;
    }
    byte[] text = detail.getBytes(UTF_8);
    int size = Math.min(text.length, MAX_DETAIL_BYTES);
    while (size < text.length && size > 0 && (text[size] & 0xC0) == 0x80) {
      size--;
    }
    begin(step, at, size);
    System.arraycopy(text, 0, bytes, length, size);
    length += size;
  }

  private static boolean isAscii(String text) {
    for (int i = 0; i < text.length(); i++) {
      if (text.charAt(i) >= 0x80) {
        return false;
      }
    }
    return true;
  }

  /// Writes all of a step but its detail.
  private void begin(Step step, long at, int size) {
    makeRoom(size + 12);
    bytes[length++] = (byte) step.number;
    long delta = at - base;
    long rest = (delta << 1) ^ (delta >> 63);
    while ((rest & ~0x7FL) != 0) {
      bytes[length++] = (byte) ((rest & 0x7F) | 0x80);
      rest >>>= 7;
    }
    bytes[length++] = (byte) rest;
    bytes[length++] = (byte) size;
  }

  private void makeRoom(int more) {
    if (length + more <= bytes.length) {
      return;
    }
    if (length + more <= MAX_BYTES - 12) { // the rest is for the step that says what is left out
      bytes = Arrays.copyOf(bytes, Math.max(length + more, Math.min(2 * length, MAX_BYTES)));
      return;
    }
    bytes = Arrays.copyOf(bytes, MAX_BYTES);
    int from = keptEnd();
    int to = from;
    while (to < length && length - (to - from) + more > MAX_BYTES - 12) {
      to = next(bytes, to);
      dropped++;
    }
    System.arraycopy(bytes, to, bytes, from, length - to);
    length -= to - from;
  }

  /// End of the steps that are never dropped.
  private int keptEnd() {
    int end = 0;
    while (end < KEPT_BYTES && end < length) {
      end = next(bytes, end);
    }
    return end;
  }

  /// Start of the step after the one at `from`.
  private static int next(byte[] bytes, int from) {
    int at = from + 1;
    while (bytes[at] < 0) {
      at++;
    }
    return at + 2 + bytes[at + 1];
  }

  /// Encoded steps, for [#decode]: the base as eight bytes, then the steps.
  public byte[] encoded() {
    if (dropped == 0) {
      byte[] all = new byte[Long.BYTES + length];
      ByteBuffer.wrap(all).putLong(base);
      System.arraycopy(bytes, 0, all, Long.BYTES, length);
      return all;
    }
    int end = keptEnd();
    var gap = new TaskHistory(base);
    gap.add(Step.LEFT_OUT, base, Integer.toString(dropped));
    return ByteBuffer.allocate(Long.BYTES + length + gap.length)
        .putLong(base)
        .put(bytes, 0, end)
        .put(gap.bytes, 0, gap.length)
        .put(bytes, end, length - end)
        .array();
  }

  /// Steps of an encoded history; of a damaged one those before the damage.
  public static List<Entry> decode(byte[] encoded) {
    List<Entry> entries = new ArrayList<>();
    if (encoded.length < Long.BYTES) {
      return entries;
    }
    long base = ByteBuffer.wrap(encoded).getLong();
    int at = Long.BYTES;
    while (at < encoded.length) {
      int step = encoded[at++];
      long delta = 0;
      int shift = 0;
      while (at < encoded.length && encoded[at] < 0 && shift < 63) {
        delta |= (encoded[at++] & 0x7FL) << shift;
        shift += 7;
      }
      if (at + 1 >= encoded.length || encoded[at] < 0) {
        return entries;
      }
      delta |= (long) encoded[at++] << shift;
      int size = encoded[at++];
      if (step < 0 || step >= STEPS.size() || size < 0 || at + size > encoded.length) {
        return entries;
      }
      long time = base + ((delta >>> 1) ^ -(delta & 1));
      entries.add(new Entry(STEPS.get(step), time, new String(encoded, at, size, UTF_8)));
      at += size;
    }
    return entries;
  }
}
