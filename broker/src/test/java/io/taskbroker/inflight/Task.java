package io.taskbroker.inflight;

import com.google.protobuf.ByteString;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.proto.v1.TaskActivation;

/// A task as a test publishes it: an activation without its offset in Kafka.
final class Task {
  final String id;
  private String application = "app";
  private String namespace = "ns";
  private String taskname = "task";
  private long expiresAt = Activation.NEVER;
  private long delayUntil;
  private int deadlineSeconds = 10;
  private FailurePolicy policy = FailurePolicy.DISCARD;
  private int priority;
  private boolean once;
  private boolean derived;
  private int size;

  private Task(String id) {
    this.id = id;
  }

  static Task of(String id) {
    return new Task(id);
  }

  /// At most once.
  static Task once(String id) {
    Task task = new Task(id);
    task.once = true;
    return task;
  }

  Task application(String name) {
    application = name;
    return this;
  }

  Task priority(int number) {
    priority = number;
    return this;
  }

  Task namespace(String name) {
    namespace = name;
    return this;
  }

  Task taskname(String name) {
    taskname = name;
    return this;
  }

  Task expiresAt(long time) {
    expiresAt = time;
    return this;
  }

  Task delayUntil(long time) {
    delayUntil = time;
    return this;
  }

  Task deadline(int seconds) {
    deadlineSeconds = seconds;
    return this;
  }

  Task deadLetters() {
    policy = FailurePolicy.DEAD_LETTER;
    return this;
  }

  Task policy(FailurePolicy other) {
    policy = other;
    return this;
  }

  /// With an id that a broker derived.
  Task derived() {
    derived = true;
    return this;
  }

  /// With parameters of so many bytes.
  Task size(int bytes) {
    size = bytes;
    return this;
  }

  boolean isOnce() {
    return once;
  }

  Activation at(Origin origin, long receivedAt) {
    byte[] payload =
        TaskActivation.newBuilder()
            .setId(id)
            .setNamespace(namespace)
            .setTaskname(taskname)
            .setApplication(application)
            .setParametersBytes(ByteString.copyFrom(new byte[size]))
            .build()
            .toByteArray();
    return new Activation(
            id,
            application,
            namespace,
            taskname,
            payload,
            origin,
            receivedAt,
            expiresAt,
            delayUntil,
            deadlineSeconds,
            policy,
            once,
            derived)
        .withPriority(priority);
  }
}
