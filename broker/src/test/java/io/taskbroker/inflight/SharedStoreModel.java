package io.taskbroker.inflight;

import com.google.protobuf.InvalidProtocolBufferException;
import io.taskbroker.activation.Row;
import io.taskbroker.activation.Status;
import io.taskbroker.inflight.EnginesOnSharedStore.Log;
import io.taskbroker.inflight.api.Command;
import io.taskbroker.inflight.api.Delivery;
import io.taskbroker.inflight.api.OutboxRecord;
import io.taskbroker.inflight.api.PushOutcome;
import io.taskbroker.proto.v1.TaskActivation;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;

/// Random history of some brokers on one store, from one seed: partitions move in order, by force
/// and by crashes, reports reach any broker, leases end, notifications get lost, and brokers are
/// suspended for longer than their leases and resume with what they remember. [SharedStoreLedger]
/// checks the safety properties and the final state.
final class SharedStoreModel {
  private static final int ACTIONS = 400;
  private static final int MAX_GENERATION = 2;
  private static final List<String> NAMES = List.of("a", "b", "c", "d");
  private static final List<String> APPLICATIONS = List.of("push", "pull");
  private static final PushOutcome[] OUTCOMES = PushOutcome.values();

  private final SplittableRandom random;
  private final EnginesOnSharedStore peers;
  private final SharedStoreLedger ledger;
  private final List<Log> logs = new ArrayList<>();
  private final List<Log> retries = new ArrayList<>();

  /// Brokers that do not know yet that they lost a partition.
  private final Map<Log, Set<EngineOnSharedStore>> zombies = new HashMap<>();

  /// Records that Kafka receives a second time, as after a crash.
  private final List<OutboxRecord> copies = new ArrayList<>();

  /// All deliveries to workers, the latest first.
  private final List<String> known = new ArrayList<>();

  private int published;

  SharedStoreModel(long seed, SharedStoreBug bug) {
    random = new SplittableRandom(seed);
    peers =
        new EnginesOnSharedStore(
            RigOptions.push("push")
                .settle(2_000)
                .maxPending(1 + random.nextInt(20))
                .maxDelayed(random.nextInt(5))
                .maxHandedOut(1 + random.nextInt(20))
                .maxChanges(4 + random.nextInt(100)));
    ledger = new SharedStoreLedger(peers, known);
    peers.observer = ledger;
    peers.bug = bug;
    for (String name : NAMES.subList(0, 2 + random.nextInt(3))) {
      peers.peer(name).deaf = random.nextInt(3) == 0;
    }
    for (int i = 0; i < 3; i++) {
      logs.add(peers.log("tasks", i));
    }
    for (int i = 0; i < 2; i++) {
      retries.add(peers.log(RigOptions.RETRY_TOPIC, i));
    }
    logs.addAll(retries);
    logs.forEach(log -> zombies.put(log, new HashSet<>()));
  }

  /// Runs the random phase, then continues until nothing is left to do.
  void run() {
    for (Log log : logs) {
      anyPeer().take(log);
    }
    peers.peers.forEach(peer -> peer.commits = false);
    for (int i = 0; i < ACTIONS; i++) {
      act();
      ledger.checkDepths();
    }
    drain();
    ledger.checkEnd(logs);
  }

  private EngineOnSharedStore anyPeer() {
    return peers.peers.get(random.nextInt(peers.peers.size()));
  }

  private Log anyLog() {
    return logs.get(random.nextInt(logs.size()));
  }

  private void act() {
    EngineOnSharedStore peer = anyPeer();
    Log log = anyLog();
    switch (random.nextInt(22)) {
      case 0, 1, 2 -> publish();
      case 3, 4 -> poll(log);
      case 5, 6, 7, 8 -> {
        for (EngineOnSharedStore each : peers.peers) {
          if (each.isAwake() && random.nextBoolean()) {
            each.commit(1 + random.nextInt(20));
          }
        }
      }
      case 9, 10 -> peers.pass(random.nextInt(1_500));
      case 11 -> peers.pass(random.nextInt(20) == 0 ? 1_200_000 : random.nextInt(15_000));
      case 12, 13 -> answerCall(peer);
      case 14 -> {
        if (peer.isAwake() && peer.engine().hasRoom()) {
          peer.claim();
        }
      }
      case 15, 16, 17 -> report(peer);
      case 18 -> peers.peers.forEach(this::produce);
      case 19 -> move(log);
      case 20 -> learn(log);
      default -> disturb(peer);
    }
    peers.settle();
  }

