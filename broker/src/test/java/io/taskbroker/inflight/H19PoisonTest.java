package io.taskbroker.inflight;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.QuarantineRequest;
import java.util.List;
import org.junit.jupiter.api.Test;

/// H19: a record that must be produced is stored with its forward, and its partition goes on; a
/// record that Kafka will never accept is quarantined.
final class H19PoisonTest {
  private static final byte[] POISON = "poison".getBytes(UTF_8);

  private final EngineRig rig = new EngineRig(RigOptions.pull().maxMemoryBytes(100_000));
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h19UndecodableMessageIsStoredBeforeItIsProduced() {
    rig.commits = false;
    String id = partition.appendUndecodable(POISON);
    partition.send();
    assertThat(rig.outbox).isEmpty();
    rig.commitAndSettle();
    Row row = rig.store.row(id).orElseThrow();
    assertThat(row.status()).isEqualTo(Status.FAILURE);
    assertThat(row.forwardTo()).isNotNull();
    OutboxRecord record = rig.outbox.getFirst();
    assertThat(record.payload()).isEqualTo(POISON);
    assertThat(record.destination().headers())
        .containsEntry("taskbroker-reason", "not an activation");
  }

  @Test
  void h19OutageOfTheDeadLetterTopicDoesNotStopThePartition() {
    for (int i = 0; i < 20; i++) {
      partition.appendUndecodable(POISON);
    }
    partition.send(Task.of("x"));
    assertThat(partition.consumed).isEqualTo(21);
    assertThat(rig.outbox).hasSize(20);
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.report(Status.COMPLETE, "x");

    rig.crash();
    assertThat(rig.outbox).hasSize(20);
    rig.produces = true;
    rig.settle();
    assertThat(rig.produced).hasSize(20);
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void h19UndecodableMessageReadTwiceIsKeptOnce() {
    rig.commits = false;
    partition.appendUndecodable(POISON);
    partition.send();
    rig.commit(1);
    rig.crash();
    rig.commits = true;
    partition.assign();
    partition.poll(10);
    rig.settle();
    assertThat(rig.store.rows()).hasSize(1);
    assertThat(rig.outbox).hasSize(1);
  }

  @Test
  void h19RefusedRecordIsQuarantinedOutsideTheLimits() {
    refusedBig();
    assertThat(rig.noticed(EngineEvent.QUARANTINED)).containsExactly("big");
    assertThat(rig.store.row("big")).isPresent();
    Depths depths = rig.depths();
    assertThat(depths).isEqualTo(new Depths(0, 0, 0, 0, 0, depths.memoryBytes()));
    assertThat(depths.memoryBytes()).as("without its payload").isLessThan(2_000);
    partition.send(Task.of("x").size(50_000));
    assertThat(rig.depths().parked()).isZero();
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.pass(1_000_000);
    assertThat(rig.deliveredIds()).filteredOn("big"::equals).hasSize(1);
  }

  /// Without Kafka every dead letter is quarantined.
  @Test
  void g7g8ManyQuarantinedTasksStopOnlyTheirApplication() {
    int taken = 0;
    for (boolean full = false; !full; taken++) {
      assertThat(taken).as("tasks until the application is full").isLessThan(150);
      partition.send(Task.of("bad-" + taken).application("bad").deadLetters());
      full = partition.consumed == taken;
      if (!full) {
        rig.claim("bad", null);
        rig.report(Status.FAILURE, "bad-" + taken);
        refuse();
      }
    }
    assertThat(rig.depths().memoryBytes()).isLessThan(100_000);
    partition.send(Task.of("x"));
    assertThat(rig.claim("app", null).id()).isEqualTo("x");
    rig.report(Status.COMPLETE, "x");

    rig.tell(
        new Command.Quarantined(
            new QuarantineRequest(QuarantineRequest.Action.DISCARD, List.of(), "", "", 1_000),
            _ -> {}));
    rig.settle();
    assertThat(rig.claim("bad", null).id()).startsWith("bad-");
  }

  @Test
  void h19CompleteEndsAQuarantine() {
    refusedBig();
    assertThat(rig.report(Status.FAILURE, "big").isAnswered()).isTrue();
    assertThat(rig.store.row("big")).isPresent();
    rig.commits = false;
    RigReply reply = rig.report(Status.COMPLETE, "big");
    assertThat(reply.isAnswered()).isFalse();
    rig.commitAndSettle();
    assertThat(reply.isAnswered()).isTrue();
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void h19ReplayOfAQuarantinedIdRuns() {
    refusedBig();
    partition.send(Task.of("big"));
    assertThat(rig.claim().id()).isEqualTo("big");
    assertThat(rig.store.rows()).hasSize(1);
    assertThat(rig.report(Status.COMPLETE, "big").isAnswered()).isTrue();
    assertThat(rig.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void h19QuarantinedTaskIsRetriedAfterARestart() {
    refusedBig();
    rig.crash();
    assertThat(rig.outboxIds()).containsExactly("big");
    assertThat(rig.outbox.getFirst().payload()).hasSizeGreaterThan(90_000);
    rig.acknowledge(rig.outbox.getFirst());
    rig.settle();
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h19QuarantinedTasksAreRetriedOnceAMinuteTheSmallestFirst() {
    refused("big", 40_000);
    refused("small", 20_000);
    refused("middle", 30_000);
    assertThat(rig.stats().quarantined()).isEqualTo(3);

    for (int minute = 0; minute < 5; minute++) {
      rig.pass(Quarantine.PERIOD_MS);
      assertThat(rig.outboxIds()).containsExactly("small");
      assertThat(rig.depths().forwarding()).isEqualTo(1);
      refuse();
    }
    assertThat(rig.noticed(EngineEvent.QUARANTINED)).containsExactly("big", "small", "middle");
    assertThat(rig.depths().forwarding()).isZero();

    rig.pass(Quarantine.PERIOD_MS); // the limit now fits the two smaller ones
    acknowledgeNext("small", 20_000);
    acknowledgeNext("middle", 30_000);
    assertThat(rig.outboxIds()).containsExactly("big");
    refuse();
    rig.pass(Quarantine.PERIOD_MS - 1);
    assertThat(rig.outbox).isEmpty();
    rig.pass(1);
    acknowledgeNext("big", 40_000);
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.stats().quarantined()).isZero();
    assertThat(rig.depths()).isEqualTo(new Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void h19QuarantinedTaskThatEndedIsNotRetried() {
    refused("ends", 20_000);
    refused("stays", 30_000);
    rig.report(Status.COMPLETE, "ends");
    assertThat(rig.stats().quarantined()).isEqualTo(1);
    rig.pass(2 * Quarantine.PERIOD_MS);
    assertThat(rig.outboxIds()).containsExactly("stays");
    // While it is being produced, a worker completes it after all: it is produced nevertheless
    // (H7).
    rig.report(Status.COMPLETE, "stays");
    acknowledgeNext("stays", 30_000);
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.stats().quarantined()).isZero();
  }

  private void acknowledgeNext(String id, int size) {
    assertThat(rig.outboxIds()).containsExactly(id);
    assertThat(rig.outbox.getFirst().payload()).hasSizeGreaterThanOrEqualTo(size);
    rig.acknowledge(rig.outbox.getFirst());
    rig.settle();
  }

  private void refusedBig() {
    refused("big", 99_000);
  }

  private void refused(String id, int size) {
    partition.send(Task.of(id).size(size).deadLetters());
    rig.claim();
    rig.report(Status.FAILURE, id);
    refuse();
  }

  private void refuse() {
    rig.tell(new Command.ProduceRefused(rig.outbox.removeFirst(), "too large"));
    rig.settle();
  }

  @Test
  void g7NothingIsAcceptedWhileTooManyTasksAreForwarding() {
    var rig = new EngineRig(RigOptions.pull().maxChanges(100_000).maxMemoryBytes(1L << 30));
    RigPartition partition = rig.assigned("tasks");
    for (int i = 0; i < 20_000; i++) {
      partition.appendUndecodable(new byte[1]);
    }
    partition.send(Task.of("a"));
    assertThat(rig.depths().forwarding()).isEqualTo(20_000);
    assertThat(rig.claim().id()).isEmpty();

    rig.produces = true;
    rig.settle();
    assertThat(rig.claim().id()).isEqualTo("a");
  }
}
