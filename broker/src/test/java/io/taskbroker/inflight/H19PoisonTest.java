package io.taskbroker.inflight;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import org.junit.jupiter.api.Test;

/// H19: what must be produced is stored as leaving, and its partition goes on; what Kafka will
/// never take is quarantined.
final class H19PoisonTest {
  private static final byte[] POISON = "poison".getBytes(UTF_8);

  private final EngineRig rig = new EngineRig(RigOptions.pull().maxMemoryBytes(100_000));
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void h19UndecodableIsStoredAsLeavingBeforeItIsProduced() {
    rig.commits = false;
    String id = partition.appendUndecodable(POISON);
    partition.send();
    assertThat(rig.departing).isEmpty();
    rig.commitAndSettle();
    Row row = rig.store.row(id).orElseThrow();
    assertThat(row.status()).isEqualTo(Status.FAILURE);
    assertThat(row.leaving()).isNotNull();
    Departure departure = rig.departing.getFirst();
    assertThat(departure.payload()).isEqualTo(POISON);
    assertThat(departure.destination().headers())
        .containsEntry("taskbroker-reason", "not an activation");
  }

  @Test
  void h19OutageOfTheDeadLetterTopicDoesNotStopThePartition() {
    for (int i = 0; i < 20; i++) {
      partition.appendUndecodable(POISON);
    }
    partition.send(Task.of("x"));
    assertThat(partition.consumed).isEqualTo(21);
    assertThat(rig.departing).hasSize(20);
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.report(Status.COMPLETE, "x");

    rig.crash();
    assertThat(rig.departing).hasSize(20);
    rig.produces = true;
    rig.settle();
    assertThat(rig.produced).hasSize(20);
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.depths()).isEqualTo(new Inflight.Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void h19UndecodableThatIsReadTwiceIsKeptOnce() {
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
    assertThat(rig.departing).hasSize(1);
  }

  @Test
  void h19RefusedDepartureIsQuarantinedOutsideTheLimits() {
    refusedBig();
    assertThat(rig.noticed(Notice.QUARANTINED)).containsExactly("big");
    assertThat(rig.store.row("big")).isPresent();
    assertThat(rig.depths()).isEqualTo(new Inflight.Depths(0, 0, 0, 0, 0, 0));
    partition.send(Task.of("x").size(50_000));
    assertThat(rig.depths().parked()).isZero();
    assertThat(rig.claim().id()).isEqualTo("x");
    rig.pass(1_000_000);
    assertThat(rig.handedOutIds()).filteredOn("big"::equals).hasSize(1);
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
    assertThat(rig.depths()).isEqualTo(new Inflight.Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void h19ReplayOfAQuarantinedIdRuns() {
    refusedBig();
    partition.send(Task.of("big"));
    assertThat(rig.claim().id()).isEqualTo("big");
    assertThat(rig.store.rows()).hasSize(1);
    assertThat(rig.report(Status.COMPLETE, "big").isAnswered()).isTrue();
    assertThat(rig.depths()).isEqualTo(new Inflight.Depths(0, 0, 0, 0, 0, 0));
  }

  @Test
  void h19QuarantineIsTriedAgainAfterARestart() {
    refusedBig();
    rig.crash();
    assertThat(rig.departingIds()).containsExactly("big");
    assertThat(rig.departing.getFirst().payload()).hasSizeGreaterThan(90_000);
    rig.acknowledge(rig.departing.getFirst());
    rig.settle();
    assertThat(rig.store.rows()).isEmpty();
  }

  private void refusedBig() {
    partition.send(Task.of("big").size(99_000).deadLetters());
    rig.claim();
    rig.report(Status.FAILURE, "big");
    Departure departure = rig.departing.removeFirst();
    rig.tell(new Command.Refused(departure, "too large"));
    rig.settle();
  }

  @Test
  void g7NothingIsTakenInWhileTooMuchWaitsForKafka() {
    var rig = new EngineRig(RigOptions.pull().maxChanges(100_000).maxMemoryBytes(1L << 30));
    RigPartition partition = rig.assigned("tasks");
    for (int i = 0; i < 20_000; i++) {
      partition.appendUndecodable(new byte[1]);
    }
    partition.send(Task.of("a"));
    assertThat(rig.depths().leaving()).isEqualTo(20_000);
    assertThat(rig.claim().id()).isEmpty();

    rig.produces = true;
    rig.settle();
    assertThat(rig.claim().id()).isEqualTo("a");
  }
}
