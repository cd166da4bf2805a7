package io.taskbroker.store;

import static java.nio.charset.StandardCharsets.UTF_8;

import io.taskbroker.activation.FinishedTask;
import io.taskbroker.activation.FinishedTask.Outcome;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Row;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Encoding of the records of finished tasks in pages. A page holds records of one transaction, so
/// that a transaction writes few of them; a record that a client asked for has a page of its own,
/// which is found by its id. Names that are those of the record before are not repeated. Stateless.
public final class FinishedCodec {
  /// Version of the encoding, the first byte of each page.
  private static final byte VERSION = 1;

  /// Bytes at which a page ends.
  private static final int PAGE_BYTES = 256 << 10;

  /// Approximate bytes of a page in a store beside its body.
  private static final int PAGE_OVERHEAD = 48;

  /// Bytes of the record of a usual task.
  private static final int USUAL_BYTES = 160;

  /// Longest names; the rest is cut off.
  private static final int MAX_NAME_CHARS = 512;

  private static final byte[] NONE = {};
  private static final int SAME_APPLICATION = 1;
  private static final int SAME_NAMESPACE = 2;
  private static final int SAME_TASKNAME = 4;
  private static final int SAME_TOPIC = 8;
  private static final int SAME_WORKER = 16;
  private static final int ASKED = 32;

  private FinishedCodec() {}

  /// Page of records.
  ///
  /// @param id of its only record, if that was asked for
  /// @param keptUntil when the last of its records may be deleted, milliseconds since the epoch
  @SuppressWarnings("ArrayRecordComponent") // never compared
  public record Page(@Nullable String id, long keptUntil, byte[] body) {
    /// Approximate bytes in a store.
    public int bytes() {
      return PAGE_OVERHEAD + body.length;
    }
  }

  /// Record at its place in a page.
  ///
  /// @param offset in the body; ascending
  /// @param resultBytes size of its result
  public record Placed(int offset, FinishedTask task, int resultBytes) {}

  /// Pages of records, in their order.
  public static List<Page> pages(List<FinishedTask> tasks) {
    List<Page> pages = new ArrayList<>(1);
    Writer page = new Writer(Math.min(PAGE_BYTES, USUAL_BYTES * (tasks.size() + 1)));
    for (FinishedTask task : tasks) {
      if (task.asked()) {
        Writer own = new Writer(USUAL_BYTES);
        own.add(task);
        pages.add(own.page(task.id()));
      } else {
        page.add(task);
        if (page.length >= PAGE_BYTES) {
          pages.add(page.page(null));
          page = new Writer(PAGE_BYTES);
        }
      }
    }
    if (page.last != null) {
      pages.add(page.page(null));
    }
    return pages;
  }

  /// Records of the body of a page; those before the damage if it is damaged.
  ///
  /// @param results whether to decode the results
  public static List<Placed> records(byte[] body, boolean results) {
    List<Placed> records = new ArrayList<>();
    ByteBuffer in = ByteBuffer.wrap(body);
    if (body.length == 0 || in.get() != VERSION) {
      return records;
    }
    FinishedTask last = null;
    try {
      while (in.hasRemaining()) {
        Placed next = read(in, last, results);
        records.add(next);
        last = next.task();
      }
    } catch (BufferUnderflowException | IllegalArgumentException | IndexOutOfBoundsException _) {
      return records;
    }
    return records;
  }

  private static Placed read(ByteBuffer in, @Nullable FinishedTask last, boolean results) {
    int offset = in.position();
    int flags = in.get();
    Outcome outcome = Outcome.of(in.get());
    long endedAt = number(in);
    long receivedAt = endedAt - number(in);
    long delivered = number(in);
    long keptUntil = endedAt + number(in);
    int deliveries = (int) number(in);
    int partition = (int) number(in);
    long recordOffset = number(in);
    String id = text(in);
    String firstId = text(in);
    String message = text(in);
    String application = text(in, flags & SAME_APPLICATION, last == null ? "" : last.application());
    String namespace = text(in, flags & SAME_NAMESPACE, last == null ? "" : last.namespace());
    String taskname = text(in, flags & SAME_TASKNAME, last == null ? "" : last.taskname());
    String topic = text(in, flags & SAME_TOPIC, last == null ? "" : last.origin().topic());
    String worker = text(in, flags & SAME_WORKER, last == null ? "" : last.worker());
    byte[] history = bytes(in);
    int size = length(in);
    byte[] result = null;
    if (results && size > 0) {
      result = new byte[size];
      in.get(result);
    } else {
      in.position(in.position() + size);
    }
    var task =
        new FinishedTask(
            id,
            firstId,
            application,
            namespace,
            taskname,
            new Origin(topic, partition, recordOffset),
            outcome,
            receivedAt,
            delivered == 0 ? Row.NONE : endedAt - delivered + 1,
            endedAt,
            keptUntil,
            deliveries,
            worker,
            message,
            result,
            history,
            (flags & ASKED) != 0);
    return new Placed(offset, task, size);
  }