  private void publish() {
    Log log = logs.get(random.nextInt(3));
    for (int i = random.nextInt(5); i >= 0; i--) {
      log.append(task());
    }
    poll(log);
  }

  private Task task() {
    boolean again = published > 0 && random.nextInt(8) == 0;
    String id = "t" + (again ? random.nextInt(published) : published++);
    Task task = random.nextInt(4) == 0 ? Task.once(id) : Task.of(id);
    task.application(APPLICATIONS.get(random.nextInt(2))).deadline(random.nextInt(20));
    if (random.nextInt(3) == 0) {
      boolean far = random.nextInt(4) == 0;
      task.delayUntil(peers.wall + random.nextInt(far ? 1_000_000 : 5_000));
    }
    if (random.nextInt(5) == 0) {
      task.expiresAt(peers.wall + random.nextInt(30_000));
    }
    return random.nextBoolean() ? task.deadLetters() : task;
  }

  /// The owner reads on, or a broker that believes to be the owner.
  private void poll(Log log) {
    EngineOnSharedStore owner = log.owner;
    if (owner != null && owner.isAwake() && !log.revoked) {
      owner.poll(log, 1 + random.nextInt(5));
    }
    for (EngineOnSharedStore zombie : formerOwners(log)) {
      if (zombie.isAwake() && random.nextBoolean()) {
        zombie.poll(log, 1 + random.nextInt(5));
      }
    }
  }

  private Set<EngineOnSharedStore> formerOwners(Log log) {
    return zombies.getOrDefault(log, Set.of());
  }

  private void answerCall(EngineOnSharedStore peer) {
    if (peer.isAwake() && !peer.calls.isEmpty()) {
      Delivery call = peer.calls.get(random.nextInt(peer.calls.size()));
      PushOutcome outcome =
          random.nextBoolean() ? PushOutcome.ACCEPTED : OUTCOMES[random.nextInt(OUTCOMES.length)];
      if (outcome == PushOutcome.BUSY || outcome == PushOutcome.UNREACHABLE) {
        ledger.notDelivered(call);
      }
      peer.answer(call, outcome);
    }
  }

  private void report(EngineOnSharedStore peer) {
    if (known.isEmpty() || !peer.isAwake() || !peer.engine().hasRoom()) {
      return;
    }
    boolean late = random.nextInt(4) == 0;
    String id = known.get(random.nextInt(late ? known.size() : Math.min(4, known.size())));
    Status status =
        switch (random.nextInt(6)) {
          case 0 -> Status.FAILURE;
          case 1, 2 -> ledger.generation(id) < MAX_GENERATION ? Status.RETRY : Status.COMPLETE;
          default -> Status.COMPLETE;
        };
    ledger.report(peer, id, status);
  }

  private void produce(EngineOnSharedStore peer) {
    if (peer.isAwake() && !peer.outbox.isEmpty()) {
      OutboxRecord record = peer.outbox.get(random.nextInt(peer.outbox.size()));
      arrive(record);
      peer.acknowledge(record);
      if (random.nextInt(3) == 0) {
        copies.add(record);
      }
    } else if (!copies.isEmpty() && random.nextInt(20) == 0) {
      arrive(copies.removeFirst());
    }
  }

