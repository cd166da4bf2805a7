package io.taskbroker.inflight;

import static org.assertj.core.api.Assertions.assertThat;

import io.taskbroker.activation.Status;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Each delivery has a token of its own, and a report that carries another one than that of the
/// last delivery is refused (docs/adr/0019).
final class AttemptTokenTest {
  private static final long OVERRUN = 10_000 + RigOptions.GRACE;

  private final EngineRig rig = new EngineRig(RigOptions.pull());
  private final RigPartition partition = rig.assigned("tasks");

  @Test
  void tokensAreUniqueAndAscendingAcrossRestarts() {
    for (int life = 0; life < 3; life++) {
      rig.claim();
      partition.send(Task.of("x" + life), Task.of("y" + life));
      rig.claim();
      rig.claim();
      rig.pass(OVERRUN);
      rig.claim();
      rig.crash();
    }
    List<AttemptToken> tokens = rig.deliveries.stream().map(Delivery::token).toList();
    assertThat(tokens).hasSizeGreaterThan(9).doesNotHaveDuplicates().isSorted();
    assertThat(tokens.stream().map(AttemptToken::epoch).distinct()).hasSize(3);
  }

  @Test
  void tokensOfBrokersThatStartInTheSameMillisecondDiffer() {
    var peers = new EnginesOnSharedStore(RigOptions.push("app"));
    List<AttemptToken> tokens = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      EngineOnSharedStore peer = peers.peer("peer" + i);
      EnginesOnSharedStore.Log log = peers.log("tasks", i);
      peer.take(log);
      peer.send(log, Task.of("x" + i));
      tokens.add(peer.deliveries.getFirst().token());
    }
    assertThat(tokens).doesNotHaveDuplicates();
  }

  @Test
  void epochsGrowWithTimeAndDifferWithinAMillisecond() {
    long millis = 1_700_000_000_000L;
    long first = TokenEpoch.at(millis, 0).value();
    long last = TokenEpoch.at(millis, -1).value();
    assertThat(TokenEpoch.at(millis, 7).value()).isNotEqualTo(first);
    assertThat(last).isGreaterThan(first);
    assertThat(TokenEpoch.at(millis + 1, 0).value()).isGreaterThan(last);
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void tokenOfTheDeliveryTakesEffect(Status status) {
    partition.send(Task.of("x").deadLetters());
    assertEnds(status, claim());
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void tokenOfTheLastDeliveryTakesEffectWhileTheTaskWaits(Status status) {
    partition.send(Task.of("x").deadLetters());
    AttemptToken token = claim();
    rig.pass(OVERRUN);
    assertThat(rig.depths().pending()).isOne();
    assertEnds(status, token);
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void tokenOfAnEarlierDeliveryIsStale(Status status) {
    partition.send(Task.of("x").deadLetters());
    AttemptToken earlier = claim();
    rig.pass(OVERRUN);
    AttemptToken last = claim();
    assertStale(status, earlier);
    assertEnds(status, last);
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void tokenOfAnEarlierPushIsStale(Status status) {
    var pushing = new EngineRig(RigOptions.push("app"));
    pushing.assigned("tasks").send(Task.of("x").deadLetters());
    pushing.settle();
    pushing.answer(PushOutcome.LOST);
    pushing.pass(3_000);
    assertThat(pushing.deliveredIds()).containsExactly("x", "x");
    pushing.report(status, "x", pushing.deliveries.getFirst().token());
    assertThat(pushing.noticed(Notice.STALE_REPORT)).containsExactly("x");
    pushing.report(status, "x", pushing.deliveries.getLast().token());
    assertThat(pushing.depths().handedOut()).isZero();
  }

  @Test
  void reportWithoutATokenKeepsItsRules() {
    partition.send(Task.of("x"));
    claim();
    rig.pass(OVERRUN);
    claim();
    rig.report(Status.COMPLETE, "x");
    assertThat(rig.store.rows()).isEmpty();
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void tokenOnAnUndeliveredTaskIsStale(Status status) {
    partition.send(Task.of("x").delayUntil(rig.wall + 1_000));
    assertStale(status, new AttemptToken(1, 1));
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void tokenOnARowParkedByThisProcessIsStale(Status status) {
    partition.send(Task.of("x").delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON));
    rig.settle();
    assertThat(rig.depths().parked()).isOne();
    assertStale(status, new AttemptToken(1, 1));
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void tokenOfThePreviousProcessTakesEffectUntilTheTaskIsDelivered(Status status) {
    partition.send(Task.of("x").deadLetters());
    AttemptToken earlier = claim();
    rig.crash();
    assertEnds(status, earlier);
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void tokenOfThePreviousProcessTakesEffectOnARowThatWorkersHave(Status status) {
    partition.send(Task.of("x").deadLetters());
    AttemptToken earlier = claim();
    rig.pass(RigOptions.MARK_INTERVAL);
    assertThat(rig.store.row("x").orElseThrow().status()).isEqualTo(Status.PROCESSING);
    rig.crash();
    assertEnds(status, earlier);
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void tokenOfThePreviousProcessTakesEffectOnAParkedRow(Status status) {
    partition.send(Task.of("x").deadLetters().delayUntil(rig.wall + 2 * RigOptions.PARK_HORIZON));
    rig.settle();
    rig.stepClock(2 * RigOptions.PARK_HORIZON);
    AttemptToken earlier = claim();
    rig.stepClock(-2 * RigOptions.PARK_HORIZON);
    rig.crash();
    assertThat(rig.depths().parked()).isOne();
    assertEnds(status, earlier);
  }

  @ParameterizedTest
  @EnumSource(names = {"COMPLETE", "FAILURE", "RETRY"})
  void tokenOfThePreviousProcessIsStaleAfterTheNextDelivery(Status status) {
    partition.send(Task.of("x").deadLetters());
    AttemptToken earlier = claim();
    rig.crash();
    AttemptToken last = claim();
    assertThat(last.number()).isEqualTo(earlier.number());
    assertStale(status, earlier);
    assertEnds(status, last);
  }

  @Test
  void tokenSurvivesTheQuarantine() {
    partition.send(Task.of("x").deadLetters());
    AttemptToken token = claim();
    rig.report(Status.FAILURE, "x", token);
    rig.tell(new Command.ProduceRefused(rig.outbox.getFirst(), "too large"));
    rig.settle();
    assertStale(Status.COMPLETE, new AttemptToken(token.epoch(), token.number() + 1));
    rig.report(Status.COMPLETE, "x", token);
    assertThat(rig.store.rows()).isEmpty();
  }

  @Test
  void h03ReportWithATokenIsNotForwardedToABrokerThatCouldNotCheckIt() {
    var peers = new EnginesOnSharedStore(RigOptions.push("app"));
    EngineOnSharedStore a = peers.peer("a");
    EngineOnSharedStore b = peers.peer("b");
    EnginesOnSharedStore.Log log = peers.log("tasks", 0);
    a.take(log);
    a.send(log, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    AttemptToken token = a.deliveries.getFirst().token();
    assertThat(b.report(Status.COMPLETE, "x", token).answers).isEqualTo(1);
    assertThat(b.notices).containsExactly(Notice.UNKNOWN_ID);
    assertThat(peers.disk.reports()).isEmpty();
    assertThat(a.report(Status.COMPLETE, "x", token).answers).isEqualTo(1);
    peers.settle();
    assertThat(peers.disk.rows()).isEmpty();
  }

  @Test
  void tokenOfTheFormerOwnerTakesEffectAtTheNewOne() {
    var peers = new EnginesOnSharedStore(RigOptions.push("app"));
    EngineOnSharedStore a = peers.peer("a");
    EngineOnSharedStore b = peers.peer("b");
    EnginesOnSharedStore.Log log = peers.log("tasks", 0);
    a.take(log);
    a.send(log, Task.of("x"));
    a.answer(PushOutcome.ACCEPTED);
    a.revokeAndRelease(log);
    b.take(log);
    b.report(Status.COMPLETE, "x", a.deliveries.getFirst().token());
    peers.settle();
    assertThat(peers.disk.rows()).isEmpty();
  }

  private AttemptToken claim() {
    assertThat(rig.claim().id()).isEqualTo("x");
    return rig.deliveries.getLast().token();
  }

  private void assertStale(Status status, AttemptToken token) {
    int before = rig.noticed(Notice.STALE_REPORT).size();
    assertThat(rig.report(status, "x", token).answers).isEqualTo(1);
    assertThat(rig.noticed(Notice.STALE_REPORT)).hasSize(before + 1);
    assertThat(rig.store.rows()).hasSize(1);
    assertThat(rig.engine().outstanding()).isZero();
  }

  private void assertEnds(Status status, AttemptToken token) {
    rig.produces = true;
    int before = rig.noticed(Notice.STALE_REPORT).size();
    assertThat(rig.report(status, "x", token).answers).isEqualTo(1);
    assertThat(rig.noticed(Notice.STALE_REPORT)).hasSize(before);
    assertThat(rig.store.rows()).isEmpty();
    assertThat(rig.produced).hasSize(status == Status.COMPLETE ? 0 : 1);
  }
}