  private static String text(ByteBuffer in, int same, String last) {
    return same != 0 ? last : text(in);
  }

  private static String text(ByteBuffer in) {
    return new String(bytes(in), UTF_8);
  }

  private static byte[] bytes(ByteBuffer in) {
    byte[] bytes = new byte[length(in)];
    in.get(bytes);
    return bytes;
  }

  private static int length(ByteBuffer in) {
    long length = number(in);
    if (length < 0 || length > in.remaining()) {
      throw new IllegalArgumentException("Length " + length);
    }
    return (int) length;
  }

  /// Signed number of variable length, as in protobuf.
  private static long number(ByteBuffer in) {
    long number = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      byte next = in.get();
      number |= (next & 0x7FL) << shift;
      if (next >= 0) {
        return (number >>> 1) ^ -(number & 1);
      }
    }
    throw new IllegalArgumentException("A number is too long");
  }

  /// Writer of one page. Not thread-safe.
  private static final class Writer {
    private byte[] body;
    private int length;
    private long keptUntil = Long.MIN_VALUE;
    private @Nullable FinishedTask last;

    /// @param bytes expected
    Writer(int bytes) {
      body = new byte[bytes];
      body[length++] = VERSION;
    }

    Page page(@Nullable String id) {
      return new Page(id, keptUntil, Arrays.copyOf(body, length));
    }

    void add(FinishedTask task) {
      FinishedTask before = last;
      int flags = task.asked() ? ASKED : 0;
      if (before != null) {
        flags |= before.application().equals(task.application()) ? SAME_APPLICATION : 0;
        flags |= before.namespace().equals(task.namespace()) ? SAME_NAMESPACE : 0;
        flags |= before.taskname().equals(task.taskname()) ? SAME_TASKNAME : 0;
        flags |= before.origin().topic().equals(task.origin().topic()) ? SAME_TOPIC : 0;
        flags |= before.worker().equals(task.worker()) ? SAME_WORKER : 0;
      }
      room(2);
      body[length++] = (byte) flags;
      body[length++] = (byte) task.outcome().number();
      number(task.endedAt());
      number(task.endedAt() - task.receivedAt());
      number(task.deliveredAt() == Row.NONE ? 0 : task.endedAt() - task.deliveredAt() + 1);
      number(task.keptUntil() - task.endedAt());
      number(task.deliveries());
      number(task.origin().partition());
      number(task.origin().offset());
      text(task.id(), 0);
      text(task.firstId(), 0);
      text(task.message());
      text(task.application(), flags & SAME_APPLICATION);
      text(task.namespace(), flags & SAME_NAMESPACE);
      text(task.taskname(), flags & SAME_TASKNAME);
      text(task.origin().topic(), flags & SAME_TOPIC);
      text(task.worker(), flags & SAME_WORKER);
      bytes(task.history());
      byte[] result = task.result();
      bytes(result == null ? NONE : result);
      keptUntil = Math.max(keptUntil, task.keptUntil());
      last = task;
    }

    private void text(String text, int same) {
      if (same == 0) {
        String cut = text.length() > MAX_NAME_CHARS ? text.substring(0, MAX_NAME_CHARS) : text;
        text(cut);
      }
    }

    private void text(String text) {
      int size = text.length();
      for (int i = 0; i < size; i++) {
        if (text.charAt(i) >= 0x80) {
          bytes(text.getBytes(UTF_8));
          return;
        }
      }
      number(size);
      room(size);
      for (int i = 0; i < size; i++) { // nearly always ASCII: without a copy
        body[length++] = (byte) text.charAt(i);
      }
    }

    private void bytes(byte[] bytes) {
      number(bytes.length);
      room(bytes.length);
      System.arraycopy(bytes, 0, body, length, bytes.length);
      length += bytes.length;
    }

    private void number(long value) {
      room(10);
      long rest = (value << 1) ^ (value >> 63);
      while ((rest & ~0x7FL) != 0) {
        body[length++] = (byte) ((rest & 0x7F) | 0x80);
        rest >>>= 7;
      }
      body[length++] = (byte) rest;
    }

    private void room(int more) {
      if (length + more > body.length) {
        body = Arrays.copyOf(body, Math.max(2 * body.length, length + more));
      }
    }
  }
}
