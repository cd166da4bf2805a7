package io.taskbroker.activation;

/// How far one partition was consumed, stored in the same transaction as the rows (G1, H1).
///
/// @param next every record below this offset was stored or durably disposed of
/// @param committed the offset that Kafka last acknowledged as committed by this broker; [#NONE] if
///   there was none
public record Watermark(SourcePartition partition, long next, long committed) {
  public static final long NONE = -1;
}
