package io.taskbroker.inflight;

import static java.nio.charset.StandardCharsets.UTF_8;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.inflight.api.QuarantineAnswer;
import io.taskbroker.inflight.api.QuarantineRequest;
import io.taskbroker.inflight.api.Rules;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.SplittableRandom;

/// Random history of one broker, from one seed: arrivals, and the actions of workers, store, outbox
/// and Kafka, with crashes. Checks the safety properties as it runs; [ModelLedger] checks the final
/// state.
final class EngineModel {
  private static final String SPARE = "spare";
  private static final int ACTIONS = 150;
  private static final int MAX_GENERATION = 3;
  private static final List<String> APPLICATIONS = List.of("push", "pull", "both");
  private static final PushOutcome[] OUTCOMES = PushOutcome.values();

  private final SplittableRandom random;
  private final EngineRig rig;
  private final List<RigPartition> partitions = new ArrayList<>();
  private final RigPartition retries;
  private final Set<RigPartition> away = new HashSet<>();
  private final ModelLedger ledger;

  /// All deliveries to workers, the latest first.
  private final List<String> known = new ArrayList<>();

  private int published;

  EngineModel(long seed) {
    random = new SplittableRandom(seed);
    RigOptions options =
        RigOptions.push("push", "both")
            .maxPending(1 + random.nextInt(30))
            .maxDelayed(random.nextInt(10))
            .maxHandedOut(1 + random.nextInt(30))
            .maxChanges(2 + random.nextInt(100))
            .maxMemoryBytes(random.nextBoolean() ? 100_000_000 : 13_000);
    rig = new EngineRig(options, seed);
    ledger = new ModelLedger(rig);
    rig.onDelivery = this::handedOut;
    for (int i = 0; i < 2; i++) {
      partitions.add(rig.partition("tasks", i));
    }
    retries = rig.partition(RigOptions.RETRY_TOPIC, 0);
    partitions.add(retries);
    partitions.forEach(RigPartition::assign);
    rig.settle();
  }

  /// Runs the random phase, then continues until nothing is left to do.
  void run() {
    rig.commits = false;
    for (int i = 0; i < ACTIONS; i++) {
      act();
      ledger.checkDepths();
    }
    drain();
    ledger.checkEnd(partitions);
  }

  private void handedOut() {
    Delivery delivery = rig.deliveries.getLast();
    ledger.handedOut(delivery);
    known.addFirst(delivery.id());
  }

  private void act() {
    switch (random.nextInt(23)) {
      case 0, 1, 2 -> publish();
      case 3, 4 -> anyPartition().poll(1 + random.nextInt(5));
      case 5, 6, 7, 8 -> rig.commit(1 + random.nextInt(20));
      case 9, 10 -> rig.pass(random.nextInt(1_500));
      case 11 -> rig.pass(random.nextInt(20) == 0 ? 1_200_000 : random.nextInt(15_000));
      case 12, 13 -> answerCall();
      case 14 -> claim();
      case 15, 16, 17 -> report();
      case 18 -> produce();
      case 22 -> operate();
      case 19 -> commitOffset(anyPartition());
      case 20 -> rebalance(anyPartition());
      default -> disturb();
    }
    rig.settle();
  }

  /// An operator lists quarantined tasks, and releases or redirects some of them.
  private void operate() {
    QuarantineRequest.Action action =
        switch (random.nextInt(3)) {
          case 0 -> QuarantineRequest.Action.LIST;
          case 1 -> QuarantineRequest.Action.RELEASE;
          default -> QuarantineRequest.Action.RETARGET;
        };
    String topic = random.nextBoolean() ? "" : RigOptions.DEAD_LETTER_TOPIC;
    var order = new QuarantineRequest(action, List.of(), topic, SPARE, 1 + random.nextInt(3));
    rig.tell(new Command.Quarantined(order, answer -> checkAnswer(order, answer)));
  }

  private static void checkAnswer(QuarantineRequest order, QuarantineAnswer answer) {
    boolean bounded = answer.tasks().size() <= order.limit();
    if (!bounded || answer.done() + answer.left() > answer.held() || answer.done() < 0) {
      throw new AssertionError("Wrong answer to " + order + ": " + answer);
    }
  }

