package io.taskbroker.wire;

import java.util.Arrays;

/// Encoder of messages that embed an activation as it came from Kafka, neither decoded nor
/// re-encoded, so that fields unknown to this broker reach the worker (W44).
public final class Frames {
  /// Tag of field 1, length-delimited.
  private static final byte TASK = 0x0A;

  private Frames() {}

  /// Bytes of a `PushTaskRequest`, a `GetTaskResponse` or a `SetTaskStatusResponse`: in each of
  /// them the activation is field 1.
  public static byte[] ofTask(byte[] activation) {
    byte[] head = headOf(activation);
    byte[] frame = Arrays.copyOf(head, head.length + activation.length);
    System.arraycopy(activation, 0, frame, head.length, activation.length);
    return frame;
  }

  /// Header of such a message, before the bytes of the activation.
  public static byte[] headOf(byte[] activation) {
    int length = activation.length;
    int lengthBytes = 1 + (31 - Integer.numberOfLeadingZeros(length | 1)) / 7;
    byte[] head = new byte[1 + lengthBytes];
    head[0] = TASK;
    int at = 1;
    for (int rest = length; ; rest >>>= 7) {
      if (rest < 0x80) {
        head[at] = (byte) rest;
        return head;
      }
      head[at++] = (byte) ((rest & 0x7F) | 0x80);
    }
  }
}
