package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.EngineEvent;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// G2 and G6: a report is answered when its effects are durable, or at once if it has none.
final class ReportHandlerTest {
  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void g2ReplyWaitsForTheEffect(Status status) {
    running("x");
    rig.commits = false;
    RigReply reply = rig.report(status, "x");
    rig.pass(5_000);
    assertThat(reply.isAnswered()).isFalse();
    rig.commitAndSettle();
    assertThat(reply.answers).isEqualTo(1);
  }

  @Test
  void g2DeadLetterIsDurableBeforeTheReply() {
    partition.send(Task.of("x").deadLetters());
    rig.claim();
    rig.commits = false;
    RigReply reply = rig.report(Status.FAILURE, "x");
    assertThat(reply.isAnswered()).isFalse();
    rig.commitAndSettle();
    assertThat(reply.isAnswered()).isTrue();
    assertThat(rig.store.row("x").orElseThrow().forwardTo()).isNotNull();
  }

  @Test
  void g2ReplyOfABatchWaitsForTheLastOfItsEffects() {
    running("a", "b", "c");
    rig.commits = false;
    RigReply reply = rig.report(Status.COMPLETE, "a", "unknown", "b", "c");
    for (int i = 0; i < 3; i++) {
      assertThat(reply.isAnswered()).isFalse();
      rig.commit(1);
    }
    assertThat(reply.answers).isEqualTo(1);
  }

  @Test
  void g2RepeatedIdInABatchIsAnsweredOnce() {
    running("a");
    rig.commits = false;
    RigReply reply = rig.report(Status.COMPLETE, "a", "a", "a");
    assertThat(rig.store.uncommitted()).hasSize(1);
    rig.commitAndSettle();
    assertThat(reply.answers).isEqualTo(1);
  }

  @Test
  void g2RepeatedReportIsAnsweredWhenTheFirstIs() {
    running("a");
    rig.commits = false;
    RigReply first = rig.report(Status.COMPLETE, "a");
    RigReply again = rig.report(Status.COMPLETE, "a");
    assertThat(again.isAnswered()).isFalse();
    rig.commitAndSettle();
    assertThat(first.answers).isEqualTo(1);
    assertThat(again.answers).isEqualTo(1);
  }

  @Test
  void g6UnknownIdIsAnsweredAtOnce() {
    rig.commits = false;
    assertThat(rig.report(Status.COMPLETE, "nobody").isAnswered()).isTrue();
    assertThat(rig.report(Status.RETRY, "nobody").isAnswered()).isTrue();
    assertThat(rig.noticed(EngineEvent.UNKNOWN_ID)).containsExactly("nobody", "nobody");
    assertThat(rig.store.isIdle()).isTrue();
  }

  @Test
  void emptyReportIsAnsweredAtOnce() {
    assertThat(rig.report(Status.COMPLETE).answers).isEqualTo(1);
  }

  @Test
  void nextTaskIsClaimedAfterTheEffectIsDurable() {
    running("a");
    partition.send(Task.of("b"));
    rig.commits = false;
    RigReply reply = rig.reportAndClaim(Status.COMPLETE, "a");
    assertThat(rig.depths().pending()).isEqualTo(1);
    assertThat(reply.isAnswered()).isFalse();
    rig.commitAndSettle();
    assertThat(reply.answers).isEqualTo(1);
    assertThat(reply.id()).isEqualTo("b");
  }

  @Test
  void reportWithoutANextTaskIsAnsweredWithoutOne() {
    running("a");
    RigReply reply = rig.reportAndClaim(Status.COMPLETE, "a");
    assertThat(reply.answers).isEqualTo(1);
    assertThat(reply.delivery).isNull();
  }

  @Test
  void nextAtMostOnceTaskWaitsForItsStatus() {
    running("a");
    partition.send(Task.once("b"));
    partition.commitOffset();
    rig.settle();
    rig.commits = false;
    RigReply reply = rig.reportAndClaim(Status.COMPLETE, "a");
    rig.commit(1);
    assertThat(reply.isAnswered()).isFalse();
    rig.commit(1);
    assertThat(reply.id()).isEqualTo("b");
  }

  @Test
  void maximumAndDelayOfARetryArePassedOn() throws InvalidProtocolBufferException {
    running("x");
    var reply = new RigReply();
    var update = new Command.Update("x", Status.RETRY, 7, 30);
    rig.tell(new Command.Report(List.of(update), null, reply));
    rig.settle();
    var retry = TaskActivation.parseFrom(rig.outbox.getFirst().payload());
    assertThat(retry.getRetryState().getMaxAttempts()).isEqualTo(7);
    assertThat(retry.getDelay()).isEqualTo(30);
  }

  @Test
  void failureMeetsTheFailurePolicy() {
    partition.send(Task.of("discard"), Task.of("letter").deadLetters());
    rig.claim();
    rig.claim();
    rig.report(Status.FAILURE, "discard", "letter");
    assertThat(rig.noticed(EngineEvent.DISCARDED)).containsExactly("discard");
    assertThat(rig.outboxIds()).containsExactly("letter");
    assertThat(rig.store.rows()).hasSize(1);
  }

  private void running(String... ids) {
    for (String id : ids) {
      partition.send(Task.of(id));
      assertThat(rig.claim().id()).isEqualTo(id);
    }
  }
}
