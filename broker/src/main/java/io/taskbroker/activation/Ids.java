package io.taskbroker.activation;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/// Deterministic derivation of ids and of values computed from ids: producing the same thing twice
/// gives the same id (G4). Stateless and thread-safe.
public final class Ids {
  /// Most ids of finished tasks that memory remembers (H8): a quarter of the heap, at 67 bytes
  /// each, and a million at most. Those that end first are forgotten before their time.
  public static final int MOST_REMEMBERED =
      (int) Math.clamp(Runtime.getRuntime().maxMemory() / (4 * 67), 10_000, 1_000_000);

  private static final ThreadLocal<MessageDigest> SHA_256 = ThreadLocal.withInitial(Ids::sha256);

  private Ids() {}

  /// Id of the retry that follows attempt number `attempt` of the activation `id`.
  public static String retry(String id, int attempt) {
    return uuid("retry\n" + attempt + "\n" + id);
  }

  /// Id of a task that a client enqueued with an idempotency key.
  public static String idempotent(String application, String namespace, String key) {
    return uuid(String.join("\n", "key", application, namespace, key));
  }

  /// Id of a raw-topic record. If Kafka's log is truncated and an offset is reused, the new record
  /// has another id.
  public static String raw(String topicId, int partition, RecordIdentity record) {
    return uuid(
        String.join(
            "\n",
            "raw",
            topicId,
            Integer.toString(partition),
            Long.toString(record.offset()),
            Integer.toString(record.leaderEpoch()),
            Long.toString(record.timestamp())));
  }

  /// Id of the task that replays a dead letter: the same each time, and another one for each record
  /// of the dead-letter topic.
  ///
  /// @param topicId UUID of the dead-letter topic
  /// @param timestamp of the record, milliseconds since the epoch
  public static String replay(String topicId, int partition, long offset, long timestamp) {
    return uuid("replay\n%s\n%d\n%d\n%d".formatted(topicId, partition, offset, timestamp));
  }

  /// Whether the id has the form that [#retry], [#raw] and [#replay] generate: a hyphenated UUID of
  /// version 8, which publishers do not use.
  public static boolean isDerived(String id) {
    return id.length() == 36 && id.charAt(14) == '8' && id.charAt(13) == '-';
  }

  /// Id of a message that does not decode. Includes the timestamp because Kafka may reuse an offset
  /// ([RecordIdentity]).
  ///
  /// @param timestamp of the record, milliseconds since the epoch
  public static String undecodable(Origin origin, long timestamp) {
    String record = origin.topic() + ":" + origin.partition() + ":" + origin.offset();
    return "undecodable:" + record + ":" + timestamp;
  }

  /// First 128 bits of the id's SHA-256; collisions are negligible.
  public static Fingerprint fingerprint(String id) {
    ByteBuffer hash = ByteBuffer.wrap(SHA_256.get().digest(id.getBytes(UTF_8)));
    return new Fingerprint(hash.getLong(), hash.getLong());
  }

  /// Bucket of the id, see [Activation#bucket].
  static int bucket(String id) {
    String text = id.startsWith("urn:uuid:") ? id.substring(9) : id;
    if (text.startsWith("{") && text.endsWith("}")) {
      text = text.substring(1, text.length() - 1);
    }
    boolean hyphenated = text.length() == 36;
    if (!hyphenated && text.length() != 32) {
      return 0;
    }
    for (int i = 0; i < text.length(); i++) {
      boolean hyphen = hyphenated && (i == 8 || i == 13 || i == 18 || i == 23);
      if (hyphen ? text.charAt(i) != '-' : Character.digit(text.charAt(i), 16) < 0) {
        return 0;
      }
    }
    return Integer.parseInt(text, text.length() - 2, text.length(), 16);
  }

  /// Hyphenated UUID of version 8 (RFC 9562).
  private static String uuid(String name) {
    ByteBuffer hash = ByteBuffer.wrap(SHA_256.get().digest(name.getBytes(UTF_8)));
    long high = (hash.getLong() & ~0xF000L) | 0x8000L;
    long low = (hash.getLong() & 0x3FFFFFFFFFFFFFFFL) | 0x8000000000000000L;
    return new UUID(high, low).toString();
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("SHA-256 is missing from this Java platform", e);
    }
  }

  /// 128-bit hash of an id.
  public record Fingerprint(long high, long low) {}
}
