package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Status;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// A channel of a type unknown to the dispatcher gets tasks like any other: by its credits, in
/// arrival order, from its registration until its removal.
final class DeliveryChannelTest {
  private final EngineRig effects = new EngineRig(RigOptions.pull());
  private final EngineState state =
      new EngineState(
          RigOptions.pull().build(), effects, new SplittableRandom(1), new TokenEpoch(1));
  private final TaskCompletion completion = new TaskCompletion(state);
  private final StatusWriter statusWriter = new StatusWriter(state);
  private final Dispatcher dispatcher =
      new Dispatcher(
          state, completion, statusWriter, new Timeouts(state, completion, statusWriter));
  private final Stream stream = new Stream();

  /// Stream of a worker, with the credits that it granted.
  private static final class Stream implements DeliveryChannel {
    final List<String> delivered = new ArrayList<>();
    int granted;

    @Override
    public int credits(long now) {
      return granted;
    }

    @Override
    public boolean accepts(InFlightTask task) {
      return true;
    }

    @Override
    public void reserve(InFlightTask task) {
      granted--;
    }

    @Override
    public void release(Effects effects) {
      granted++;
    }

    @Override
    public void deliver(Effects effects, Delivery delivery) {
      delivered.add(delivery.id());
    }

    @Override
    public boolean confirms() {
      return false;
    }

    @Override
    public boolean isClosed() {
      return false;
    }
  }

  @Test
  void channelReceivesAsManyTasksAsItHasCredits() {
    for (int i = 0; i < 5; i++) {
      ready("x" + i, i);
    }
    state.register("app", stream);
    stream.granted = 2;
    dispatch();
    assertThat(stream.delivered).containsExactly("x0", "x1");
    assertThat(state.tasks.get("x0")).extracting(InFlightTask::status).isEqualTo(Status.PROCESSING);
    stream.granted = 1;
    dispatch();
    assertThat(stream.delivered).containsExactly("x0", "x1", "x2");
  }

  @Test
  void channelReceivesATaskAsSoonAsItArrives() {
    state.register("app", stream);
    stream.granted = 1;
    dispatch();
    ready("x", 0);
    dispatch();
    assertThat(stream.delivered).containsExactly("x");
  }

  @Test
  void removedChannelReceivesNothing() {
    state.register("app", stream);
    state.unregister("app", stream);
    stream.granted = 1;
    ready("x", 0);
    dispatch();
    assertThat(stream.delivered).isEmpty();
  }

  @Test
  void channelsShareTheTasksOfTheirApplication() {
    var other = new Stream();
    for (int i = 0; i < 3; i++) {
      ready("x" + i, i);
    }
    state.register("app", stream);
    state.register("app", other);
    stream.granted = 1;
    other.granted = 5;
    dispatch();
    assertThat(stream.delivered).containsExactly("x0");
    assertThat(other.delivered).containsExactly("x1", "x2");
  }

  private void ready(String id, long key) {
    var task =
        new InFlightTask(
            key,
            Task.of(id).at(new Origin("tasks", 0, key), 0),
            TaskState.PENDING,
            state.queueOf("app"));
    state.add(task);
    state.enqueue(task, false);
  }

  private void dispatch() {
    for (ApplicationQueue queue : List.copyOf(state.queues.sending)) {
      dispatcher.dispatch(queue);
    }
  }
}