  private RigPartition anyPartition() {
    return partitions.get(random.nextInt(partitions.size()));
  }

  private void publish() {
    RigPartition partition = partitions.get(random.nextInt(2));
    for (int i = random.nextInt(6); i >= 0; i--) {
      int kind = random.nextInt(20);
      if (kind == 0) {
        partition.appendUndecodable("poison".getBytes(UTF_8));
      } else if (kind == 1) {
        partition.appendDropped();
      } else {
        partition.append(task());
      }
    }
    if (!away.contains(partition)) {
      partition.poll(10);
    }
  }

  private Task task() {
    boolean again = published > 0 && random.nextInt(12) == 0;
    String id = "t" + (again ? random.nextInt(published) : published++);
    Task task = random.nextInt(4) == 0 ? Task.once(id) : Task.of(id);
    task.application(APPLICATIONS.get(random.nextInt(APPLICATIONS.size())))
        .namespace(random.nextBoolean() ? "one" : "two")
        .deadline(random.nextInt(20))
        .size(random.nextInt(10) == 0 ? 3_500 : 10)
        .taskname("task" + random.nextInt(5));
    if (random.nextInt(3) == 0) {
      boolean far = random.nextInt(4) == 0;
      task.delayUntil(rig.wall + random.nextInt(far ? 1_000_000 : 5_000));
    }
    if (random.nextInt(4) == 0) {
      task.expiresAt(rig.wall + random.nextInt(20_000));
    }
    if (random.nextBoolean()) {
      task.deadLetters();
    }
    return task;
  }

  private void answerCall() {
    if (!rig.calls.isEmpty()) {
      Delivery call = rig.calls.get(random.nextInt(rig.calls.size()));
      PushOutcome outcome =
          random.nextBoolean() ? PushOutcome.ACCEPTED : OUTCOMES[random.nextInt(OUTCOMES.length)];
      if (outcome == PushOutcome.BUSY || outcome == PushOutcome.UNREACHABLE) {
        ledger.notDelivered(call);
      }
      rig.answer(call, outcome);
    }
  }

  private void claim() {
    if (rig.engine().hasRoom()) {
      String application =
          random.nextBoolean() ? null : APPLICATIONS.get(random.nextInt(APPLICATIONS.size()));
      rig.claim(application, application == null || random.nextBoolean() ? null : "one");
    }
  }

  private void report() {
    if (known.isEmpty() || !rig.engine().hasRoom()) {
      return;
    }
    var reply = new RigReply();
    List<Command.Update> updates = new ArrayList<>();
    for (int i = random.nextInt(3); i >= 0; i--) {
      boolean late = random.nextInt(4) == 0;
      String id = known.get(random.nextInt(late ? known.size() : Math.min(3, known.size())));
      Status status =
          switch (random.nextInt(5)) {
            case 0 -> Status.FAILURE;
            case 1 -> generation(id) < MAX_GENERATION ? Status.RETRY : Status.COMPLETE;
            default -> Status.COMPLETE;
          };
      updates.add(new Command.Update(id, status, -1, random.nextInt(3) - 1));
    }
    var next = random.nextBoolean() ? new Command.Claim("pull", null, reply) : null;
    rig.tell(new Command.Report(updates, next, ledger.watch(updates, reply)));
  }

  private int generation(String id) {
    return id.length() < 20 ? 0 : ledger.generation(id);
  }

  private void produce() {
    if (!rig.outbox.isEmpty()) {
      OutboxRecord record = rig.outbox.get(random.nextInt(rig.outbox.size()));
      if (random.nextInt(20) == 0) {
        rig.outbox.remove(record);
        ledger.refused(record);
        rig.tell(new Command.ProduceRefused(record, "it is too large"));
      } else {
        arrive(record);
        rig.acknowledge(record);
      }
    }
  }

  /// Kafka has the record, whether or not the broker learns of it.
  private void arrive(OutboxRecord record) {
    ledger.arrived(record);
    if (record.destination().topic().equals(RigOptions.RETRY_TOPIC)) {
      try {
        TaskActivation retry = TaskActivation.parseFrom(record.payload());
        ledger.retried(record.id(), retry.getId());
        retries.append(Task.of(retry.getId()).application(retry.getApplication()).derived());
      } catch (InvalidProtocolBufferException e) {
        throw new AssertionError("Not an activation: " + record, e);
      }
    } else if (random.nextInt(4) == 0 && !record.id().startsWith("undecodable")) {
      // An operator replays a dead letter at once.
      partitions.getFirst().append(Task.of(record.id()));
    }
  }