  /// Kafka has the record, whether or not the broker learns of it.
  private void arrive(OutboxRecord record) {
    ledger.arrived(record);
    if (record.destination().topic().equals(RigOptions.RETRY_TOPIC)) {
      try {
        TaskActivation retry = TaskActivation.parseFrom(record.payload());
        ledger.retried(record.id(), retry.getId());
        Log log = retries.get(Math.floorMod(retry.getId().hashCode(), retries.size()));
        log.append(Task.of(retry.getId()).application(retry.getApplication()).derived());
      } catch (InvalidProtocolBufferException e) {
        throw new AssertionError("Not an activation: " + record, e);
      }
    }
  }

  /// Revokes or assigns the partition.
  private void move(Log log) {
    EngineOnSharedStore owner = log.owner;
    if (owner == null) {
      take(log, anyPeer());
    } else if (owner.isAwake() && log.revoked) {
      owner.release(log);
      if (random.nextBoolean()) {
        take(log, anyPeer());
      }
    } else if (owner.isAwake() && random.nextInt(3) > 0) {
      if (random.nextBoolean()) {
        serve(owner);
      }
      owner.revoke(log, false);
      if (random.nextBoolean()) {
        releaseInOrder(log, owner);
      }
    } else {
      expel(log, owner);
    }
  }

  /// Workers receive what is available.
  private void serve(EngineOnSharedStore peer) {
    peer.commit(Integer.MAX_VALUE);
    for (int i = 0; i < 3 && peer.engine().hasRoom(); i++) {
      peer.claim();
    }
    List.copyOf(peer.calls).forEach(call -> peer.answer(call, PushOutcome.ACCEPTED));
  }

  /// It has time to release the partition in order, unless it waits for a call or for Kafka.
  private void releaseInOrder(Log log, EngineOnSharedStore owner) {
    if (random.nextBoolean()) {
      List.copyOf(owner.calls).forEach(call -> owner.answer(call, PushOutcome.ACCEPTED));
      for (OutboxRecord record : List.copyOf(owner.outbox)) {
        arrive(record);
        owner.acknowledge(record);
      }
    }
    for (int i = 0; i < 3 && owner.undrained.contains(log.source); i++) {
      owner.commit(Integer.MAX_VALUE);
    }
    owner.release(log);
    take(log, anyPeer());
  }

  private void expel(Log log, EngineOnSharedStore owner) {
    owner.expel(log);
    formerOwners(log).add(owner);
    take(log, anyPeer());
  }

  private void take(Log log, EngineOnSharedStore peer) {
    if (peer.isAwake() && peer.mayTake(log) && !formerOwners(log).contains(peer)) {
      peer.take(
          log,
          () ->
              formerOwners(log).stream()
                  .filter(EngineOnSharedStore::isAwake)
                  .forEach(peers.bug::whileTaken));
    }
  }

  /// Brokers learn that they lost a partition, after what they were about to do before.
  private void learn(Log log) {
    EngineOnSharedStore owner = log.owner;
    for (EngineOnSharedStore zombie : List.copyOf(formerOwners(log))) {
      if (zombie.isAwake()) {
        if (owner != null && owner.isUp() && random.nextInt(3) == 0) {
          zombie.retake(log);
        }
        zombie.revoke(log, true);
        formerOwners(log).remove(zombie);
      }
    }
  }

  private void disturb(EngineOnSharedStore peer) {
    switch (random.nextInt(8)) {
      case 0, 1 -> {
        if (peer.isUp()) {
          crash(peer);
        } else {
          peer.start();
        }
      }
      case 2 -> peer.deaf = !peer.deaf;
      case 3, 4 -> sleepOrWake(peer);
      case 5 -> {
        if (peer.isAwake()) {
          long until = random.nextBoolean() ? Long.MAX_VALUE : peers.now + random.nextInt(2_000);
          peer.tell(new Command.LeaseRenewed(until));
        }
      }
      default -> {
        if (peer.isAwake()) {
          for (Log log : logs) {
            peer.commitOffset(log);
          }
          peer.commit(Integer.MAX_VALUE);
        }
      }
    }
  }

