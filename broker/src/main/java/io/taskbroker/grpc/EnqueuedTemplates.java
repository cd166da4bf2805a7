package io.taskbroker.grpc;

import io.taskbroker.activation.Activation;
import io.taskbroker.protocol.v1.NewTask;
import io.taskbroker.protocol.v1.Task;
import io.taskbroker.schedule.TaskTemplates;
import java.io.IOException;
import java.io.UncheckedIOException;

/// Tasks of schedules, with the limits and defaults of `Enqueue`. Stateless.
public final class EnqueuedTemplates implements TaskTemplates {
  private static final String SLOT = "taskbroker-slot";

  @Override
  public void check(Task template) {
    String flaw =
        EnqueueReader.flaw(template, NewTask.getDefaultInstance(), template.getSerializedSize());
    if (flaw != null) {
      throw new IllegalArgumentException(flaw);
    }
  }

  @Override
  public Activation task(Task template, String id, String slot, long now) {
    Task task = template.toBuilder().setId(id).putHeaders(SLOT, slot).build();
    byte[] bytes = task.toByteArray();
    try {
      return EnqueueReader.activation(
          bytes, 0, bytes.length, NewTask.newBuilder().setTask(task).build(), now);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