  private void commitOffset(RigPartition partition) {
    if (!away.contains(partition)) {
      if (random.nextInt(5) == 0) {
        partition.commitOffsetSilently();
      } else {
        partition.commitOffset();
      }
    }
  }

  /// Revokes the partition, perhaps for another broker, or assigns it again.
  private void rebalance(RigPartition partition) {
    if (away.remove(partition)) {
      if (random.nextBoolean()) {
        ledger.runElsewhere(partition, random);
      }
      partition.assign();
    } else if (random.nextInt(3) == 0) {
      boolean lost = random.nextBoolean();
      away.add(partition);
      partition.revoke(lost);
      if (!lost) {
        rig.settle();
        rig.commitAndSettle();
        if (!partition.drained) {
          throw new AssertionError("Not drained: " + partition.source);
        }
        commitOffsetOfRevoked(partition);
      }
    }
  }

  private void commitOffsetOfRevoked(RigPartition partition) {
    if (random.nextInt(4) == 0) {
      partition.commitOffsetSilently();
    } else {
      partition.commitOffset();
    }
    rig.settle();
  }

  private void disturb() {
    switch (random.nextInt(5)) {
      case 0 -> crash();
      case 3 -> rig.rule(rules());
      case 1 -> {
        rig.tell(new Command.Drain());
        rig.settle();
        rig.commitAndSettle();
        crash();
      }
      case 2 -> rig.stepClock(random.nextInt(-20_000, 20_000));
      default -> rig.commitAndSettle();
    }
  }

  private Rules rules() {
    if (random.nextInt(3) == 0) {
      return Rules.NONE;
    }
    return new RigRules(
        random.nextBoolean() ? Set.of("task0") : Set.of("task1", "task2"),
        random.nextBoolean() ? Set.of() : Set.of("t" + random.nextInt(published + 1)),
        random.nextBoolean() ? Set.of() : Set.of("two"),
        random.nextInt(5) == 0);
  }

  private void crash() {
    for (OutboxRecord record : List.copyOf(rig.outbox)) {
      if (random.nextBoolean()) {
        arrive(record);
      }
    }
    ledger.crash();
    away.clear();
    rig.crash();
    for (RigPartition partition : partitions) {
      partition.assign();
    }
  }

  /// From now on nothing fails.
  private void drain() {
    rig.commits = true;
    rig.worker = _ -> PushOutcome.ACCEPTED;
    List.copyOf(rig.calls).forEach(call -> rig.answer(call, PushOutcome.ACCEPTED));
    for (RigPartition partition : away) {
      partition.assign();
    }
    away.clear();
    int rounds = 0;
    do {
      rig.settle();
      for (RigPartition partition : partitions) {
        if (partition.hasMore()) {
          partition.poll(10);
        }
        partition.commitOffset();
      }
      rig.settle();
      RigReply claim = rig.claim();
      while (!claim.id().isEmpty()) {
        claim = rig.claim();
      }
      Set<String> running = new HashSet<>(known);
      known.clear();
      List<Command.Update> updates =
          running.stream().map(id -> new Command.Update(id, Status.COMPLETE, -1, -1)).toList();
      rig.tell(new Command.Report(updates, null, ledger.watch(updates, new RigReply())));
      for (OutboxRecord record : List.copyOf(rig.outbox)) {
        arrive(record);
        rig.acknowledge(record);
      }
      rig.pass(10_000);
      if (++rounds > 1_000) {
        throw new AssertionError(
            "It does not come to an end: " + rig.depths() + ", " + rig.store.rows());
      }
    } while (!isDone());
  }

  private boolean isDone() {
    Depths depths = rig.depths();
    return depths.equals(new Depths(0, 0, 0, 0, 0, 0))
        && partitions.stream().noneMatch(RigPartition::hasMore)
        && partitions.stream().allMatch(RigPartition::isSettled)
        && known.isEmpty();
  }
}
