package io.taskbroker;

import com.google.protobuf.ByteString;
import io.taskbroker.activation.Activation;
import io.taskbroker.activation.FailurePolicy;
import io.taskbroker.activation.Origin;
import io.taskbroker.activation.Timestamps;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.CommandSink;
import io.taskbroker.inflight.api.EnqueueOutcome;
import io.taskbroker.proto.v1.TaskActivation;
import io.taskbroker.runtime.Service;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import java.util.UUID;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/// Producer of canary tasks: at each start it enqueues a configured number of no-op tasks per
/// application, to show whether its workers receive and run tasks (reference-spec 1.4). They belong
/// to no partition, though they name a topic (H23). At most one canary per application waits for
/// its commit; when one is rejected, no more are enqueued. Thread-safe.
final class Canaries implements Service {
  private static final Logger log = LoggerFactory.getLogger(Canaries.class);
  private static final String NAMESPACE = "internal";
  private static final String TASKNAME = "canary_task";
  private static final int DEADLINE_SECONDS = 10;

  /// `{"args": [], "kwargs": {}}` as MessagePack.
  private static final ByteString PARAMETERS = ByteString.fromHex("82a46172677390a66b776172677380");

  private final String topic;
  private final List<String> applications;
  private final int each;
  private final CommandSink intake;
  private final InstantSource clock = InstantSource.system();
  private volatile boolean stopped;

  /// @param topic named as their source topic
  /// @param each canaries per application
  Canaries(String topic, Collection<String> applications, int each, CommandSink intake) {
    this.topic = topic;
    this.applications = List.copyOf(applications);
    this.each = each;
    this.intake = intake;
  }

  @Override
  public String name() {
    return "canaries";
  }

  @Override
  public void start() {
    applications.forEach(application -> enqueue(application, 0));
  }

  @Override
  public void stop() {
    stopped = true;
  }

  private void enqueue(String application, int number) {
    if (number < each && !stopped) {
      intake.request(
          new Command.Enqueue(
              List.of(canary(application, number)), new Enqueued(application, number)));
    }
  }

  private Activation canary(String application, int number) {
    String id = UUID.randomUUID().toString();
    long now = clock.millis();
    byte[] payload =
        TaskActivation.newBuilder()
            .setId(id)
            .setApplication(application)
            .setNamespace(NAMESPACE)
            .setTaskname(TASKNAME)
            .setParametersBytes(PARAMETERS)
            .setReceivedAt(Timestamps.ofMillis(now))
            .setProcessingDeadlineDuration(DEADLINE_SECONDS)
            .build()
            .toByteArray();
    return new Activation(
        id,
        application,
        NAMESPACE,
        TASKNAME,
        payload,
        new Origin(topic, -1, number),
        now,
        Activation.NEVER,
        0,
        DEADLINE_SECONDS,
        FailurePolicy.DISCARD,
        false,
        false);
  }

  /// Enqueues the next canary once this one is durable.
  private final class Enqueued implements Command.EnqueueReply {
    private final String application;
    private final int number;

    Enqueued(String application, int number) {
      this.application = application;
      this.number = number;
    }

    @Override
    public void done(List<EnqueueOutcome> outcomes) {
      if (outcomes.getFirst() == EnqueueOutcome.ACCEPTED) {
        enqueue(application, number + 1);
      } else {
        unavailable("the broker refused it: " + outcomes.getFirst());
      }
    }

    @Override
    public void unavailable(String why) {
      if (!stopped) {
        log.warn(
            "Enqueued {} of {} canary tasks of application {}: {}", number, each, application, why);
      }
    }
  }
}
