package io.taskbroker.activation;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.nio.ByteBuffer;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.UUID;

/// Ids that are derived, so that producing the same thing twice gives the same id twice (G4), and
/// what is derived of ids.
public final class Ids {
  private static final ThreadLocal<MessageDigest> SHA_256 = ThreadLocal.withInitial(Ids::sha256);

  private Ids() {}

  /// The id of the retry that follows attempt number `attempt` of the activation `id`.
  public static String retry(String id, int attempt) {
    return uuid("retry\n" + attempt + "\n" + id);
  }

  /// The id of the record of a raw topic. After Kafka's log was cut off, another record with the
  /// same offset has another id.
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

  /// Whether the id looks like one that [#retry] or [#raw] made: a hyphenated UUID of version 8,
  /// which publishers do not use.
  public static boolean isDerived(String id) {
    return id.length() == 36 && id.charAt(14) == '8' && id.charAt(13) == '-';
  }

  /// The id under which a message is kept that is not an activation. It has the timestamp because
  /// Kafka may use an offset again ([RecordIdentity]).
  ///
  /// @param timestamp of the record, milliseconds since the epoch
  public static String undecodable(Origin origin, long timestamp) {
    String place = origin.topic() + ":" + origin.partition() + ":" + origin.offset();
    return "undecodable:" + place + ":" + timestamp;
  }

  /// 128 bits of a cryptographic hash of the id: two ids with the same fingerprint are not to be
  /// met with.
  public static Fingerprint fingerprint(String id) {
    ByteBuffer hash = ByteBuffer.wrap(SHA_256.get().digest(id.getBytes(UTF_8)));
    return new Fingerprint(hash.getLong(), hash.getLong());
  }

  /// The bucket of the id, as [Activation#bucket] describes it.
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

  /// A UUID of version 8 (RFC 9562), hyphenated.
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
      throw new IllegalStateException("Every Java platform has SHA-256", e);
    }
  }

  /// 128 bits that stand for an id.
  public record Fingerprint(long high, long low) {}
}
