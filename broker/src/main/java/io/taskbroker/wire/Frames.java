package io.taskbroker.wire;

/// Messages that hold an activation as it came from Kafka: it is neither decoded nor encoded again,
/// so that fields that this broker does not know reach the worker (W44).
public final class Frames {
  /// The tag of field 1, length-delimited.
  private static final byte TASK = 0x0A;

  private Frames() {}

  /// The bytes of a `PushTaskRequest`, a `GetTaskResponse` or a `SetTaskStatusResponse`: in each of
  /// them the activation is field 1.
  public static byte[] ofTask(byte[] activation) {
    int length = activation.length;
    int lengthBytes = 1 + (31 - Integer.numberOfLeadingZeros(length | 1)) / 7;
    byte[] frame = new byte[1 + lengthBytes + length];
    frame[0] = TASK;
    int at = 1;
    for (int rest = length; ; rest >>>= 7) {
      if (rest < 0x80) {
        frame[at++] = (byte) rest;
        break;
      }
      frame[at++] = (byte) ((rest & 0x7F) | 0x80);
    }
    System.arraycopy(activation, 0, frame, at, length);
    return frame;
  }
}