  /// Suspends the broker, perhaps until others have had its partitions for long; or resumes it.
  private void sleepOrWake(EngineOnSharedStore peer) {
    if (peer.isAwake()) {
      peer.tell(new Command.LeaseRenewed(peers.now + random.nextInt((int) RigOptions.LEASE)));
      peer.settle();
      peer.sleep();
      if (random.nextBoolean()) {
        for (Log log : logs) {
          if (log.owner == peer) {
            expel(log, peer);
          }
        }
        peers.pass(random.nextInt(100_000));
      }
    } else if (peer.isUp()) {
      peer.wake();
      if (random.nextBoolean()) {
        peer.tell(new Command.LeaseRenewed(Long.MAX_VALUE));
      }
    }
  }

  private void crash(EngineOnSharedStore peer) {
    for (OutboxRecord record : List.copyOf(peer.outbox)) {
      if (random.nextBoolean()) {
        arrive(record);
      }
    }
    ledger.crashed(peer);
    peer.crash();
    zombies.values().forEach(each -> each.remove(peer));
  }

  /// From now on nothing fails.
  private void drain() {
    copies.forEach(this::arrive);
    for (EngineOnSharedStore peer : peers.peers) {
      if (peer.isUp() && random.nextInt(3) == 0) {
        crash(peer);
      }
      if (!peer.isUp()) {
        peer.start();
      }
      if (!peer.isAwake()) {
        peer.wake();
      }
      peer.commits = true;
      peer.deaf = false;
      peer.worker = _ -> PushOutcome.ACCEPTED;
      peer.tell(new Command.LeaseRenewed(Long.MAX_VALUE));
      List.copyOf(peer.calls).forEach(call -> peer.answer(call, PushOutcome.ACCEPTED));
    }
    for (Log log : logs) {
      learn(log);
      EngineOnSharedStore owner = log.owner;
      if (owner != null && log.revoked) {
        owner.release(log);
      }
    }
    peers.settle();
    for (Log log : logs) {
      if (log.owner == null) {
        take(log, anyPeer());
      }
    }
    int rounds = 0;
    do {
      peers.settle();
      for (Log log : logs) {
        EngineOnSharedStore owner = log.owner;
        if (owner == null) {
          throw new AssertionError("No owner of " + log.source);
        }
        owner.poll(log, 10);
      }
      peers.settle();
      for (EngineOnSharedStore peer : peers.peers) {
        while (!peer.claim().id().isEmpty()) {}
        for (OutboxRecord record : List.copyOf(peer.outbox)) {
          arrive(record);
          peer.acknowledge(record);
        }
      }
      Set<String> running = new HashSet<>(known);
      known.clear();
      running.forEach(id -> ledger.report(anyPeer(), id, Status.COMPLETE));
      peers.pass(10_000);
      if (++rounds > 500) {
        throw new AssertionError("G8: it does not finish: " + state());
      }
    } while (!isDone());
  }

  private String state() {
    var text = new StringBuilder();
    for (EngineOnSharedStore peer : peers.peers) {
      text.append('\n').append(peer.name).append(' ').append(peer.depths());
    }
    for (Log log : logs) {
      EngineOnSharedStore owner = log.owner;
      text.append('\n').append(log.source.topic()).append(log.source.partition());
      text.append(" of ").append(owner == null ? "no broker" : owner.name);
      text.append(owner == null ? "" : " up to " + owner.consumed(log));
      text.append(" of ").append(log.records.size());
    }
    for (Row row : peers.disk.rows()) {
      text.append('\n').append(row.activation().id()).append(' ').append(row.status());
      text.append(' ').append(row.activation().origin());
      text.append(row.parkedUntil() == Row.NONE ? "" : " parked");
    }
    return text.toString();
  }

  private boolean isDone() {
    var nothing = new Depths(0, 0, 0, 0, 0, 0);
    return peers.disk.rows().isEmpty()
        && known.isEmpty()
        && peers.peers.stream().allMatch(peer -> peer.depths().equals(nothing))
        && logs.stream()
            .allMatch(log -> log.owner != null && log.owner.consumed(log) == log.records.size());
  }
}
